//! A tape as a drawing: every value a box, in layers from the parameters at the top to the loss at the bottom.

use std::fmt::Write;

use mtlcore::mtl::explain::Trace;

use super::{shape, short};
use crate::page::escape;

/// Sizes in pixels.
const BOX: (f64, f64) = (200.0, 44.0);
const LINE: f64 = 14.0;
const GAP: (f64, f64) = (20.0, 34.0);
const MARGIN: f64 = 20.0;

const STYLE: &str = "\
svg { background: #ffffff; }
text { font: 12px system-ui, sans-serif; fill: #1c1e21; } .quiet { fill: #595f69; }
rect { fill: #f5f6f8; stroke: #595f69; } .given rect { fill: #ffffff; } path { fill: none; stroke: #8a9099; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181b; }
  text { fill: #e8eaed; } .quiet { fill: #a9b0ba; } rect { fill: #1e2125; stroke: #a9b0ba; }
  .given rect { fill: #16181b; } path { stroke: #6b727d; }
}";

pub fn of(trace: &Trace) -> String {
    let places = places(trace);
    let height = BOX.1 + LINE * trace.sweeps.len() as f64;
    let at = |i: usize| {
        let (column, layer) = places.of[i];
        (MARGIN + column * (BOX.0 + GAP.0), MARGIN + layer as f64 * (height + GAP.1))
    };
    let width = 2.0 * MARGIN + places.columns as f64 * (BOX.0 + GAP.0) - GAP.0;
    let total = 2.0 * MARGIN + places.layers as f64 * (height + GAP.1) - GAP.1;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{total}\" viewBox=\"0 0 {width} {total}\" \
         role=\"img\">\n<title>The tape of “{}”</title>\n<style>\n{STYLE}\n</style>\n",
        escape::html(&trace.text)
    );
    for node in &trace.nodes {
        for &input in &node.inputs {
            let ((from, top), (to, bottom)) = (at(input), at(node.index));
            let (from, to, top) = (from + BOX.0 / 2.0, to + BOX.0 / 2.0, top + height);
            let middle = (top + bottom) / 2.0;
            let _ =
                writeln!(svg, "<path d=\"M{from:.0},{top} C{from:.0},{middle} {to:.0},{middle} {to:.0},{bottom}\"/>");
        }
    }
    for node in &trace.nodes {
        let (x, y) = at(node.index);
        let mut lines = vec![
            format!("{} {}", node.index, clipped(node.name.as_deref().unwrap_or(node.op))),
            format!("{} norm {}", shape(&node.shape), short(node.value.norm)),
        ];
        for (sweep, gradient) in trace.sweeps.iter().zip(&node.gradients) {
            lines.push(
                gradient.as_ref().map_or(String::new(), |g| format!("∂ {} {}", clipped_sweep(sweep), short(g.norm))),
            );
        }
        let class = if node.inputs.is_empty() { " class=\"given\"" } else { "" };
        let _ = writeln!(svg, "<g{class} transform=\"translate({x:.0},{y})\">");
        let name = escape::html(node.name.as_deref().unwrap_or(node.op));
        let _ = writeln!(
            svg,
            "<title>{} {name}</title><rect width=\"{}\" height=\"{height}\" rx=\"4\"/>",
            node.index, BOX.0
        );
        for (i, line) in lines.iter().enumerate() {
            let class = if i > 0 { " class=\"quiet\"" } else { "" };
            let _ = writeln!(
                svg,
                "<text x=\"8\" y=\"{}\"{class}>{}</text>",
                18.0 + LINE * i as f64 + 2.0,
                escape::html(line)
            );
        }
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

/// The end of a name that is too long for its box: it tells parameters apart.
fn clipped(name: &str) -> String {
    last_of(name, 24)
}

/// "sum of the losses" is whole.
fn clipped_sweep(sweep: &str) -> String {
    last_of(sweep, 17)
}

fn last_of(text: &str, length: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    match characters.len().checked_sub(length) {
        None | Some(0) => text.into(),
        Some(surplus) => format!("…{}", characters[surplus + 1..].iter().collect::<String>()),
    }
}

struct Places {
    /// Column (in boxes, of any fraction) and layer of each value.
    of: Vec<(f64, usize)>,
    columns: usize,
    layers: usize,
}

/// Each value stands as late as its uses allow; within a layer the values are ordered by where their uses stand, from the bottom up.
fn places(trace: &Trace) -> Places {
    let count = trace.nodes.len();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); count];
    for node in &trace.nodes {
        node.inputs.iter().for_each(|&input| users[input].push(node.index));
    }
    // Steps to the end; users come later on the tape.
    let mut steps = vec![0; count];
    for i in (0..count).rev() {
        steps[i] = users[i].iter().map(|&user| steps[user] + 1).max().unwrap_or(0);
    }
    let layers = steps.iter().max().map_or(0, |most| most + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); layers];
    (0..count).for_each(|i| rows[steps[i]].push(i));
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut of = vec![(0.0, 0); count];
    for (from_end, row) in rows.iter_mut().enumerate() {
        let wish = |i: usize, of: &[(f64, usize)]| {
            users[i].iter().map(|&user| of[user].0).sum::<f64>() / users[i].len().max(1) as f64
        };
        row.sort_by(|&a, &b| wish(a, &of).total_cmp(&wish(b, &of)).then(a.cmp(&b)));
        let first = (columns - row.len()) as f64 / 2.0;
        for (place, &i) in row.iter().enumerate() {
            of[i] = (first + place as f64, layers - 1 - from_end);
        }
    }
    Places { of, columns, layers }
}
