//! `mtlcore audit`: can the figures of a published table be true?

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use mtlcore::mtl::evaluation::audit::{self, Audit, Finding};

use crate::output::{self, Column, Format, count};

/// Check a published table: can its accuracies and F-scores be true, given its counts of rows and positives?
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// CSV with the columns task, layer, arm, accuracy, f (percent, as printed), rows, positives [default: the table of
    /// Joshi et al. 2019]
    #[arg(value_name = "TABLE.csv")]
    table: Option<PathBuf>,
    /// Tables to read, or JSON
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore audit                            the 72 figures of Joshi et al. 2019
  mtlcore audit table.csv                  a table of your own, or of a paper that you review
  mtlcore audit table.csv --format json    every bound of every cell, for a program";

/// The only table that comes with the program.
const PAPER: &str = include_str!("../../tests/data/joshi2019_tables.csv");

pub fn run(arguments: &Arguments) -> Result<()> {
    let cells = match &arguments.table {
        Some(path) => audit::read(path)?,
        None => audit::read_from(PAPER.as_bytes(), Path::new("joshi2019_tables.csv"))?,
    };
    let audit = audit::audit(&cells);
    output::print(&match arguments.format {
        Format::Json => output::json(&audit)?,
        Format::Table => describe(&audit, arguments.table.as_deref()),
    })
}

fn describe(audit: &Audit, table: Option<&Path>) -> String {
    let name = match table {
        Some(path) => path.display().to_string(),
        None => "No table is named, so this is that of Joshi et al. 2019".to_owned(),
    };
    format!(
        "{name}: {} cells, F as the F1 of the true class.\n\n{}\n{}\n{}\n\n{}",
        audit.findings.len(),
        impossible(audit),
        duplicates(audit),
        macro_average(audit),
        all_cells(audit)
    )
}

fn impossible(audit: &Audit) -> String {
    let cells: Vec<&Finding> = audit.impossible().collect();
    if cells.is_empty() {
        return "Impossible cells: none. Every F can come from its accuracy, rows and positives.\n".into();
    }
    let columns = [
        Column::Text("task"),
        Column::Text("layer"),
        Column::Text("arm"),
        Column::Number("accuracy"),
        Column::Number("F"),
        Column::Number("possible F"),
        Column::Number("off by"),
        Column::Text("and as a mean over folds?"),
    ];
    let rows = cells.iter().map(|finding| {
        let folds = match finding.possible_over_folds {
            true => format!("only if folds differ wildly (up to {:.2})", finding.largest_f_over_folds),
            false => "impossible too".to_owned(),
        };
        let mut row = place(finding);
        row.extend([
            finding.cell.accuracy.to_string(),
            finding.cell.f.to_string(),
            format!("{:.2} to {:.2}", finding.smallest_f, finding.largest_f),
            format!("{:+.2}", finding.off_by),
            folds,
        ]);
        row
    });
    let explained = cells.iter().filter(|finding| finding.possible_over_folds).count();
    let over_folds = match explained {
        0 => "No mean over folds can explain them either.\n".to_owned(),
        _ => format!(
            "\"Folds differ wildly\": F is not linear in the errors, so the mean of folds whose numbers of errors are as\n\
             unequal as can be may lie beyond what one set of counts allows. {explained} of the {} could be such a mean.\n",
            cells.len()
        ),
    };
    format!(
        "Impossible cells: {}. On one set of counts with this accuracy, no split of the errors gives this F.\n{}{over_folds}",
        cells.len(),
        output::table(&columns, rows)
    )
}

fn duplicates(audit: &Audit) -> String {
    if audit.duplicates.is_empty() {
        return "Duplicates: none. No pair of accuracy and F stands in two cells.\n".into();
    }
    let mut text =
        "Duplicates: one pair of accuracy and F in several cells is a coincidence, or a slip of copying.\n".to_owned();
    for duplicate in &audit.duplicates {
        let places = duplicate.cells.iter().map(|&cell| place(&audit.findings[cell]).join(" "));
        text += &format!("{} / {}: {}\n", duplicate.accuracy, duplicate.f, places.collect::<Vec<_>>().join("; "));
    }
    text
}

fn macro_average(audit: &Audit) -> String {
    let impossible = audit.findings.iter().filter(|finding| !finding.possible_as_macro).count();
    format!(
        "Were F the macro average (the mean of both classes' F1): impossible in {impossible} of {} cells.",
        audit.findings.len()
    )
}

fn all_cells(audit: &Audit) -> String {
    let columns = [
        Column::Text("task"),
        Column::Text("layer"),
        Column::Text("arm"),
        Column::Number("rows"),
        Column::Number("true"),
        Column::Number("accuracy"),
        Column::Number("F"),
        Column::Number("smallest F"),
        Column::Number("largest F"),
        Column::Number("predicted true"),
        Column::Text("as macro F"),
    ];
    let rows = audit.findings.iter().map(|finding| {
        let cell = &finding.cell;
        let mut row = place(finding);
        row.extend([
            count(cell.rows),
            count(cell.positives),
            cell.accuracy.to_string(),
            cell.f.to_string(),
            format!("{:.2}", finding.smallest_f),
            format!("{:.2}", finding.largest_f),
            match finding.share_predicted_true {
                Some(share) => output::share(share),
                None if finding.possible => "unknown".into(),
                None => "impossible".into(),
            },
            if finding.possible_as_macro { "possible" } else { "impossible" }.into(),
        ]);
        row
    });
    format!(
        "All cells, with the F1 that the accuracy allows and the share of rows predicted true\n{}",
        output::table(&columns, rows)
    )
}

fn place(finding: &Finding) -> Vec<String> {
    [&finding.cell.task, &finding.cell.layer, &finding.cell.arm].map(String::clone).to_vec()
}
