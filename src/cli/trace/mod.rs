//! `mtlcore trace`: the tape of one text, node by node.

mod dot;
mod svg;
mod table;

use anyhow::Result;
use clap::{Args, ValueEnum};
use mtlcore::mtl::explain::{TraceOptions, trace};

use crate::{
    output,
    subject::{SubjectArguments, alone},
};

/// Show the tape of one text, value by value: its operations, numbers, gradients, cost and time
///
/// The text is recorded as in training, but without dropout. The sweep goes back from the sum of the losses of the tasks that have a
/// label, or, without any label, from the sum of the logits; with --task from that task alone.
#[derive(Args)]
#[command(after_help = EXAMPLES, override_usage = "mtlcore trace [OPTIONS] <RUN> <TEXT>")]
pub struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// Sweep back from this task alone; given twice, both sweeps stand side by side
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    /// Record the LSTM and the convolution as small readable operations, not fused
    #[arg(long)]
    reference: bool,
    /// Show all columns, and all numbers of every value and gradient (table and JSON)
    #[arg(long)]
    full: bool,
    /// A table for people, JSON, or a graph: DOT for Graphviz, SVG for a browser
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore trace run \"my arm is sore\"
  mtlcore trace run \"my arm is sore\" --label flu=0 --label vaccine=1 --task flu --task vaccine
  mtlcore trace run \"my arm is sore\" --reference        the LSTM in its small steps
  mtlcore trace run \"my arm is sore\" --format svg > tape.svg
  mtlcore trace run \"my arm is sore\" --format dot | dot -Tpdf > tape.pdf";

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Dot,
    Svg,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let subject = arguments.subject.read()?;
    let options = TraceOptions { tasks: &arguments.tasks, reference: arguments.reference, full: arguments.full };
    let trace = alone(|| trace(&subject.trained, &subject.text, &arguments.subject.labels, options))??;
    output::print(&match arguments.format {
        Format::Table => table::of(&trace, arguments.full),
        Format::Json => output::json(&trace)?,
        Format::Dot => dot::of(&trace),
        Format::Svg => svg::of(&trace),
    })
}

/// A number in few characters, with about four digits.
fn short(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        1e-3..1e4 => {
            let digits = (3 - x.abs().log10().floor() as i32).clamp(0, 6) as usize;
            format!("{x:.digits$}")
        }
        _ => format!("{x:.2e}"),
    }
}

fn shape(extents: &[usize]) -> String {
    format!("{extents:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_about_four_digits() {
        let numbers = [0.0, 1.0, -0.012345, 123.456, 9999.4, 12345.0, 4.2e-7];
        assert_eq!(numbers.map(short), ["0", "1.000", "-0.01235", "123.5", "9999", "1.23e4", "4.20e-7"]);
    }
}
