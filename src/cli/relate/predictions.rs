//! What may be expected of each pair, on the terminal.

use mtlcore::mtl::relatedness::PairRelatedness;

use super::{Found, tables::wrapped};
use crate::{
    output::{self, Column, share},
    page::numbers::signed,
};

/// Expected gains, the partner to take, groups; nothing if they were not asked for.
pub fn table(found: &Found) -> String {
    let Some(advice) = &found.advice else { return String::new() };
    let columns = [
        Column::Text("main"),
        Column::Text("partner"),
        Column::Number("expected gain"),
        Column::Number("95 %"),
        Column::Number("helps"),
        Column::Text("says"),
    ];
    let row = |pair: &PairRelatedness| {
        let prediction = pair.prediction.as_ref()?;
        let says = match (prediction.abstains, prediction.gain > 0.0) {
            (true, _) => "cannot tell",
            (false, true) => "helps",
            (false, false) => "hurts",
        };
        Some(vec![
            pair.main.clone(),
            pair.partner.clone(),
            signed(prediction.gain, 1),
            format!("{} to {}", signed(prediction.low, 1), signed(prediction.high, 1)),
            share(prediction.helps),
            says.to_owned(),
        ])
    };
    let mut text = format!("\n{}\n", output::table(&columns, found.relatedness.pairs.iter().filter_map(row)));
    for best in &advice.partners {
        let partner = best.partner.as_deref().unwrap_or("none");
        text += &format!("Partner for {}: {partner}\n", best.main);
    }
    if let Some(groups) = &advice.groups {
        let groups: Vec<String> = groups.iter().map(|group| group.join(" + ")).collect();
        text += &format!("Train together: {}\n", groups.join("; "));
    }
    let fitted_on = found.fitted_on.as_deref().unwrap_or_default();
    text + &wrapped(&format!(
        "An expectation, not a measurement: the interval is for a single pair, as wide as the model's errors on tasks that were left \
         out. Fitted on {fitted_on}."
    ))
}
