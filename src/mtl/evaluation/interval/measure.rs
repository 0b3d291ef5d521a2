//! What two arms are compared by.

use serde::{Deserialize, Serialize};

use crate::mtl::{choices::choices, evaluation::metrics::Metrics};

choices! {
    /// A measure of one task's predictions, larger for better ones, between 0 and 1.
    Measure {
        /// F of the true class at the threshold that was tuned on inner rows.
        F1Tuned = "f1-tuned",
        /// F of the true class at the fixed threshold.
        F1 = "f1",
        /// Average precision, which needs no threshold.
        AveragePrecision = "average-precision",
        /// The area under the ROC curve, which needs no threshold.
        Auroc = "auroc",
        /// The share of right decisions at the fixed threshold.
        Accuracy = "accuracy",
    }
}

impl Measure {
    /// The figure among all metrics of some predictions, taken at the threshold that it asks for; 0 where AUROC is not defined.
    pub fn of(self, metrics: &Metrics) -> f64 {
        match self {
            Self::F1Tuned | Self::F1 => metrics.f1,
            Self::AveragePrecision => metrics.average_precision,
            Self::Auroc => metrics.auroc.unwrap_or(0.0),
            Self::Accuracy => metrics.accuracy,
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F1Tuned => "F at the tuned threshold",
            Self::F1 => "F at the fixed threshold",
            Self::AveragePrecision => "average precision",
            Self::Auroc => "AUROC",
            Self::Accuracy => "accuracy",
        }
    }
}
