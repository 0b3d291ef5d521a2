//! Two gradients as arrows in their plane, and where each method goes: a small picture for each.

use std::fmt::Write;

use mtlcore::mtl::balancing::Combined;

use super::{Gradients, number};
use crate::page::escape;

/// A panel's size, and the length of the longest gradient in it, in pixels.
const PANEL: [f64; 2] = [220.0, 180.0];
const LONGEST: f64 = 90.0;
const COLUMNS: usize = 5;
/// Above the panels.
const HEADER: f64 = 76.0;

const STYLE: &str = "\
svg { background: #ffffff; color: #1c1e21; font: 14px system-ui, sans-serif; max-width: 100%; height: auto; }
text { fill: currentColor; text-anchor: middle; }
.left { text-anchor: start; } .small { font-size: 12px; } .name { font-weight: 600; }
.cone { fill: #e3e8ef; } .first { stroke: #14569c; fill: #14569c; } .second { stroke: #a8320f; fill: #a8320f; }
.combined { stroke: currentColor; fill: currentColor; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181b; color: #e8eaed; } .cone { fill: #2b3340; }
  .first { stroke: #8ab8f5; fill: #8ab8f5; } .second { stroke: #f59a7c; fill: #f59a7c; }
}
";

/// The picture of two gradients.
pub fn draw(gradients: &Gradients, methods: &[Combined]) -> String {
    let gram = &gradients.gram;
    let angle = gram.cosine(0, 1).acos();
    // Upwards lies what serves both: the first gradient is to the left of it, the second as far to the right.
    let upwards = std::f64::consts::FRAC_PI_2;
    let unit = |turn: f64| [(upwards + turn).cos(), -(upwards + turn).sin()];
    let longest = gram.norm(0).max(gram.norm(1));
    let pixels = if longest > 0.0 { LONGEST / longest } else { 0.0 };
    let [first, second] = [(0, unit(angle / 2.0)), (1, unit(-angle / 2.0))]
        .map(|(task, direction)| direction.map(|x| x * gram.norm(task) * pixels));

    let rows = methods.len().div_ceil(COLUMNS);
    let (width, height) = (PANEL[0] * COLUMNS as f64, HEADER + PANEL[1] * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"Two gradients and where each balancing method goes\">\n<style>\n{STYLE}</style>\n"
    );
    let mut line = |text: String| svg.write_fmt(format_args!("{text}\n")).expect("a string takes all");
    line(format!("<text x=\"16\" y=\"24\" class=\"left name\">{}</text>", escape::html(&gradients.origin)));
    for (class, task, x) in [("first", 0, 16.0), ("second", 1, 366.0)] {
        let (name, length) = (escape::html(&gradients.tasks[task]), number(gram.norm(task)));
        line(format!("<circle class=\"{class}\" cx=\"{}\" cy=\"43\" r=\"6\"/>", x + 6.0));
        line(format!("<text x=\"{}\" y=\"48\" class=\"left\">{name}, length {length}</text>", x + 20.0));
    }
    line(format!(
        "<text x=\"16\" y=\"68\" class=\"left small\">Cosine {}. Shaded: directions that harm neither. Combined gradients longer \
         than the longest are cut (broken line).</text>",
        number(gram.cosine(0, 1))
    ));
    for (place, method) in methods.iter().enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let (x, y) = (PANEL[0] * (column as f64 + 0.5), HEADER + PANEL[1] * row as f64 + 116.0);
        line(format!("<g transform=\"translate({x} {y})\">"));
        // The directions within a right angle of both gradients.
        let [from, to] = [1.0, -1.0].map(|side| unit(side * (upwards - angle / 2.0)).map(|x| x * LONGEST));
        if angle < std::f64::consts::PI {
            line(format!(
                "<path class=\"cone\" d=\"M0 0L{:.2} {:.2}A{LONGEST} {LONGEST} 0 0 1 {:.2} {:.2}Z\"/>",
                from[0], from[1], to[0], to[1]
            ));
        }
        line(arrow("first", first, 2.0, false));
        line(arrow("second", second, 2.0, false));
        let combined: [f64; 2] =
            std::array::from_fn(|axis| method.weights[0] * first[axis] + method.weights[1] * second[axis]);
        let length = combined[0].hypot(combined[1]);
        let is_cut = length > LONGEST * 1.001;
        let shown = if is_cut { combined.map(|x| x * LONGEST / length) } else { combined };
        line(arrow("combined", shown, 3.5, is_cut));
        line(format!("<text y=\"-98\" class=\"name\">{}</text>", method.balance.word()));
        let weights: Vec<String> = method.weights.iter().map(|&weight| number(weight)).collect();
        line(format!("<text y=\"20\" class=\"small\">weights {}</text>", weights.join(", ")));
        let conflict = if method.leaves_conflict() { ", harms a task" } else { "" };
        line(format!("<text y=\"36\" class=\"small\">length {}{conflict}</text>", number(method.norm)));
        line("</g>".into());
    }
    svg + "</svg>\n"
}

/// An arrow from the middle of a panel; a dot where it has no length.
fn arrow(class: &str, [x, y]: [f64; 2], width: f64, is_cut: bool) -> String {
    let length = x.hypot(y);
    if length < 1.0 {
        return format!("<circle class=\"{class}\" r=\"{width}\"/>");
    }
    let (along, head) = ([x / length, y / length], (3.0 * width).min(length));
    let neck = [x - along[0] * head, y - along[1] * head];
    let side = [-along[1] * head / 2.0, along[0] * head / 2.0];
    let broken = if is_cut { " stroke-dasharray=\"7 4\"" } else { "" };
    format!(
        "<line class=\"{class}\" x2=\"{:.2}\" y2=\"{:.2}\" stroke-width=\"{width}\"{broken}/>\
         <path class=\"{class}\" stroke=\"none\" d=\"M{x:.2} {y:.2}L{:.2} {:.2}L{:.2} {:.2}Z\"/>",
        neck[0],
        neck[1],
        neck[0] + side[0],
        neck[1] + side[1],
        neck[0] - side[0],
        neck[1] - side[1],
    )
}
