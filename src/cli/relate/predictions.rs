//! Expected gains, on the terminal.

use mtlcore::mtl::relatedness::{
    Outlook,
    phase_map::Regime,
    prediction::{OnMap, Prediction},
};

use super::{Expected, tables::wrapped};
use crate::{
    output::{self, Column, count, share},
    page::numbers::{decimals, plain, signed},
};

/// The expected gain of each pair, the partner to take, groups.
pub fn table(expected: &Expected) -> String {
    let columns = [
        Column::Text("main"),
        Column::Text("partner"),
        Column::Number("expected gain"),
        Column::Number("95 %"),
        Column::Number("helps"),
        Column::Text("says"),
    ];
    let row = |prediction: &Prediction| {
        vec![
            prediction.main.clone(),
            prediction.partner.clone(),
            signed(prediction.gain, 1),
            format!("{} to {}", signed(prediction.low, 1), signed(prediction.high, 1)),
            share(prediction.helps),
            says(prediction.says).to_owned(),
        ]
    };
    let mut text = format!("\n{}\n", output::table(&columns, expected.predictions.iter().map(row)));
    for best in &expected.advice.partners {
        let partner = best.partner.as_deref().unwrap_or("none");
        text += &format!("Partner for {}: {partner}\n", best.main);
    }
    if let Some(groups) = &expected.advice.groups {
        let groups: Vec<String> = groups.iter().map(|group| group.join(" + ")).collect();
        text += &format!("Train together: {}\n", groups.join("; "));
    }
    text += &wrapped(&format!(
        "An expectation, not a measurement: the interval is for a single pair, as wide as the model's errors on tasks that were left \
         out. Said is what has a probability of more than a half; no difference: within ±{} point. Fitted on {}",
        plain(expected.map.rope),
        expected.fitted_on
    ));
    text + &on_map(expected)
}

/// What the phase map says of each pair.
fn on_map(expected: &Expected) -> String {
    let map = &expected.map;
    let columns = [
        Column::Text("main"),
        Column::Text("partner"),
        Column::Number("rows"),
        Column::Number("partner's"),
        Column::Number("ρ̂"),
        Column::Number("map's gain"),
        Column::Number("95 %"),
        Column::Number("helps"),
        Column::Text("the map says"),
    ];
    let row = |pair: &OnMap| {
        let mut row = vec![pair.main.clone(), pair.partner.clone(), count(pair.rows[0]), count(pair.rows[1])];
        row.push(pair.relatedness.map_or("–".into(), |value| {
            let error = pair.error.map_or(String::new(), |error| format!(" ± {}", decimals(error, 2)));
            decimals(value, 2) + &error
        }));
        match &pair.reading {
            Some(reading) => row.extend([
                signed(reading.gain, 1),
                format!("{} to {}", signed(reading.low, 1), signed(reading.high, 1)),
                share(reading.helps),
                says(reading.says).to_owned(),
            ]),
            None => {
                row.extend(["–", "–", "–"].map(str::to_owned));
                row.push(format!("cannot tell: {}", pair.reason.as_deref().unwrap_or_default()));
            }
        }
        row
    };
    let ending = map.ending(Regime::Converged);
    format!("\n{}\n", output::table(&columns, expected.on_map.iter().map(row)))
        + &wrapped(&format!(
            "The phase map of simulated pairs (`mtlcore phase-map`, {} worlds a cell, trained to convergence within {} epochs), read at \
             {}, size and ratio of sizes; the interval is for a single pair, and has the error of ρ̂ in it. Real pairs differ in more \
             than relatedness and size.",
            map.grid.replicates,
            ending.epochs,
            map.axis()
        ))
}

fn says(outlook: Outlook) -> &'static str {
    match outlook {
        Outlook::Helps => "helps",
        Outlook::Hurts => "hurts",
        Outlook::NoDifference => "no difference",
        Outlook::CannotTell => "cannot tell",
    }
}
