//! A tape as a table.

use mtlcore::{
    autograd::trace::{Numbers, TracedNode},
    mtl::explain::{TokenKind, Trace},
};

use super::{shape, short};
use crate::output::{self, Column};

/// What is shown of a value or gradient, in few columns and in all.
const FEW: &[&str] = &["norm"];
const NUMBERS: &[&str] = &["min", "mean", "max", "norm", "zeros"];

/// What all values cost together, a line each, and with `full` all columns and all numbers: else as much as a terminal holds.
pub fn of(trace: &Trace, full: bool) -> String {
    let shown = if full { NUMBERS } else { FEW };
    let gradients = trace.sweeps.iter().flat_map(|sweep| {
        let name = if trace.sweeps.len() == 1 { "∂".to_owned() } else { format!("∂ {sweep}") };
        shown.iter().map(move |number| format!("{name}\n{number}"))
    });
    let backward =
        |what: &str| if trace.sweeps.len() == 1 { format!("back\n{what}") } else { format!("back, each\n{what}") };
    let mut numbers: Vec<String> = shown.iter().map(|number| format!("value\n{number}")).chain(gradients).collect();
    numbers.push("flops".into());
    if full {
        numbers.extend([backward("flops"), "bytes".into(), "µs".into(), backward("µs")]);
    }
    let texts = ["", "operation", "of", "shape"].map(str::to_owned);
    let columns: Vec<Column<'_>> =
        texts.iter().map(|name| Column::Text(name)).chain(numbers.iter().map(|name| Column::Number(name))).collect();
    let mut text = format!("{}\n{}\n\n", tokens(trace), totals(trace));
    text += &output::table(&columns, trace.nodes.iter().map(|node| row(node, full)));
    if let [sweep] = &trace.sweeps[..] {
        text += &format!("\n∂ is the gradient of the {sweep}.");
    }
    text += if full { "\n" } else { "\n--full shows more columns, and every number.\n" };
    for node in &trace.nodes {
        text += &all_numbers(trace, node);
    }
    text
}

fn tokens(trace: &Trace) -> String {
    let token = |token: &mtlcore::mtl::explain::Token| match token.kind {
        TokenKind::Unknown => format!("{} (unknown)", token.text),
        TokenKind::WithoutVector => format!("{} (no vector)", token.text),
        TokenKind::Known | TokenKind::Padding => token.text.clone(),
    };
    let count = trace.tokens.len();
    let noun = if count == 1 { "token" } else { "tokens" };
    format!("{count} {noun}: {}", trace.tokens.iter().map(token).collect::<Vec<_>>().join(" · "))
}

fn row(node: &TracedNode, full: bool) -> Vec<String> {
    let operation = node.name.as_ref().unwrap_or(&node.op.to_owned()).clone();
    let inputs: Vec<String> = node.inputs.iter().map(usize::to_string).collect();
    let mut row = vec![node.index.to_string(), operation, inputs.join(" "), shape(&node.shape)];
    for numbers in std::iter::once(Some(&node.value)).chain(node.gradients.iter().map(Option::as_ref)) {
        row.extend(match (numbers, full) {
            (Some(n), true) => vec![short(n.minimum), short(n.mean), short(n.maximum), short(n.norm), share(n.zeros)],
            (Some(n), false) => vec![short(n.norm)],
            (None, true) => NUMBERS.iter().map(|_| "-".to_owned()).collect(),
            (None, false) => vec!["-".to_owned()],
        });
    }
    let microseconds = |ns: Option<u64>| ns.map_or("-".into(), |ns| format!("{:.1}", ns as f64 / 1e3));
    let backward: Vec<String> = node.backward_ns.iter().map(|&ns| microseconds(ns)).collect();
    let count = |flops: Option<u64>| flops.map_or("-".into(), output::count);
    row.push(count(node.forward_flops));
    if full {
        row.extend([
            count(node.backward_flops),
            output::count(node.bytes),
            microseconds(node.forward_ns),
            backward.join(" "),
        ]);
    }
    row
}

fn share(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn totals(trace: &Trace) -> String {
    let sum = |of: fn(&TracedNode) -> Option<u64>| trace.nodes.iter().filter_map(of).sum::<u64>();
    let milliseconds = |ns: u64| format!("{:.3} ms", ns as f64 / 1e6);
    let mut text = format!(
        "{} values, {} bytes; forward {} flops, {}",
        trace.nodes.len(),
        output::count(trace.nodes.iter().map(|node| node.bytes).sum::<usize>()),
        output::count(sum(|node| node.forward_flops)),
        milliseconds(sum(|node| node.forward_ns)),
    );
    for (i, sweep) in trace.sweeps.iter().enumerate() {
        let reached = || trace.nodes.iter().filter(move |node| node.backward_ns[i].is_some());
        let flops = reached().filter_map(|node| node.backward_flops).sum::<u64>();
        let time = reached().filter_map(|node| node.backward_ns[i]).sum::<u64>();
        text += &format!("\nback from the {sweep}: {} flops, {}", output::count(flops), milliseconds(time));
    }
    text
}

/// Every number of a value and of its gradients, if they were kept.
fn all_numbers(trace: &Trace, node: &TracedNode) -> String {
    let columns = node.shape.last().copied().unwrap_or(1).max(1);
    let section = |what: String, numbers: &Numbers| {
        let Some(all) = &numbers.all else { return String::new() };
        let lines = all.chunks(columns).map(|row| row.iter().map(f64::to_string).collect::<Vec<_>>().join(" ") + "\n");
        format!("\n{} {}: {what}\n{}", node.index, node.name.as_deref().unwrap_or(node.op), lines.collect::<String>())
    };
    let mut text = section("value".into(), &node.value);
    for (sweep, gradient) in trace.sweeps.iter().zip(&node.gradients) {
        text +=
            &gradient.as_ref().map_or(String::new(), |gradient| section(format!("gradient of the {sweep}"), gradient));
    }
    text
}
