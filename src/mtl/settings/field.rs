//! One field beside its value: its name, its explanation, and the validation of what is written for it.

use toml::Value;

use super::{Probe, TaskWeights};
use crate::mtl::data::Delimiter;

/// One field of [`Settings`](super::Settings).
#[derive(Debug)]
pub struct Field {
    /// Its name in files, and after `--` on the command line.
    pub name: String,
    /// One line of explanation.
    pub doc: &'static str,
    /// The heading under which help and files show it.
    pub group: &'static str,
    /// What may be written for it.
    pub kind: Kind,
}

/// What may be written for a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number.
    Whole {
        /// The smallest that is allowed.
        least: i64,
        /// The largest that is allowed: far beyond what is useful, but an error names it before memory or time run out.
        most: i64,
    },
    /// A power of two, 1 being the smallest.
    PowerOfTwo {
        /// The largest that is allowed.
        most: i64,
    },
    /// A finite number.
    Number,
    /// A finite number above 0.
    Positive,
    /// A number of at least 0 and below 1.
    Share,
    /// A file or directory.
    Path,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Some of these words: an array, or one string with commas between them.
    List(&'static [&'static str]),
    /// Whole percentages: an array, or one string with commas between them.
    Percentages,
    /// A name: any text but an empty one.
    Name,
    /// Any text.
    Word,
    /// What stands between two columns of a table: see [`Delimiter`].
    Delimiter,
    /// A weight for each task: see [`TaskWeights`].
    TaskWeights,
    /// What to measure in training, and how often: see [`Probe`].
    Probe,
}

impl Kind {
    /// What may be written, in words.
    pub fn expected(self) -> String {
        match self {
            Self::Whole { least, most: i64::MAX } => format!("a whole number of at least {least}"),
            Self::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Self::PowerOfTwo { most } => format!("a power of two from 1 to {most}"),
            Self::Number => "a finite number".into(),
            Self::Positive => "a finite number above 0".into(),
            Self::Share => "a number of at least 0 and below 1".into(),
            Self::Path => "a path".into(),
            Self::Choice(words) => words.join(" | "),
            Self::List(words) => format!("some of: {}", words.join(", ")),
            Self::Percentages => "whole percentages from 0 to 100, such as 0,50,100".into(),
            Self::Name => "a name".into(),
            Self::Word => "a word".into(),
            Self::Delimiter => Delimiter::EXPECTED.into(),
            Self::TaskWeights => TaskWeights::EXPECTED.into(),
            Self::Probe => Probe::EXPECTED.into(),
        }
    }

    fn admits(self, value: &Value) -> bool {
        let number = value.as_float().or(value.as_integer().map(|whole| whole as f64));
        match self {
            Self::Whole { least, most } => value.as_integer().is_some_and(|whole| (least..=most).contains(&whole)),
            Self::PowerOfTwo { most } => {
                value.as_integer().is_some_and(|whole| (1..=most).contains(&whole) && whole.count_ones() == 1)
            }
            Self::Number => number.is_some_and(f64::is_finite),
            Self::Positive => number.is_some_and(|number| number.is_finite() && number > 0.0),
            Self::Share => number.is_some_and(|number| (0.0..1.0).contains(&number)),
            Self::Path | Self::Name => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::Word => value.is_str(),
            Self::Delimiter => value.as_str().is_some_and(|text| text.parse::<Delimiter>().is_ok()),
            Self::List(words) => listed(value).is_some_and(|listed| listed.iter().all(|word| words.contains(word))),
            Self::Percentages => {
                percentages(value).is_some_and(|listed| listed.iter().all(|percent| (0..=100).contains(percent)))
            }
            Self::TaskWeights => value.as_str().is_some_and(|text| text.parse::<TaskWeights>().is_ok()),
            Self::Probe => value.as_str().is_some_and(|text| text.parse::<Probe>().is_ok()),
        }
    }
}

