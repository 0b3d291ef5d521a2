//! Pairs as points on the phase map: a chart for each of its ratios that is nearest to some pair's.

use mtlcore::mtl::{
    relatedness::{
        phase_map::{Cell, PhaseMap, Regime},
        prediction::OnMap,
    },
    settings::Shared,
};
use serde_json::{Value, json};

use crate::page::{
    charts::{self, Drawing},
    numbers::plain,
};

/// How many standard errors are drawn on either side.
const ERRORS: f64 = 1.96;

/// The charts of the pairs that stand on the map.
pub fn drawings(map: &PhaseMap, pairs: &[OnMap], shared: Shared) -> Vec<Drawing> {
    let ratio = |pair: &OnMap| (pair.rows[1] as f64 / pair.rows[0] as f64).ln();
    let nearest = |pair: &OnMap| {
        let distance = |of: &f64| (of.ln() - ratio(pair)).abs();
        map.grid.ratios.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    };
    let drawing = |&ratio: &f64| {
        let is_here = |pair: &&OnMap| pair.reading.is_some() && nearest(pair) == Some(ratio);
        let points: Vec<Value> = pairs.iter().filter(is_here).filter_map(|pair| point(map, pair)).collect();
        let of_ratio = map.of(shared, Regime::Converged).filter(|cell| cell.ratio == ratio);
        let cells: Vec<Value> = of_ratio.map(square).collect();
        (!points.is_empty()).then(|| Drawing {
            label: format!("Pairs whose partner has about {} times the rows", plain(ratio)),
            chart: charts::chart(include_str!("on_map.vl.json"), json!({ "cells": cells, "pairs": points })),
        })
    };
    map.grid.ratios.iter().filter_map(drawing).collect()
}

fn square(cell: &Cell) -> Value {
    let gain = &cell.gain;
    let likelier = if gain.helps >= gain.hurts { "a gain" } else { "a loss" };
    json!({
        "relatedness": cell.relatedness,
        "rows": cell.size,
        "likelier": likelier,
        "strength": gain.helps.max(gain.hurts),
        "gain": gain.mean,
        "helps": gain.helps,
    })
}

fn point(map: &PhaseMap, pair: &OnMap) -> Option<Value> {
    let (relatedness, error) = (pair.relatedness?, ERRORS * pair.error.unwrap_or(0.0));
    let within = |value: f64| value.clamp(-1.0, 1.0);
    Some(json!({
        "pair": format!("{} with {}", pair.main, pair.partner),
        "relatedness": within(relatedness),
        "low": within(relatedness - error),
        "high": within(relatedness + error),
        "rows": pair.rows[0],
        "gain": pair.reading.as_ref()?.gain,
        "axis": map.axis(),
    }))
}
