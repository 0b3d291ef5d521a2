//! `mtlcore phase-map`: where learning together helps, on simulated pairs.

mod arguments;
mod page;
mod tables;

use std::process::ExitCode;

use anyhow::Result;
use arguments::MapArguments;
use clap::Args;
use mtlcore::mtl::relatedness::phase_map::{Grid, PhaseMap, PhaseMapSettings, measure_phase_map};

use crate::{
    output::{self, Format},
    study::{INTERRUPTED, watched},
};

/// Map where learning together helps: the gain over relatedness, size and ratio of sizes, on simulated pairs
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    map: MapArguments,
    /// Cosines of the two tasks' word weights, between commas
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "-1,-0.5,0,0.5,1",
        allow_negative_numbers = true
    )]
    relatedness: Vec<f64>,
    /// Rows of the main task to learn from
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "100,300,1000,3000")]
    sizes: Vec<usize>,
    /// Rows of the partner for each row of the main task
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0.3,1,3")]
    ratios: Vec<f64>,
    /// Worlds: each draws words, texts and initial weights anew
    #[arg(long, value_name = "N", default_value_t = 8)]
    replicates: usize,
    /// Fresh texts in each world to test on
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    test_texts: u32,
    /// Epochs of the second map, whose trainings end after a fixed number
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    fixed_epochs: u32,
    /// Show the map that ships with the program and measure nothing
    #[arg(long)]
    shipped: bool,
    /// Tables for people, or JSON with every number (as in phase-map.json)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore phase-map                                          the map in ten minutes, with a page to look at
  mtlcore phase-map --shipped                                the one that ships with the program, at once
  mtlcore phase-map --shared conv,bilstm --replicates 12     two layers, and narrower intervals
  mtlcore phase-map --sizes 50,200 --ratios 1,10 --relatedness 0,0.9 --out small    a corner of your own
  mtlcore relate --task a=a.tsv --task b=b.tsv --predict     where your pair stands on the map that ships

Texts to test on are fresh in each world; nothing is cross-validated. Two maps are made: at convergence, and at a fixed number of epochs.
The same command goes on where it was stopped and runs only what is missing.";

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let study = arguments.map.load()?;
    let directory = study.base.out.clone();
    let (map, page) = match arguments.shipped {
        true => (PhaseMap::shipped(study.base.heads), directory.with_extension("html")),
        false => {
            let fixed_epochs = arguments.fixed_epochs as usize;
            let settings = PhaseMapSettings { study, grid: arguments.grid()?, fixed_epochs };
            let measured = watched(|interrupted, observe| measure_phase_map(&settings, interrupted, observe))?;
            let Some(map) = measured else { return Ok(ExitCode::from(INTERRUPTED)) };
            (map, directory.join("phase-map.html"))
        }
    };
    page::write(&page, &map)?;
    if arguments.format == Format::Json {
        output::print(&output::json(&map)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print(&tables::all(&map))?;
    output::print(&format!("See {}.\n", page.display()))?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn grid(&self) -> mtlcore::Result<Grid> {
        let Self { relatedness, sizes, ratios, replicates, test_texts, .. } = self;
        let (relatedness, sizes, ratios) = (relatedness.clone(), sizes.clone(), ratios.clone());
        Grid { relatedness, sizes, ratios, replicates: *replicates, test_texts: *test_texts as usize }.checked()
    }
}
