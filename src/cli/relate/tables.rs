//! The measures, on the terminal and as CSV.

use anyhow::Result;
use mtlcore::mtl::relatedness::{MEASURES, Measure, Measured, PairRelatedness, Relatedness};

use crate::{
    output::{self, Column, count, share},
    page::numbers::decimals,
};

/// Pairs up to which each has a table of its own.
const FEW_PAIRS: usize = 6;
const WIDTH: usize = 100;

/// Everything for people.
pub fn all(found: &Relatedness) -> String {
    let mut text = tasks(found) + "\n";
    if found.pairs.len() <= FEW_PAIRS {
        for pair in &found.pairs {
            text += &format!("{}\n{}\n", heading(pair), of_pair(pair));
        }
    } else {
        text += &of_all(found);
    }
    text += "\n";
    for measure in taken(found) {
        text += &wrapped(&format!("{}: {}", measure.name, measure.meaning));
    }
    text += &wrapped(
        "Floor: the largest size that the value had where labels or texts were permuted; * marks a value beyond it. Reliability: how \
         far two halves of the texts agree, from 0 to 1.",
    );
    text
}

fn taken(found: &Relatedness) -> impl Iterator<Item = &'static Measure> + use<'_> {
    MEASURES.iter().filter(|measure| found.pairs.iter().any(|pair| pair.measures.contains_key(measure.word)))
}

pub fn wrapped(text: &str) -> String {
    textwrap::fill(text, textwrap::Options::new(WIDTH).subsequent_indent("  ")) + "\n"
}

fn tasks(found: &Relatedness) -> String {
    let columns = [Column::Text("task"), Column::Number("texts"), Column::Number("true"), Column::Number("own AUROC")];
    let rows = found
        .tasks
        .iter()
        .map(|task| vec![task.name.clone(), count(task.texts), count(task.positives), decimals(task.own_auroc, 3)]);
    output::table(&columns, rows)
}

fn heading(pair: &PairRelatedness) -> String {
    let shared = match pair.shared_texts {
        0.0 => "no text in common".to_owned(),
        part => format!("{} of {}'s texts in common", share(part), pair.main),
    };
    format!("{} with {} as a partner ({shared})", pair.main, pair.partner)
}

fn of_pair(pair: &PairRelatedness) -> String {
    let numbers = ["value", "floor", "reliability"].map(Column::Number);
    let columns: Vec<Column> =
        [Column::Text("measure"), Column::Text("")].into_iter().chain(numbers).chain([Column::Text("")]).collect();
    let rows = MEASURES.iter().filter_map(|measure| {
        let measured = pair.measures.get(measure.word)?;
        let mark = if measured.is_above_floor() { "*" } else { "" };
        let reason = measured.reason.as_ref().map_or(String::new(), |reason| format!("not defined: {reason}"));
        let [value, floor, reliability] =
            [(measured.value, 3), (measured.floor, 3), (measured.reliability, 2)].map(|(x, places)| shown(x, places));
        Some(vec![measure.name.to_owned(), mark.to_owned(), value, floor, reliability, reason])
    });
    output::table(&columns, rows)
}

/// One row a pair.
fn of_all(found: &Relatedness) -> String {
    let mut columns = vec![Column::Text("main"), Column::Text("partner"), Column::Number("shared")];
    columns.extend(taken(found).map(|measure| Column::Number(measure.name)));
    let cell = |measured: Option<&Measured>| {
        let mark = if measured.is_some_and(Measured::is_above_floor) { "*" } else { " " };
        shown(measured.and_then(|measured| measured.value), 2) + mark
    };
    let rows = found.pairs.iter().map(|pair| {
        let mut row = vec![pair.main.clone(), pair.partner.clone(), share(pair.shared_texts)];
        row.extend(taken(found).map(|measure| cell(pair.measures.get(measure.word))));
        row
    });
    output::table(&columns, rows)
}

fn shown(value: Option<f64>, places: usize) -> String {
    value.map_or("–".into(), |value| decimals(value, places))
}

/// A row for each measure of each pair.
pub fn csv(found: &Relatedness) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["main", "partner", "shared_texts", "measure", "value", "floor", "reliability"])?;
    for pair in &found.pairs {
        for (name, measured) in &pair.measures {
            let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            let (main, partner, shared) = (pair.main.clone(), pair.partner.clone(), pair.shared_texts.to_string());
            let numbers = [measured.value, measured.floor, measured.reliability].map(cell);
            writer.write_record([main, partner, shared, name.clone()].iter().chain(&numbers))?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
