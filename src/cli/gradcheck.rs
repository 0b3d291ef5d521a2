//! `mtlcore gradcheck`: proof that every gradient is right, and that the proof would notice if it were not.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use mtlcore::{
    autograd::{
        gradcheck::{Catch, Check, Evidence, Line, Mutation, Report, TOLERANCE, mutations, optimiser},
        ops,
    },
    layers,
    mtl::model,
    printable::{listed, quoted},
};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use crate::output::{self, Column};

/// Hold every gradient against central differences in f64, and every fused operation against its reference
///
/// The numbers are the largest relative errors. A dash stands where there is nothing to compare with.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only the checks whose name contains this [default: all]
    #[arg(conflicts_with = "mutate")]
    name: Option<String>,
    /// Plant known bugs, one at a time, and print which were caught
    #[arg(long)]
    mutate: bool,
    /// A table for people, or JSON
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore gradcheck                every operation, layer, model, initial value, and the optimiser
  mtlcore gradcheck lstm           those whose name has \"lstm\" in it
  mtlcore gradcheck --mutate       do the checks catch known bugs?
  mtlcore gradcheck --format json  every error, for a program";

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match arguments.mutate {
        true => mutate(arguments.format),
        false => check(arguments.name.as_deref(), arguments.format),
    }
}

/// Everything there is to check.
fn sections() -> Vec<(&'static str, Vec<Check>)> {
    vec![
        ("operations", ops::checks()),
        ("layers", layers::checks()),
        ("models", model::checks()),
        ("initial values", layers::initial_value_checks()),
        ("optimiser", optimiser::checks()),
    ]
}

fn check(name: Option<&str>, format: Format) -> Result<()> {
    let mut checks: Vec<(&str, Check)> = sections()
        .into_iter()
        .flat_map(|(section, checks)| checks.into_iter().map(move |check| (section, check)))
        .collect();
    if let Some(name) = name {
        let known: Vec<String> = checks.iter().map(|(_, check)| check.name().to_owned()).collect();
        checks.retain(|(_, check)| check.name().to_lowercase().contains(&name.to_lowercase()));
        ensure!(!checks.is_empty(), "{}", unknown(name, &known));
    }
    let reports = in_parallel(&checks, |(section, check)| (*section, check.run()));
    let failed = reports.iter().filter(|(_, report)| !report.passed()).count();
    output::print(&match format {
        Format::Table => table_of(&reports),
        Format::Json => json_of(&reports)?,
    })?;
    ensure!(failed == 0, "{failed} of {} checks failed", reports.len());
    Ok(())
}

/// What is said where no name contains `name`: those most like it, or else some of all.
fn unknown(name: &str, known: &[String]) -> String {
    let words = |known: &String| known.split([' ', ',', '(', ')']).map(str::to_lowercase).collect::<Vec<_>>();
    let similarity = |known: &String| {
        let of_word = |word: &String| strsim::jaro_winkler(word, &name.to_lowercase());
        words(known).iter().map(of_word).fold(0.0, f64::max)
    };
    let mut likely: Vec<&String> = known.iter().filter(|known| similarity(known) > 0.75).collect();
    likely.sort_by(|a, b| similarity(b).total_cmp(&similarity(a)));
    let name = quoted(name);
    match likely.is_empty() {
        true => format!("no check has {name} in its name; the checks are: {}", listed(known)),
        false => format!("no check has {name} in its name; did you mean one of: {}", listed(&likely)),
    }
}

fn table_of(reports: &[(&str, Report)]) -> String {
    let columns = [
        Column::Text("check"),
        Column::Text("input"),
        Column::Number("elements"),
        Column::Number("vs differences"),
        Column::Number("vs reference"),
        Column::Text(""),
    ];
    let rows = reports.iter().flat_map(|(_, report)| {
        // A check without a line compares nothing: that is a failure too, and has to show.
        let nothing = report
            .lines
            .is_empty()
            .then(|| [&report.name, "nothing to compare", "", "", "", "FAIL"].map(str::to_owned).into());
        let first = |i| if i == 0 { report.name.clone() } else { String::new() };
        nothing.into_iter().chain(report.lines.iter().enumerate().map(move |(i, line)| {
            let [differences, reference] = [line.against_differences, line.against_reference].map(error);
            vec![first(i), line.name.clone(), line.elements.to_string(), differences, reference, verdict(line)]
        }))
    });
    let worst = worst(reports);
    let failed = reports.iter().filter(|(_, report)| !report.passed()).count();
    let lines = || reports.iter().flat_map(|(_, report)| &report.lines);
    let corners: usize = lines().map(|line| line.corners).sum();
    let flat = lines().filter(|line| line.flat).count();
    let verdict = match failed {
        0 => format!("all below {TOLERANCE:.0e}"),
        _ => format!("{failed} FAILED"),
    };
    let mut text = output::table(&columns, rows);
    text += &format!("\n{} checks, worst {worst:.1e}, {verdict}\n", reports.len());
    if corners > 0 {
        text += &format!("{corners} elements stand at a corner, where there is no derivative to compare with\n");
    }
    if flat > 0 {
        text += &format!("{flat} gradients are 0 everywhere: nothing flows to that input in that check\n");
    }
    text
}

