//! The phase map from outside: its worlds, what it says between its cells, and what must hold of the maps that ship.

use std::collections::HashSet;

use approx::assert_abs_diff_eq;
use mtlcore::mtl::{
    data::{Record, Simulation},
    evaluation::interval::{Measure, Verdict},
    relatedness::{
        Outlook,
        phase_map::{Cell, Distribution, Ending, Grid, PhaseMap, Place, Regime, World},
    },
    settings::{HeadStart, Preset, Shared},
    study::{PairData, StudySettings},
};

fn grid() -> Grid {
    Grid { relatedness: vec![-1.0, 1.0], sizes: vec![40, 100], ratios: vec![0.5, 2.0], replicates: 2, test_texts: 300 }
}

fn study() -> StudySettings {
    StudySettings { folds: 2, inner: 0.2, ..StudySettings::preset(Preset::Default) }
}

fn texts<'p>(pair: &'p PairData, rows: &'p [usize]) -> impl Iterator<Item = &'p Record> {
    rows.iter().map(|&row| &pair.corpus.records[row])
}

/// Faults: tested rows among those to learn from; a text drawn twice on either side.
#[test]
fn texts_that_are_tested_are_fresh() {
    let (grid, study) = (grid(), study());
    let world = World::new(&grid, 1, 0, 1.0).unwrap();
    for &size in &grid.sizes {
        let alone = world.alone(&study, size).unwrap();
        for (pair, partner) in [(&alone, 0), (&world.together(&study, size, 2.0).unwrap(), 2 * size)] {
            let rows = pair.rows(0, 0).unwrap();
            assert_eq!(rows.train.len() + rows.inner.len(), size + partner);
            assert_eq!(rows.test.len(), grid.test_texts);
            let groups =
                |rows: &[usize]| -> HashSet<u64> { rows.iter().map(|&row| pair.dataset.examples[row].group).collect() };
            let learnt: HashSet<u64> = groups(&rows.train).union(&groups(&rows.inner)).copied().collect();
            assert!(groups(&rows.test).is_disjoint(&learnt));
            assert!(texts(pair, &rows.test).all(|record| record.labels[0].is_some()), "of the main task");
        }
    }
}

/// Both arms choose on the same inner rows and are tested on the same texts, at any relatedness.
#[test]
fn the_main_task_is_the_same_beside_any_partner() {
    let (grid, study) = (grid(), study());
    let of_main = |pair: &PairData, rows: &[usize]| -> Vec<(String, Option<bool>)> {
        let records = texts(pair, rows).filter(|record| record.labels[0].is_some());
        records.map(|record| (record.text.clone(), record.labels[0])).collect()
    };
    let sides = |pair: &PairData| {
        let rows = pair.rows(0, 0).unwrap();
        [&rows.train, &rows.inner, &rows.test].map(|rows| of_main(pair, rows))
    };
    let worlds = [-1.0, 1.0].map(|relatedness| World::new(&grid, 1, 3, relatedness).unwrap());
    let expected = sides(&worlds[0].alone(&study, 40).unwrap());
    for world in &worlds {
        for &ratio in &grid.ratios {
            assert_eq!(sides(&world.together(&study, 40, ratio).unwrap()), expected);
        }
    }
    assert_ne!(sides(&World::new(&grid, 1, 4, 1.0).unwrap().alone(&study, 40).unwrap()), expected, "another world");
}

/// Why the gain over ρ is a U where each task has a head of its own: the two ends are one task with its labels turned round.
#[test]
fn opposite_relations_are_mirror_images() {
    let (grid, study) = (grid(), study());
    let partners = |relatedness| -> Vec<(String, bool)> {
        let pair = World::new(&grid, 1, 0, relatedness).unwrap().together(&study, 100, 2.0).unwrap();
        let labelled = pair.corpus.records.iter().filter_map(|record| Some((record.text.clone(), record.labels[1]?)));
        labelled.collect()
    };
    let turned: Vec<(String, bool)> = partners(1.0).into_iter().map(|(text, label)| (text, !label)).collect();
    assert_eq!(partners(-1.0), turned);
    assert_eq!(turned.len(), 200);
}

