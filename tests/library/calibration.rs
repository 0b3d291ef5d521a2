//! A small version of `cargo bench --bench calibration`: an arm against itself, with other seeds, where the true difference is zero.

use std::thread;

use mtlcore::mtl::{
    evaluation::interval::Verdict,
    settings::{HeadStart, Shared},
};

#[path = "../../benches/calibration/simulated_study.rs"]
#[allow(dead_code, reason = "the benchmark needs more of it")]
mod simulated_study;

use simulated_study::{Population, Scenario};

const STUDIES: u64 = 8;

/// At 97 % coverage two or more of eight intervals miss in one of fifty such tests; this one has fixed seeds.
#[test]
fn an_arm_against_itself_is_covered_and_never_helps_or_hurts() {
    let scenario = Scenario {
        name: "small",
        what: "STL twice",
        rows: [200, 100],
        prevalence: 0.3,
        relatedness: 0.9,
        overlap: 1.0,
        noise: 0.02,
        heads: HeadStart::Own,
        layers: &[Shared::Conv],
        measured: 1,
        same_arm: true,
        folds: 3,
        seeds: 3,
    };
    let population = &Population::new(scenario);
    let found: Vec<_> = thread::scope(|scope| {
        let studies: Vec<_> = (0..STUDIES).map(|study| scope.spawn(move || population.study(study))).collect();
        studies.into_iter().map(|study| study.join().unwrap()).collect()
    });
    for (place, measure) in simulated_study::MEASURES.iter().enumerate() {
        let intervals = || found.iter().map(move |study| &study[place][0].three);
        let covered = intervals().filter(|interval| interval.low <= 0.0 && 0.0 <= interval.high).count();
        assert!(covered >= STUDIES as usize - 1, "{}: {covered} of {STUDIES}", measure.word());
        let verdicts: Vec<Verdict> = intervals().map(|interval| interval.verdict(0.01)).collect();
        assert!(
            !verdicts.iter().any(|v| [Verdict::Helps, Verdict::Hurts].contains(v)),
            "{}: {verdicts:?}",
            measure.word()
        );
    }
}
