//! What all sub-commands do with their results: tables for people, and standard output as it is.

use std::{
    fmt::Display,
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};
use mtlcore::printable::printable;
use serde::Serialize;

/// Writes to standard output, which may be full or closed. Nothing in the text has power over the terminal.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(printable(text).as_bytes()).and_then(|()| output.flush()).context("standard output")
}

/// What most sub-commands print.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

/// How much is said on standard error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors, and how to go on with what was stopped.
    Quiet,
    /// Notes and progress too.
    Usual,
    /// Details too.
    Verbose,
}

static VERBOSITY: OnceLock<Verbosity> = OnceLock::new();

/// Whether another process says everything.
static IS_SILENT: AtomicBool = AtomicBool::new(false);

/// Says no more than with `--quiet` from now on, for another process says the rest.
pub fn leave_the_word() {
    IS_SILENT.store(true, Ordering::Relaxed);
}

/// Sets [`verbosity`], once, before anything is said.
pub fn set_verbosity(verbosity: Verbosity) {
    VERBOSITY.get_or_init(|| verbosity);
}

/// How much the user wants to be told.
pub fn verbosity() -> Verbosity {
    match IS_SILENT.load(Ordering::Relaxed) {
        true => Verbosity::Quiet,
        false => VERBOSITY.get().copied().unwrap_or(Verbosity::Usual),
    }
}

/// Says something on standard error, whether anybody listens or not; nothing with `--quiet`.
pub fn say(text: impl Display) {
    if verbosity() != Verbosity::Quiet {
        insist(text);
    }
}

/// Says what only `--verbose` asks for.
pub fn detail(text: impl Display) {
    if verbosity() == Verbosity::Verbose {
        insist(text);
    }
}

/// Says what a user must know even with `--quiet`.
pub fn insist(text: impl Display) {
    let _ = writeln!(io::stderr(), "{}", printable(&text.to_string()));
}

/// A value as JSON for people and programs: what [`print`] would replace is escaped, and so means the same.
pub fn json(value: &impl Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_string_pretty(value)? + "\n";
    if printable(&text) == text {
        return Ok(text);
    }
    let escape = |c: char| match printable(c.encode_utf8(&mut [0; 4])) {
        shown if shown.starts_with(c) => c.to_string(),
        _ => format!("\\u{:04x}", u32::from(c)), // all of them are below 0x10000
    };
    Ok(text.chars().map(escape).collect())
}

/// A column's heading, and whether it holds numbers (then it is aligned to the right).
#[derive(Clone, Copy)]
pub enum Column<'a> {
    Text(&'a str),
    Number(&'a str),
}

/// A plain table with a line for each row, of any width.
pub fn table(columns: &[Column<'_>], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(Column::Text(heading) | Column::Number(heading))| *heading));
    table.add_rows(rows);
    for (column, kind) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        if let Column::Number(_) = kind {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// A number of things, its thousands apart: `1,193,514`.
pub fn count(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1, 2 or 4`.
pub fn alternatives(words: &[String]) -> String {
    match words {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => words.concat(),
    }
}

/// A share of 1 in percent: `97.3 %`.
pub fn share(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A number with as many digits as it means to a reader, three significant ones: `0.436`, `0.00123`, `12.3`.
pub fn digits(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let places = (2 - number.abs().log10().floor() as i32).clamp(0, 12) as usize;
    format!("{number:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_shown() {
        let numbers = [0.5, 0.43645486636335695, 0.00123456, 12.345, 1234.5, 0.0, -0.25];
        let expected = ["0.500", "0.436", "0.00123", "12.3", "1234", "0", "-0.250"];
        assert_eq!(numbers.map(digits), expected);
    }

    #[test]
    fn json_means_the_same_and_has_no_power_over_a_terminal() {
        let text = "a\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\n\té😷";
        let json = json(&[text]).unwrap();
        assert_eq!(printable(&json), json);
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [text]);
    }
}
