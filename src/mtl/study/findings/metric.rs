//! The metrics that are summarised.

use crate::mtl::evaluation::metrics::Metrics;

/// One number of a measurement; `None` where it is not defined.
pub type Metric = fn(&Metrics) -> Option<f64>;

/// The metrics that are summarised, by name.
pub const METRICS: [(&str, Metric); 11] = [
    ("accuracy", |m| Some(m.accuracy)),
    ("precision", |m| Some(m.precision)),
    ("recall", |m| Some(m.recall)),
    ("f1", |m| Some(m.f1)),
    ("macro_f1", |m| Some(m.macro_f1)),
    ("mcc", |m| Some(m.mcc)),
    ("share_predicted_true", |m| Some(m.share_predicted_true)),
    ("average_precision", |m| Some(m.average_precision)),
    ("auroc", |m| m.auroc),
    ("brier_score", |m| Some(m.brier_score)),
    ("log_loss", |m| Some(m.log_loss)),
];
