//! A tape in the language of Graphviz.

use std::fmt::Write;

use mtlcore::mtl::explain::Trace;

use super::{shape, short};

pub fn of(trace: &Trace) -> String {
    let mut text = String::from("digraph tape {\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for node in &trace.nodes {
        let name = node.name.as_deref().unwrap_or(node.op);
        let mut label = format!("{} {name} {}\nnorm {}", node.index, shape(&node.shape), short(node.value.norm));
        for (sweep, gradient) in trace.sweeps.iter().zip(&node.gradients) {
            if let Some(gradient) = gradient {
                label += &format!("\n∂ {sweep} {}", short(gradient.norm));
            }
        }
        let style = if node.inputs.is_empty() { ", style=rounded" } else { "" };
        let _ = writeln!(text, "  n{} [label={}{style}];", node.index, quoted(&label));
        for input in &node.inputs {
            let _ = writeln!(text, "  n{input} -> n{};", node.index);
        }
    }
    text + "}\n"
}

/// A string of DOT, in which only quotes and backslashes are special.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_a_string() {
        assert_eq!(quoted("heads.\"a\\b\".kernel\nnorm 1"), r#""heads.\"a\\b\".kernel\nnorm 1""#);
    }
}
