//! Does learning together help? A small study of simulated pairs of tasks, read as chapter 10 of the course reads one.
//!
//! Run with `cargo run --release --example does_it_help`.

use std::sync::atomic::AtomicBool;

use mtlcore::mtl::settings::{Preset, Shared};
use mtlcore::mtl::study::{Results, Study, StudySettings};

/// A study of the simulated pairs at this share of the paper's sizes, three folds, with the convolution. It leaves no files.
pub fn study(scale: f64, epochs: usize) -> Result<Results, Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let mut settings = StudySettings::preset(Preset::Default);
    (settings.scale, settings.folds, settings.shared) = (scale, 3, vec![Shared::Conv]);
    (settings.base.epochs, settings.base.out) = (epochs, directory.path().join("study"));
    let results = Study::begin(settings)?.run(&AtomicBool::new(false), &|_| {})?;
    Ok(results.expect("it is not interrupted"))
}

/// Prints the answer for each pair, and what it rests on.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    for pair in study(0.1, 8)?.pairs {
        for answer in &pair.answer.tasks {
            println!("{}: {} {} {:+.1}", pair.name, answer.task, answer.verdict, answer.difference);
        }
        for task in pair.layers.iter().flat_map(|layer| &layer.tasks) {
            let differences: Vec<String> = task.f1.differences.iter().map(|d| format!("{d:+.1}")).collect();
            println!("  {:<20} F by MTL − F by STL, fold by fold: {}", task.task, differences.join("  "));
        }
    }
    Ok(())
}
