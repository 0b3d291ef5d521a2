//! `mtlcore config`: the effective configuration, explained.

use anyhow::Result;
use clap::{Args, ValueEnum};
use mtlcore::mtl::settings::{FIELDS, Preset, Settings, literal};

use crate::{
    output::{self, Column},
    settings::SettingsArguments,
};

/// Print the effective configuration: every field with its explanation and value
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// A configuration file, a table of the values beside those of the presets, or JSON
    #[arg(long, value_enum, default_value_t = Format::Toml)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore config                            the values that hold where nothing is said
  mtlcore config --format table             where the presets differ
  mtlcore config --shared conv > conv.toml  a file for other commands, to be edited
  mtlcore config conv.toml --epochs 20      what holds if a flag is added to a file";

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Toml,
    Table,
    Json,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let settings = arguments.settings.load()?;
    output::print(&match arguments.format {
        Format::Toml => settings.to_toml(),
        Format::Table => beside_presets(&settings),
        Format::Json => output::json(&settings)?,
    })
}

/// The values of these settings and of both presets, one row a field.
fn beside_presets(settings: &Settings) -> String {
    let tables =
        [settings, &Settings::preset(Preset::Default), &Settings::preset(Preset::Paper)].map(Settings::to_table);
    let columns = [Column::Text("field"), Column::Number("value"), Column::Number("default"), Column::Number("paper")];
    let rows = FIELDS.iter().map(|field| {
        let values = tables.iter().map(|table| table.get(&field.name).map_or("-".into(), literal));
        std::iter::once(field.name.clone()).chain(values).collect()
    });
    output::table(&columns, rows)
}
