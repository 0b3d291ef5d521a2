//! How often a study's interval covers the truth, and how often its verdict is wrong: `cargo bench --bench calibration`.
//!
//! For each scenario a large population of simulated texts is made, and studies draw their rows from it. Every network that a study
//! trains is also tested on thousands of texts that no study sees, so the expected difference over training sets and seeds is known
//! to a fraction of a point: the mean over all networks of all studies. `docs/calibration.md` has the results.
//!
//! `cargo bench --bench calibration -- [STUDIES [SCENARIO…]]`, by default 200 of each.

mod simulated_study;
mod summary;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use mtlcore::mtl::settings::{HeadStart, Shared};
use simulated_study::{Population, Scenario, Study};
use summary::{Summary, summaries};

const PLAIN: Scenario = Scenario {
    name: "",
    what: "",
    rows: [500, 1000],
    prevalence: 0.3,
    relatedness: 0.9,
    overlap: 1.0,
    noise: 0.02,
    heads: HeadStart::Own,
    layers: &[Shared::Conv],
    measured: 1,
    same_arm: false,
    folds: 10,
    seeds: 3,
};

const SCENARIOS: [Scenario; 10] = [
    Scenario { name: "same-500", what: "STL twice: no difference", same_arm: true, seeds: 6, ..PLAIN },
    Scenario { name: "same-2000", what: "STL twice: no difference", same_arm: true, rows: [2000, 500], ..PLAIN },
    Scenario { name: "same-500-rare", what: "STL twice, one of ten true", same_arm: true, prevalence: 0.1, ..PLAIN },
    Scenario {
        name: "unrelated-study",
        what: "two tasks without common words, three layers: a whole study",
        rows: [500, 500],
        overlap: 0.0,
        relatedness: 0.0,
        layers: &[Shared::Bilstm, Shared::Conv, Shared::BilstmConv],
        measured: 2,
        folds: 5,
        ..PLAIN
    },
    Scenario { name: "unrelated-500", what: "no common words", overlap: 0.0, relatedness: 0.0, seeds: 6, ..PLAIN },
    Scenario { name: "gain-500", what: "a related partner of 2,000", rows: [500, 2000], ..PLAIN },
    Scenario { name: "shared-words-500", what: "the same words, unrelated meaning", relatedness: 0.0, ..PLAIN },
    // Real harm is rare where each head starts its own way.
    Scenario {
        name: "harm-500",
        what: "the same words, unrelated meaning, heads that start alike",
        relatedness: 0.0,
        heads: HeadStart::Alike,
        ..PLAIN
    },
    Scenario {
        name: "gain-500-B",
        what: "a related partner of 2,000, BiLSTM",
        rows: [500, 2000],
        layers: &[Shared::Bilstm],
        folds: 5,
        ..PLAIN
    },
    Scenario {
        name: "gain-5000",
        what: "5,000 texts, a partner of 20,000 with the same labels, 15 % of labels wrong",
        rows: [5000, 20_000],
        noise: 0.15,
        relatedness: 1.0,
        folds: 5,
        ..PLAIN
    },
];

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let studies = words.next().map_or(200, |number| number.parse().expect("a number of studies"));
    let names: Vec<String> = words.collect();
    println!(
        "| scenario | measure | truth | covers | where learnt | its own networks | half width, 3 seeds | 1 seed | helps or hurts \
         anywhere | wrong anywhere | both, seeds added | seeds used | λ | texts, rows, seeds | verdicts of cells |\n|{}",
        "---|".repeat(15)
    );
    for scenario in
        SCENARIOS.iter().filter(|scenario| names.is_empty() || names.iter().any(|name| name == scenario.name))
    {
        let begin = Instant::now();
        let population = Population::new(*scenario);
        for summary in summaries(&run(&population, studies)) {
            println!("{}", row(scenario, &summary));
        }
        eprintln!("{}: {} ({studies} studies in {:.0} s)", scenario.name, scenario.what, begin.elapsed().as_secs_f64());
    }
}

/// All studies, one thread a study.
fn run(population: &Population, studies: usize) -> Vec<Study> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
                let _one_thread = one_thread.expect("a pool of one thread");
                loop {
                    let study = next.fetch_add(1, Ordering::Relaxed);
                    if study >= studies {
                        return;
                    }
                    let result = population.study(study as u64);
                    found.lock().expect("no thread panicked").push((study, result));
                }
            });
        }
    });
    let mut found = found.into_inner().expect("no thread panicked");
    found.sort_by_key(|(study, _)| *study);
    found.into_iter().map(|(_, result)| result).collect()
}

fn row(scenario: &Scenario, summary: &Summary) -> String {
    let percent = |share: f64| if share.is_nan() { "–".into() } else { format!("{:.1} %", 100.0 * share) };
    let Summary { truth, truth_error, half_width, half_width_of_one, claim, wrong, .. } = summary;
    let [texts, rows, seeds] = summary.reported;
    let verdicts: Vec<String> = summary.verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    format!(
        "| {} | {} | {truth:+.2} ± {truth_error:.2} | {} | {} | {} | {half_width:.2} | {half_width_of_one:.2} | {claim} | {wrong} | \
         {}, {} | {:.1} ({} decided) | {:.2} | {texts:.2}, {rows:.2}, {seeds:.2} | {} |",
        scenario.name,
        summary.measure.word(),
        percent(summary.covers),
        percent(summary.covers_learnt),
        percent(summary.covers_own),
        summary.claim_sequential,
        summary.wrong_sequential,
        summary.seeds_used,
        percent(summary.decided_sequential),
        summary.lambda,
        verdicts.join(", ")
    )
}
