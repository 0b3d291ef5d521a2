//! Expected gains, on the terminal.

use mtlcore::mtl::relatedness::prediction::Prediction;

use super::{Expected, tables::wrapped};
use crate::{
    output::{self, Column, share},
    page::numbers::signed,
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
        let says = match (prediction.abstains, prediction.gain > 0.0) {
            (true, _) => "cannot tell",
            (false, true) => "helps",
            (false, false) => "hurts",
        };
        vec![
            prediction.main.clone(),
            prediction.partner.clone(),
            signed(prediction.gain, 1),
            format!("{} to {}", signed(prediction.low, 1), signed(prediction.high, 1)),
            share(prediction.helps),
            says.to_owned(),
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
    text + &wrapped(&format!(
        "An expectation, not a measurement: the interval is for a single pair, as wide as the model's errors on tasks that were left \
         out. Fitted on {}",
        expected.fitted_on
    ))
}