impl Field {
    /// The value that `text` stands for, as on a command line, where strings have no quotes.
    ///
    /// # Errors
    /// What was expected, if it is not that.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let value = match self.kind {
            Kind::Path
            | Kind::Name
            | Kind::Word
            | Kind::Delimiter
            | Kind::Choice(_)
            | Kind::TaskWeights
            | Kind::Probe => Some(Value::from(text)),
            Kind::List(_) => listed(&Value::from(text)).map(Value::from),
            Kind::Percentages => percentages(&Value::from(text)).map(Value::from),
            Kind::Whole { .. } | Kind::PowerOfTwo { .. } => text.parse().map(Value::Integer).ok(),
            Kind::Number | Kind::Positive | Kind::Share => text.parse().map(Value::Float).ok(),
        };
        value.filter(|value| self.kind.admits(value)).ok_or_else(|| format!("expected {}", self.kind.expected()))
    }

    /// Judges a value from a file.
    ///
    /// # Errors
    /// What was found and what was expected, if they differ.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if self.kind.admits(value) {
            return Ok(());
        }
        let found = match value {
            Value::Table(_) => "a table".into(),
            Value::Array(_) => "an array".into(),
            scalar => literal(scalar),
        };
        Err(format!("found {found}, expected {}", self.kind.expected()))
    }

    /// The value in its one form: a list is an array.
    pub(crate) fn listed(&self, value: Value) -> Value {
        match self.kind {
            Kind::List(_) => listed(&value).map(Value::from).unwrap_or(value),
            Kind::Percentages => percentages(&value).map(Value::from).unwrap_or(value),
            _ => value,
        }
    }
}

/// The words of a [`Kind::List`]; an empty text is an empty list.
fn listed(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::String(text) => Some(text.split(',').map(str::trim).collect()),
        Value::Array(words) => words.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// The numbers of [`Kind::Percentages`].
fn percentages(value: &Value) -> Option<Vec<i64>> {
    match value {
        Value::Array(numbers) => numbers.iter().map(Value::as_integer).collect(),
        text => listed(text)?.into_iter().map(|number| number.parse().ok()).collect(),
    }
}

/// A value as TOML writes it, small numbers with an exponent (`1e-8`).
pub fn literal(value: &Value) -> String {
    match value.as_float() {
        Some(small) if small != 0.0 && small.abs() < 1e-3 => format!("{small:e}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::{
        super::{FIELDS, Preset, Settings},
        *,
    };

    fn field(name: &str) -> &'static Field {
        Field::named(name).unwrap()
    }

    #[test]
    fn ranges_end_where_the_quantity_does() {
        let admitted = |name: &str, text: &str| field(name).parse(text).is_ok();
        for (name, inside, outside) in [
            ("dropout", ["0", "0.999"], ["1", "-0.1"]),
            ("validation", ["0", "0.5"], ["1.5", "NaN"]),
            ("learning-rate", ["1e-9", "10"], ["0", "inf"]),
            ("forget-bias", ["-1", "0"], ["inf", "one"]),
            ("batch", ["1", "4096"], ["0", "1.5"]),
            ("shards", ["1", "8"], ["0", "6"]),
            ("shards", ["2", "4096"], ["-2", "8192"]),
            ("threads", ["0", "64"], ["-1", ""]),
            ("threads", ["0", "1024"], ["1025", "9223372036854775807"]),
            ("units", ["1", "4096"], ["1000000000", "9223372036854775808"]),
            ("seed", ["0", "9223372036854775807"], ["-1", "1e3"]),
            ("shared", ["conv", "bilstm-conv"], ["lstm", "Conv"]),
            ("vectors", ["a file", "7"], ["", ""]),
        ] {
            assert!(inside.iter().all(|text| admitted(name, text)), "{name} {inside:?}");
            assert!(!outside.iter().any(|text| admitted(name, text)), "{name} {outside:?}");
        }
    }

    #[test]
    fn a_whole_number_is_a_number() {
        assert_eq!(field("dropout").check(&Value::Integer(0)), Ok(()));
        assert!(field("epochs").check(&Value::Float(2.0)).is_err());
    }

    #[test]
    fn every_preset_value_may_be_written_for_its_field() {
        for table in [Preset::Default, Preset::Paper].map(|preset| Settings::preset(preset).to_table()) {
            for (field, value) in FIELDS.iter().filter_map(|field| Some((field, table.get(&field.name)?))) {
                assert_eq!(field.check(value), Ok(()), "{}", field.name);
            }
        }
    }

    #[test]
    fn small_numbers_keep_their_value() {
        for number in [1e-8, 1e-7, 0.00099, 0.001, 0.0, -1e-5] {
            let table: Table = format!("x = {}", literal(&Value::Float(number))).parse().unwrap();
            assert_eq!(table["x"].as_float(), Some(number));
        }
    }
}
