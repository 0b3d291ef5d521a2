//! The map on the terminal: for each layer, way to end a training and ratio a table of size × relatedness.

use mtlcore::mtl::{
    relatedness::phase_map::{Cell, Ending, PhaseMap, Regime},
    settings::HeadStart,
};

use crate::{
    output::{self, Column, count},
    page::{
        numbers::{decimals, plain, rounded_percent, signed},
        words::{self, said},
    },
};

const WIDTH: usize = 100;

/// Everything for people.
pub fn all(map: &PhaseMap) -> String {
    let mut text = String::new();
    for &shared in &map.shared {
        for ending in &map.endings {
            let cells: Vec<&Cell> = map.of(shared, ending.regime).collect();
            text += &wrapped(&format!("{}, {}.", said(words::LAYERS, shared.word()), described(ending)));
            for &ratio in &map.grid.ratios {
                let of_ratio: Vec<&Cell> = cells.iter().copied().filter(|cell| cell.ratio == ratio).collect();
                text += &format!("\n{}\n", table(map, ratio, &of_ratio));
            }
            text.push('\n');
        }
    }
    let grid = &map.grid;
    text += &wrapped(two_arms(map));
    text + &wrapped(&format!(
        "Δ: {} together less alone in points, the mean of {} simulated worlds, each tested on {} fresh texts; * where its whole 95 % \
         interval lies beyond ±{}, which counts as no difference. Below it: how probably another such pair gains more than that. One \
         head: the pooled control.",
        map.measure.name(),
        grid.replicates,
        count(grid.test_texts),
        plain(map.rope)
    ))
}

/// How the trainings of a map ended.
pub fn described(ending: &Ending) -> String {
    let Ending { epochs, patience, .. } = ending;
    match ending.regime {
        Regime::Converged => {
            format!(
                "at convergence (stopped after {patience} epochs without a smaller loss on inner rows, at most {epochs})"
            )
        }
        Regime::Fixed => format!("at a fixed budget of {epochs} epochs, which favours whoever takes more steps"),
    }
}

/// A ratio of sizes, in words.
pub fn partner(ratio: f64) -> String {
    match ratio {
        1.0 => "A partner of as many rows".into(),
        ratio => format!("A partner of {} times the rows", plain(ratio)),
    }
}

/// What the start of the heads makes of the sign of a relation.
pub fn two_arms(map: &PhaseMap) -> &'static str {
    match map.heads {
        HeadStart::Own => {
            "Each head starts from values of its own. With a head a task the sign of ρ does not matter, so that the gain is a U; with one \
             head for both tasks (the pooled control) it is a slope."
        }
        HeadStart::Alike => {
            "All heads start from the same values, so that tasks that disagree (ρ < 0) start in conflict: with a head a task the gain is a \
             U with a lower left end, which rises as training goes on. With one head for both tasks (the pooled control) it is a slope."
        }
    }
}

fn table(map: &PhaseMap, ratio: f64, cells: &[&Cell]) -> String {
    let headings: Vec<String> = map.grid.relatedness.iter().map(|value| format!("ρ = {}", plain(*value))).collect();
    let first = partner(ratio);
    let mut columns = vec![Column::Text(&first), Column::Number("alone")];
    columns.extend(headings.iter().map(|heading| Column::Number(heading)));
    let mut rows = Vec::new();
    for &size in &map.grid.sizes {
        let of_size = || {
            map.grid
                .relatedness
                .iter()
                .filter_map(move |&value| cells.iter().find(|cell| (cell.size, cell.relatedness) == (size, value)))
        };
        let alone = of_size().next().map_or(String::new(), |cell| decimals(100.0 * cell.alone, 1));
        let mut line = |heading: String, alone: String, of: &dyn Fn(&Cell) -> String| {
            rows.push([heading, alone].into_iter().chain(of_size().map(|cell| of(cell))).collect::<Vec<String>>());
        };
        line(format!("{} rows: Δ", count(size)), alone, &|cell| {
            let is_beyond = ["helps", "hurts"].contains(&cell.verdict.word());
            signed(cell.gain.mean, 1) + if is_beyond { "*" } else { " " }
        });
        line("  another gains".into(), String::new(), &|cell| rounded_percent(cell.gain.helps) + " ");
        line("  one head: Δ".into(), String::new(), &|cell| signed(cell.pooled.mean, 1) + " ");
    }
    output::table(&columns, rows)
}

fn wrapped(text: &str) -> String {
    textwrap::fill(text, WIDTH) + "\n"
}