fn verdict(line: &Line) -> String {
    let verdict = if line.passed() { "pass" } else { "FAIL" };
    match (line.corners, line.flat) {
        (0, false) => verdict.into(),
        (0, true) => format!("{verdict} (all 0)"),
        (corners, _) => format!("{verdict} ({corners} at a corner)"),
    }
}

fn error(error: Option<f64>) -> String {
    error.map_or("-".into(), |error| format!("{error:.1e}"))
}

fn worst(reports: &[(&str, Report)]) -> f64 {
    reports.iter().map(|(_, report)| report.worst()).fold(0.0, f64::max)
}

/// An error that is not finite becomes `null`.
fn json_of(reports: &[(&str, Report)]) -> Result<String> {
    let checks: Vec<_> = reports
        .iter()
        .map(|(section, report)| {
            json!({
                "section": section,
                "name": report.name,
                "passed": report.passed(),
                "worst": report.worst(),
                "lines": report.lines,
            })
        })
        .collect();
    pretty(&json!({
        "tolerance": TOLERANCE,
        "passed": reports.iter().all(|(_, report)| report.passed()),
        "worst": worst(reports),
        "checks": checks,
    }))
}

fn mutate(format: Format) -> Result<()> {
    let checks: Vec<Check> = sections().into_iter().flat_map(|(_, checks)| checks).collect();
    let outcomes = in_parallel(&mutations(), |mutation| Outcome {
        mutation: mutation.clone(),
        caught: mutation.caught_by(&checks),
    });
    let missed = outcomes.iter().filter(|outcome| outcome.caught.is_none()).count();
    output::print(&match format {
        Format::Table => table_of_mutations(&outcomes, missed),
        Format::Json => pretty(&json!({ "passed": missed == 0, "mutations": outcomes }))?,
    })?;
    ensure!(missed == 0, "{missed} of {} planted bugs were not caught", outcomes.len());
    Ok(())
}

/// A planted bug, and what caught it.
#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    mutation: Mutation,
    caught: Option<Catch>,
}

fn table_of_mutations(outcomes: &[Outcome], missed: usize) -> String {
    let columns = [
        Column::Text("planted bug"),
        Column::Text("caught by"),
        Column::Text("in"),
        Column::Text("against"),
        Column::Number("error"),
    ];
    let rows = outcomes.iter().map(|Outcome { mutation, caught }| {
        let how = match caught {
            None => ["NOT CAUGHT", "", "", ""].map(str::to_owned),
            Some(Catch { check, line, evidence, error }) => {
                let evidence = match evidence {
                    Evidence::Differences => "differences",
                    Evidence::Reference => "reference",
                };
                [check.clone(), line.clone(), evidence.into(), format!("{error:.1e}")]
            }
        };
        std::iter::once(mutation.description.to_owned()).chain(how).collect()
    });
    let verdict = match missed {
        0 => "all caught".into(),
        _ => format!("{missed} NOT CAUGHT"),
    };
    format!("{}\n{} bugs planted, {verdict}\n", output::table(&columns, rows), outcomes.len())
}

/// The results in the order of the items, under a progress bar (none where standard error is not a terminal).
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}").expect("the template is well-formed");
    let bar = ProgressBar::new(items.len() as u64).with_style(style);
    let results = items
        .par_iter()
        .map(|item| {
            let result = work(item);
            bar.inc(1);
            result
        })
        .collect();
    bar.finish_and_clear();
    results
}

fn pretty(value: &serde_json::Value) -> Result<String> {
    output::json(value)
}
