//! How many posts of a file are gone, by label and by year: what is left of a data set may lean to one label.
//!
//! Posts are fetched by their ids; beside the file of those that were found stands the file of the missing.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Cells, Dialect, Format, RowReader};
use crate::{Error, Result};

/// How many of some rows are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Rows whose post was found.
    pub kept: usize,
    /// All rows.
    pub of: usize,
}

/// What is left of the rows of a file of ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attrition {
    /// Of all rows.
    pub rows: Kept,
    /// By label column with few values.
    pub labels: Vec<LabelAttrition>,
    /// By the year in which the posts were written; older ids do not tell it.
    pub years: IndexMap<String, Kept>,
    /// Missing rows by their reason, the most frequent first.
    pub reasons: IndexMap<String, usize>,
}

/// What is left by the values of one label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelAttrition {
    /// The column.
    pub label: String,
    /// By value, in order; rows without a value do not count.
    pub values: IndexMap<String, Kept>,
    /// With two values: the share kept of the first less that of the second, in points.
    pub difference: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
}

/// The file of missing posts that belongs to a file of found ones.
pub fn missing_of(found: &Path) -> PathBuf {
    let mut name = found.as_os_str().to_owned();
    name.push(".missing.tsv");
    name.into()
}

/// A column of more values is no label of a class.
const MOST_VALUES: usize = 10;

impl Attrition {
    /// Counts the rows of a file that `mtlcore data hydrate` wrote, and of the one beside it; `None` if there is none beside it.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn read(out: &Path) -> Result<Option<Self>> {
        let missing = missing_of(out);
        if !missing.exists() {
            return Ok(None);
        }
        let (labels, kept) = rows_of(out)?;
        let (_, gone) = rows_of(&missing)?;
        let kept = kept.iter().map(|row| (row[0].as_str(), &row[2..], None));
        let gone = gone.iter().map(|row| (row[0].as_str(), &row[2..], Some(row[1].as_str())));
        Ok(Some(Self::of(&labels, kept.chain(gone))))
    }

    /// Of rows with an id, labels, and a reason if the post is missing.
    pub(super) fn of<'r>(
        names: &[String],
        rows: impl Iterator<Item = (&'r str, &'r [String], Option<&'r str>)>,
    ) -> Self {
        let mut all = Self { rows: Kept::default(), labels: vec![], years: IndexMap::new(), reasons: IndexMap::new() };
        let mut labels: Vec<IndexMap<String, Kept>> = vec![IndexMap::new(); names.len()];
        for (id, values, reason) in rows {
            all.rows.count(reason.is_none());
            all.years.entry(year(id)).or_default().count(reason.is_none());
            for (counts, value) in labels.iter_mut().zip(values).filter(|(_, value)| !value.is_empty()) {
                counts.entry(value.clone()).or_default().count(reason.is_none());
            }
            if let Some(reason) = reason {
                *all.reasons.entry(reason.to_owned()).or_default() += 1;
            }
        }
        let few = names.iter().zip(labels).filter(|(_, values)| (1..=MOST_VALUES).contains(&values.len()));
        all.labels = few.map(|(label, values)| LabelAttrition::new(label, values)).collect();
        all.years.sort_keys();
        all.reasons.sort_by(|a, x, b, y| y.cmp(x).then(a.cmp(b)));
        all
    }
}

/// The labels' names and the rows (id, text or reason, labels) of a file of found posts or of missing ones.
fn rows_of(path: &Path) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let dialect = Dialect { format: Some(Format::Tsv), ..Dialect::default() };
    let mut reader = RowReader::open_as(path, dialect)?;
    let is_ours =
        matches!(reader.columns(), [id, second, ..] if id == "id" && (second == "text" || second == "reason"));
    if !is_ours {
        return Err(Error::file(
            path,
            "expected the columns id, text or reason, and labels, as `mtlcore data hydrate` writes them",
        ));
    }
    let labels = reader.columns()[2..].to_vec();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        if let Cells::Fields(fields) = row.cells {
            rows.push(fields.iter().map(str::to_owned).collect());
        }
    }
    Ok((labels, rows))
}

impl LabelAttrition {
    fn new(label: &str, mut values: IndexMap<String, Kept>) -> Self {
        values.sort_by(|a, _, b, _| b.cmp(a));
        let (difference, interval) = match values.values().collect::<Vec<_>>()[..] {
            [first, second] => {
                let points = |share: f64| 100.0 * share;
                (Some(points(first.share() - second.share())), Some(difference(*first, *second).map(points)))
            }
            _ => (None, None),
        };
        Self { label: label.to_owned(), values, difference, interval }
    }

