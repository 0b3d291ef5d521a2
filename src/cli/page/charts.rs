//! Charts: Vega-Lite specifications (`*.vl.json`) and the data that goes into them.
//!
//! A specification names its data sets, which are added here; its colours are variables of the page's style sheet, so that charts
//! follow the reader's light or dark setting and the printer's paper.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;

use super::escape;

/// A chart with its heading.
#[derive(Serialize)]
pub struct Drawing {
    pub label: String,
    /// As [`chart`] makes it.
    pub chart: String,
}

/// A specification with its data, ready to stand in a `<script>`.
pub fn chart(specification: &str, datasets: Value) -> String {
    escape::json(&with_data(specification, datasets))
}

/// The same for a chart that grows with its rows, at a fixed number of pixels for each. (A `step` in the specification does not go with
/// a width that is the container's.)
pub fn chart_of_rows(specification: &str, (rows, pixels): (usize, usize), datasets: Value) -> String {
    let mut chart = with_data(specification, datasets);
    chart["height"] = (rows * pixels).into();
    escape::json(&chart)
}

fn with_data(specification: &str, datasets: Value) -> Value {
    let mut chart: Value = serde_json::from_str(specification).expect("our own specification is valid");
    chart["datasets"] = datasets;
    chart
}

/// The scripts of a page with charts, in their order.
pub fn scripts() -> [&'static str; 4] {
    [
        include_str!("vendor/vega.min.js"),
        include_str!("vendor/vega-lite.min.js"),
        &INTERPRETER,
        include_str!("templates/draw.js"),
    ]
}

/// Vega's evaluator of expressions that needs no `eval`. The package comes as a module; here it takes what it imports from `vega`, which
/// exports the same.
static INTERPRETER: LazyLock<String> = LazyLock::new(|| {
    let module = include_str!("vendor/vega-interpreter.js");
    let (imports, rest) = module.split_once(" from 'vega-util';").expect("a module with one import");
    let (code, _) = rest.split_once("export {").expect("a module with one export");
    let imports = imports.replace("import", "const");
    format!("const expressionInterpreter = (() => {{\n{imports} = vega;{code}return expression;\n}})();\n")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_a_script() {
        assert!(!INTERPRETER.contains("import ") && !INTERPRETER.contains("export "));
        assert!(INTERPRETER.contains("const { ascending, isString, DisallowedObjectProperties } = vega;"));
    }
}
