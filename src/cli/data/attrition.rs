//! How many posts of a file are gone, in words.

use mtlcore::mtl::data::{Attrition, Kept, LabelAttrition};

use crate::output::{self, Column, count};

/// All that is known of what is left, with a table by year.
pub fn text(attrition: &Attrition) -> String {
    let mut text = sentences(attrition).join("\n");
    let columns = [Column::Text("year"), Column::Number("kept"), Column::Number("of"), Column::Number("share")];
    let years = attrition
        .years
        .iter()
        .map(|(year, kept)| vec![year.clone(), count(kept.kept), count(kept.of), output::share(kept.share())]);
    text += &format!("\n\n{}", output::table(&columns, years));
    text
}

/// What is left: of all rows, of each label, and for which reasons the others are gone.
pub fn sentences(attrition: &Attrition) -> Vec<String> {
    let mut sentences = vec![format!("{} rows have their post.", kept(&attrition.rows))];
    sentences.extend(attrition.labels.iter().map(of_label));
    if !attrition.reasons.is_empty() {
        let reasons = attrition.reasons.iter().map(|(reason, rows)| format!("{reason} {}", count(*rows)));
        sentences.push(format!("Missing: {}", reasons.collect::<Vec<_>>().join(", ")));
    }
    sentences
}

fn of_label(label: &LabelAttrition) -> String {
    let values = label.values.iter().map(|(value, counts)| format!("{value} {}", kept(counts)));
    let mut text = format!("{}: {}", label.label, values.collect::<Vec<_>>().join(", "));
    if let (Some(difference), Some([low, high])) = (label.difference, label.interval) {
        text += &format!("; difference {difference:.0} points [{low:.0}, {high:.0}]");
        text += &match label.leans_to() {
            Some(value) => format!(": the sample leans to {value}"),
            None => ": no lean can be told".to_owned(),
        };
    }
    text
}

/// `31 of 51 (61 %)`
pub fn kept(kept: &Kept) -> String {
    format!("{} of {} ({:.0} %)", count(kept.kept), count(kept.of), 100.0 * kept.share())
}
