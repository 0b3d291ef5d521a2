//! The log of the tasks' gradients.

use std::{fmt, num::NonZero, str::FromStr};

use serde::{Deserialize, Serialize};

/// The interval, in steps, at which the tasks' gradients are logged; written `gradients` (every 10) or `gradients=N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Probe {
    /// A step is logged if this divides its number, which counts from 1 over all epochs.
    pub every: NonZero<u64>,
}

impl Probe {
    /// What may be written.
    pub const EXPECTED: &str = "`gradients`, or `gradients=N` with a whole number N of at least 1";
}

impl FromStr for Probe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let every = match text.split_once('=') {
            None if text == "gradients" => NonZero::new(10),
            Some(("gradients", every)) => every.parse().ok(),
            _ => None,
        };
        every.map(|every| Self { every }).ok_or_else(|| format!("found {text:?}, expected {}", Self::EXPECTED))
    }
}

impl TryFrom<String> for Probe {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Probe> for String {
    fn from(probe: Probe) -> Self {
        probe.to_string()
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gradients={}", self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_step_is_usual() {
        let every = |text: &str| text.parse::<Probe>().map(|probe| probe.every.get()).ok();
        assert_eq!([every("gradients"), every("gradients=3")], [Some(10), Some(3)]);
        for wrong in ["", "gradient", "gradients=", "gradients=0", "gradients=-1", "gradients=x", "losses=3"] {
            assert_eq!(every(wrong), None, "{wrong}");
        }
    }
}
