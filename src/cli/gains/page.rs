//! The page of gains: main task × partner as a heat map, for each layer and size.

use std::path::Path;

use anyhow::Result;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::relatedness::{
    clustered,
    gains::{Gain, Gains},
};
use serde::Serialize;

use super::tables;
use crate::page;

/// Writes the page: one file that needs no network.
pub fn write(path: &Path, found: &Gains) -> Result<()> {
    let mut environment = page::environment();
    environment.add_template("gains.html", include_str!("gains.html")).expect("the template is valid");
    environment.add_global("heat_style", Value::from_safe_string(include_str!("../relate/heat.css").into()));
    let maps: Vec<Map> = (1..).zip(found.cells()).map(|(number, cell)| Map::new(found, number, cell)).collect();
    let values = Value::from(Serde(Page { found, maps }));
    page::write(path, &page::render(&mut environment, "gains.html", &[include_str!("../relate/choose.js")], values)?)
}

/// The values of the template.
#[derive(Serialize)]
struct Page<'g> {
    found: &'g Gains,
    maps: Vec<Map<'g>>,
}

/// One layer and size.
#[derive(Serialize)]
struct Map<'g> {
    number: usize,
    shared: &'static str,
    size: &'g str,
    ceiling: String,
    helps: usize,
    hurts: usize,
    all: usize,
    /// The tasks in their order here.
    partners: Vec<&'g str>,
    rows: Vec<Row<'g>>,
}

#[derive(Serialize)]
struct Row<'g> {
    main: &'g str,
    /// Nothing for the task itself and for pairs that were left out.
    cells: Vec<Option<Cell<'g>>>,
}

#[derive(Serialize)]
struct Cell<'g> {
    gain: &'g Gain,
    /// From 0 to 100: how strongly it is coloured, beside the largest of the map.
    strength: u32,
}

impl<'g> Map<'g> {
    fn new(found: &'g Gains, number: usize, cell: (mtlcore::mtl::settings::Shared, &'g str)) -> Self {
        let gains = found.of(cell);
        let gain = |main: &str, partner: &str| {
            gains.iter().find(|gain| (gain.main.as_str(), gain.partner.as_str()) == (main, partner)).copied()
        };
        let names: Vec<&str> = found.tasks.iter().map(String::as_str).collect();
        let likeness = |i: usize, j: usize| {
            let both = [gain(names[i], names[j])?, gain(names[j], names[i])?];
            Some(both.iter().map(|gain| gain.difference).sum())
        };
        let partners: Vec<&str> = clustered(names.len(), likeness).into_iter().map(|place| names[place]).collect();
        let largest = gains.iter().map(|gain| gain.difference.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let cell_of =
            |gain: &'g Gain| Cell { gain, strength: (100.0 * gain.difference.abs() / largest).round() as u32 };
        let row = |&main: &&'g str| Row {
            main,
            cells: partners.iter().map(|partner| gain(main, partner).map(cell_of)).collect(),
        };
        let verdicts = |word: &str| gains.iter().filter(|gain| gain.verdict.word() == word).count();
        let ceiling = found.ceiling(cell, false);
        Self {
            number,
            shared: cell.0.word(),
            size: cell.1,
            ceiling: tables::sentence(ceiling),
            helps: verdicts("helps"),
            hurts: verdicts("hurts"),
            all: gains.len(),
            rows: partners.iter().map(row).collect(),
            partners: partners.clone(),
        }
    }
}