    /// The value to which what is left leans: the one of which more is kept, if the interval says so.
    pub fn leans_to(&self) -> Option<&str> {
        let place = match self.interval? {
            [low, _] if low > 0.0 => 0,
            [_, high] if high < 0.0 => 1,
            _ => return None,
        };
        self.values.get_index(place).map(|(value, _)| value.as_str())
    }
}

impl Kept {
    fn count(&mut self, is_kept: bool) {
        self.kept += usize::from(is_kept);
        self.of += 1;
    }

    /// The share kept; 0 of nothing.
    pub fn share(&self) -> f64 {
        self.kept as f64 / self.of.max(1) as f64
    }
}

/// The 95 % interval of the difference of two shares: Newcombe's from two score intervals (Statistics in Medicine 17, 1998,
/// method 10), which holds for small and for one-sided counts too.
fn difference(a: Kept, b: Kept) -> [f64; 2] {
    let ([low_a, high_a], [low_b, high_b]) = (score_interval(a), score_interval(b));
    let (p, q) = (a.share(), b.share());
    let margin = |x: f64, y: f64| x.hypot(y);
    [p - q - margin(p - low_a, high_b - q), p - q + margin(high_a - p, q - low_b)]
}

/// Wilson's 95 % interval of a share.
fn score_interval(kept: Kept) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    let (n, p) = (kept.of as f64, kept.share());
    let centre = p + Z * Z / (2.0 * n);
    let margin = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    [(centre - margin) / scale, (centre + margin) / scale]
}

/// The year that an id tells: since November 2010 its upper bits are milliseconds ("snowflake").
fn year(id: &str) -> String {
    const FIRST: u64 = 30_000_000_000; // larger ones are snowflakes
    const EPOCH: u64 = 1_288_834_974_657;
    let number: u64 = id.parse().unwrap_or(0);
    if number < FIRST {
        return "before November 2010".into();
    }
    let days = ((number >> 22) + EPOCH) / 86_400_000;
    year_of(days).to_string()
}

/// The year of a day since 1970, in the Gregorian calendar.
fn year_of(mut days: u64) -> u64 {
    let mut year = 1970;
    loop {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = 365 + u64::from(is_leap);
        if days < length {
            return year;
        }
        days -= length;
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of Newcombe's paper, table II, method 10.
    #[test]
    fn intervals_are_newcombes() {
        for (a, b, expected) in [
            ((56, 70), (48, 80), [0.0524, 0.3339]),
            ((9, 10), (3, 10), [0.1705, 0.8090]),
            ((6, 7), (2, 7), [0.0582, 0.8062]),
            ((5, 56), (0, 29), [-0.0381, 0.1926]),
            ((0, 10), (0, 20), [-0.1611, 0.2775]),
        ] {
            let kept = |(kept, of)| Kept { kept, of };
            let found = difference(kept(a), kept(b));
            assert!(found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 5e-5), "{a:?} {b:?}: {found:?}");
        }
    }

    /// The example of the API's documentation (2019-12-31) and that of Wikipedia's article "Snowflake ID" (2022-06-28).
    #[test]
    fn ids_tell_their_year() {
        let years = ["20", "20000000000", "1212092628029698048", "1541815603606036480"].map(year);
        assert_eq!(years, ["before November 2010", "before November 2010", "2019", "2022"]);
        assert_eq!([0, 364, 365, 789, 790, 10957].map(year_of), [1970, 1970, 1971, 1972, 1972, 2000]);
    }

    #[test]
    fn a_sample_leans_to_the_label_of_which_more_is_left() {
        let values = |a, b| IndexMap::from([("1".to_owned(), a), ("0".to_owned(), b)]);
        let kept = |kept, of| Kept { kept, of };
        let lean = |a, b| LabelAttrition::new("l", values(a, b)).leans_to().map(str::to_owned);
        assert_eq!(lean(kept(1204, 2100), kept(690, 980)), Some("0".into()));
        assert_eq!(lean(kept(690, 980), kept(1204, 2100)), Some("1".into()));
        assert_eq!(lean(kept(57, 100), kept(60, 100)), None);
    }
}
