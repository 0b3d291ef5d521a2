//! Static weights: d = Σ wᵢ gᵢ with weights that the user gives, the gradient of Σ wᵢ ℓᵢ.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The weight of each task, by name; written `flu=1,vaccine=0.5`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TaskWeights(BTreeMap<String, f64>);

impl TaskWeights {
    /// The weight of a task, if it has one.
    pub fn get(&self, task: &str) -> Option<f64> {
        self.0.get(task).copied()
    }

    /// The tasks that have a weight, sorted.
    pub fn tasks(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromStr for TaskWeights {
    type Err = String;

    /// Each weight is a finite number above 0, and no task has two.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("found {text:?}, expected {}", Self::EXPECTED);
        let mut weights = BTreeMap::new();
        for entry in text.split(',') {
            let (task, weight) = entry.rsplit_once('=').ok_or_else(expected)?;
            let weight: f64 = weight.trim().parse().map_err(|_| expected())?;
            let fits = weight.is_finite() && weight > 0.0 && !task.trim().is_empty();
            if !fits || weights.insert(task.trim().to_owned(), weight).is_some() {
                return Err(expected());
            }
        }
        Ok(Self(weights))
    }
}

impl TaskWeights {
    /// What may be written.
    pub const EXPECTED: &str = "TASK=WEIGHT of each task once, with commas between them, each weight above 0";
}

impl TryFrom<String> for TaskWeights {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TaskWeights> for String {
    fn from(weights: TaskWeights) -> Self {
        weights.to_string()
    }
}

impl fmt::Display for TaskWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<String> = self.0.iter().map(|(task, weight)| format!("{task}={weight}")).collect();
        f.write_str(&entries.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let weights: TaskWeights = "flu = 0.1, a=b=2".parse().unwrap();
        assert_eq!((weights.get("flu"), weights.get("a=b"), weights.get("x")), (Some(0.1), Some(2.0), None));
        assert_eq!(weights.to_string().parse(), Ok(weights));
        for wrong in ["", "flu", "flu=", "flu=-1", "flu=0", "flu=inf", "flu=1,flu=2", "=1"] {
            assert!(wrong.parse::<TaskWeights>().is_err(), "{wrong}");
        }
    }
}
