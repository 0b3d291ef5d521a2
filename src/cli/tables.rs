//! The arguments of commands that read further tables for a finished run: what is not said is as in the run.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use mtlcore::mtl::data::{Delimiter, Format, TaskSource};

/// How labelled tables are read, where they are not as those of the run.
#[derive(Args)]
pub struct TableArguments {
    /// The column of texts [default: the run's]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// The label that means true [default: the run's]
    #[arg(long, value_name = "WORD", requires = "negative")]
    positive: Option<String>,
    /// The label that means false [default: the run's]
    #[arg(long, value_name = "WORD", requires = "positive")]
    negative: Option<String>,
    /// What stands between two columns: one ASCII character, or `tab` [default: the run's, or as the header tells]
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<Delimiter>,
    /// Format of the files [default: what their extension says]
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    input_format: Option<Format>,
}

impl TableArguments {
    /// A task of the run, read as was said.
    pub fn apply(&self, task: TaskSource) -> TaskSource {
        TaskSource {
            text: self.text_column.clone().or(task.text),
            positive: self.positive.clone().or(task.positive),
            negative: self.negative.clone().or(task.negative),
            delimiter: self.delimiter.or(task.delimiter),
            input_format: self.input_format.or(task.input_format),
            ..task
        }
    }
}

/// One of the formats of tables.
pub fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["tsv", "csv", "jsonl"]).try_map(|name| name.parse::<Format>())
}
