//! The templates, and what they may use: number formats, words and escaping.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, escape_formatter, syntax::SyntaxConfig};

use super::{
    escape, numbers,
    words::{self, Words, said},
};

/// The files that are written; each is a template by the same name.
pub const FILES: [&str; 3] = ["report.html", "report.md", "tables.tex"];

/// The page of a training's measurements, which has the same style and charts.
pub const PROBE: &str = "probe.html";

/// The names of our own ways of escaping.
const MARKDOWN: &str = "markdown";
const LATEX: &str = "latex";

/// All templates. Text from outside is escaped as the file's format needs it; a name that does not exist is an error.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    // A line that holds nothing but a block leaves no trace.
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build().expect("the usual delimiters"));
    environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
        Some("html") => AutoEscape::Html,
        Some("md") => AutoEscape::Custom(MARKDOWN.into()),
        _ => AutoEscape::Custom(LATEX.into()),
    });
    environment.set_formatter(|output, state, value| {
        let escape = match state.auto_escape() {
            AutoEscape::Custom(_) if value.is_safe() => str::to_owned,
            AutoEscape::Custom(format) if format == MARKDOWN => escape::markdown,
            AutoEscape::Custom(_) => escape::latex,
            _ => return escape_formatter(output, state, value),
        };
        Ok(output.write_str(&escape(&value.to_string()))?)
    });

    environment.add_filter("percent", numbers::percent);
    environment.add_filter("difference", numbers::difference);
    environment.add_filter("probability", numbers::probability);
    environment.add_filter("points", numbers::points);
    environment.add_filter("metric", numbers::metric);
    environment.add_filter("plain", numbers::plain);
    let words: [(&'static str, Words); 9] = [
        ("layer_name", words::LAYERS),
        ("layer_letter", words::LAYERS_SHORT),
        ("mark", words::MARKS),
        ("baseline_name", words::BASELINES),
        ("control_name", words::CONTROLS),
        ("control_meaning", words::CONTROL_MEANINGS),
        ("metric_name", words::METRICS),
        ("feature_name", words::FEATURES),
        ("kind_name", words::ERROR_KINDS),
    ];
    for (name, words) in words {
        environment.add_filter(name, move |word: &str| said(words, word).to_owned());
    }
    environment.add_filter("latex_mark", |word: &str| Value::from_safe_string(said(words::MARKS_LATEX, word).into()));
    // Four spaces before each line make it code in Markdown, whatever it holds.
    environment.add_filter("as_code", |text: &str| {
        let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
        Value::from_safe_string(lines.join("\n"))
    });

    for (name, code) in [
        ("style", include_str!("templates/report.css")),
        ("draw", include_str!("templates/report.js")),
        ("vega", include_str!("vendor/vega.min.js")),
        ("vega_lite", include_str!("vendor/vega-lite.min.js")),
    ] {
        environment.add_global(name, Value::from_safe_string(escape::script(code)));
    }
    let templates = [
        include_str!("templates/report.html"),
        include_str!("templates/report.md"),
        include_str!("templates/tables.tex"),
    ];
    for (name, template) in FILES.into_iter().zip(templates) {
        environment.add_template(name, template).expect("the templates are valid");
    }
    environment.add_template(PROBE, include_str!("templates/probe.html")).expect("the template is valid");
    environment
}