/// A map of one layer whose gain in world `w` is `gain(ρ, size, ratio) ± 1`.
fn map(heads: HeadStart, gain: fn(f64, usize, f64) -> f64) -> PhaseMap {
    let grid = Grid {
        relatedness: vec![-1.0, 0.0, 1.0],
        sizes: vec![100, 400],
        ratios: vec![1.0, 4.0],
        replicates: 2,
        test_texts: 300,
    };
    let mut cells = Vec::new();
    for &relatedness in &grid.relatedness {
        for &size in &grid.sizes {
            for &ratio in &grid.ratios {
                let middle = gain(relatedness, size, ratio);
                let gains = vec![middle - 1.0, middle + 1.0];
                let spread = Distribution::new(&[vec![gains[0]], vec![gains[1]]], 1.0);
                cells.push(Cell {
                    shared: Shared::Conv,
                    regime: Regime::Converged,
                    relatedness,
                    size,
                    ratio,
                    gain: spread,
                    verdict: Verdict::Undecided,
                    pooled: spread,
                    alone: 0.7,
                    cut_short: 0,
                    pooled_gains: gains.clone(),
                    auroc_gains: gains.clone(),
                    gains,
                });
            }
        }
    }
    PhaseMap {
        version: String::new(),
        measure: Measure::F1Tuned,
        rope: 1.0,
        shared: vec![Shared::Conv],
        heads,
        grid,
        endings: [Regime::Converged, Regime::Fixed].map(|regime| Ending { regime, epochs: 1, patience: 0 }),
        simulation: Simulation::default(),
        settings: toml::Table::new(),
        cells,
    }
}

fn place(relatedness: f64, rows: [usize; 2]) -> Place {
    Place { shared: Shared::Conv, relatedness, error: 0.0, rows }
}

#[test]
fn a_cell_is_read_as_it_was_measured() {
    let gain = |relatedness: f64, size: usize, ratio: f64| 5.0 * relatedness + size as f64 / 100.0 + ratio;
    let map = map(HeadStart::Alike, gain);
    for cell in &map.cells {
        let rows = [cell.size, (cell.size as f64 * cell.ratio) as usize];
        let reading = map.read_at(&place(cell.relatedness, rows), Regime::Converged).unwrap();
        assert_abs_diff_eq!(reading.gain, cell.gain.mean, epsilon = 1e-9);
        assert_abs_diff_eq!(reading.helps, cell.gain.helps, epsilon = 1e-9);
        assert_eq!(reading.says, Outlook::new(reading.helps, reading.hurts));
        assert!(reading.helps + reading.hurts <= 1.0);
        // Of another pair: two gains of standard deviation √2 about their mean, t with one degree of freedom.
        assert_abs_diff_eq!(reading.high - reading.gain, 12.706_204_7 * (2.0_f64 + 1.0).sqrt(), epsilon = 1e-5);
    }
}

#[test]
fn between_cells_the_map_is_linear_in_the_logarithms() {
    let map = map(HeadStart::Alike, |relatedness, size, ratio| relatedness + (size as f64).log2() + ratio.log2());
    let reading = map.read_at(&place(0.5, [200, 400]), Regime::Converged).unwrap();
    assert_abs_diff_eq!(reading.gain, 0.5 + 200_f64.log2() + 1.0, epsilon = 1e-9);
}

/// With heads of their own the ends are one; where heads start alike they are two.
#[test]
fn the_sign_counts_only_where_heads_start_alike() {
    let slope = |relatedness: f64, _: usize, _: f64| 4.0 * relatedness;
    let read = |heads| {
        [-1.0, 1.0].map(|end| map(heads, slope).read_at(&place(end, [100, 100]), Regime::Converged).unwrap().gain)
    };
    assert_eq!(read(HeadStart::Alike), [-4.0, 4.0]);
    assert_eq!(read(HeadStart::Own), [0.0, 0.0], "the mean of both ends");
}

#[test]
fn an_uncertain_relatedness_widens_the_interval() {
    let map = map(HeadStart::Alike, |relatedness, _, _| 10.0 * relatedness);
    let known = map.read_at(&place(0.0, [100, 100]), Regime::Converged).unwrap();
    let unsure = map.read_at(&Place { error: 0.3, ..place(0.0, [100, 100]) }, Regime::Converged).unwrap();
    assert_abs_diff_eq!(unsure.gain, known.gain, epsilon = 1e-9);
    assert!(unsure.high - unsure.low > 1.1 * (known.high - known.low), "{known:?}, {unsure:?}");
}

#[test]
fn beyond_the_map_nothing_is_said() {
    let map = map(HeadStart::Own, |_, _, _| 3.0);
    for (place, reason) in [
        (place(0.5, [99, 99]), "the map reaches from 100 to 400 rows of the main task"),
        (place(0.5, [100, 50]), "the map reaches from 1 to 4 rows of the partner for each of the main task"),
        (Place { shared: Shared::Bilstm, ..place(0.5, [100, 100]) }, "the map was measured with conv only"),
    ] {
        assert_eq!(map.read_at(&place, Regime::Converged).unwrap_err(), reason);
    }
    // An estimate may exceed 1, and then stands for 1.
    assert!(map.read_at(&place(-1.2, [100, 100]), Regime::Converged).is_ok());
}

#[test]
fn the_maps_that_ship_are_whole() {
    for heads in [HeadStart::Alike, HeadStart::Own] {
        let map = PhaseMap::shipped(heads);
        let grid = &map.grid;
        let places = grid.relatedness.len() * grid.sizes.len() * grid.ratios.len();
        assert_eq!(map.cells.len(), 2 * places * map.shared.len());
        assert!(map.shared.contains(&Shared::Conv));
        for cell in &map.cells {
            assert_eq!([&cell.gains, &cell.pooled_gains, &cell.auroc_gains].map(Vec::len), [grid.replicates; 3]);
            let worlds: Vec<Vec<f64>> = cell.gains.iter().map(|&gain| vec![gain]).collect();
            // The file has six digits.
            assert_abs_diff_eq!(cell.gain.mean, Distribution::new(&worlds, map.rope).mean, epsilon = 6e-5);
        }
    }
}

/// What must hold whatever the simulation: with a head a task the sign of ρ does not matter if heads start from values of their own, so
/// both ends of the map gain alike; with one head, opposite tasks do harm. At convergence, from 1,000 rows on.
#[test]
fn the_map_with_own_heads_is_a_u_and_its_control_a_slope() {
    let map = PhaseMap::shipped(HeadStart::Own);
    let at = |relatedness: f64| {
        map.of(Shared::Conv, Regime::Converged).filter(move |cell| cell.relatedness == relatedness && cell.size >= 1000)
    };
    let (mut wins, mut cells) = (0, 0);
    for (opposite, alike) in at(-1.0).zip(at(1.0)) {
        let differences: Vec<Vec<f64>> = opposite.gains.iter().zip(&alike.gains).map(|(a, b)| vec![a - b]).collect();
        let both = Distribution::new(&differences, 1.0);
        // Of many cells some lie beyond two standard errors.
        assert!(both.mean.abs() < 4.0 * both.standard_error + 1.0, "{both:?}");
        assert!(opposite.pooled.high < alike.pooled.low, "one head: {:?}, {:?}", opposite.pooled, alike.pooled);
        let unrelated = at(0.0).nth(cells).unwrap();
        wins +=
            usize::from(opposite.gain.mean > unrelated.gain.mean) + usize::from(alike.gain.mean > unrelated.gain.mean);
        cells += 1;
    }
    assert!(cells > 0 && wins as f64 >= 1.5 * cells as f64, "{wins} of {} ends gain more than the middle", 2 * cells);
}
