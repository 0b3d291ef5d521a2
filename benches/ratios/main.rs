//! Is a kernel slower than it was? Each is timed beside a plain kernel that computes the same on the same machine, in turn, and their
//! ratio is compared with the one of `recorded.tsv`: so a busy or another machine does not matter much, and a slower kernel does.
//!
//! `cargo bench --bench ratios` warns of each kernel whose ratio has grown by more than a third; with `-- --deny` it fails then, and
//! with `-- --record` it writes the ratios down, for the instruction set in use (`MTLCORE_SIMD` chooses another).

mod kernels;

use std::{collections::BTreeMap, fs, process::ExitCode, time::Instant};

use kernels::{Pair, pairs};
use mtlcore::tensor::Simd;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/ratios/recorded.tsv");
/// A ratio may grow by this factor before it is a warning: rounds on a shared machine differ by a tenth and more.
const TOLERANCE: f64 = 4.0 / 3.0;
const ROUNDS: usize = 25;
/// A round of a kernel takes at least so long, in seconds.
const ROUND: f64 = 0.002;

fn main() -> ExitCode {
    let (record, deny) = (has_flag("--record"), has_flag("--deny"));
    // Kernels on one thread: how many there are would be a property of the machine.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was used before");
    let level = format!("{:?}", Simd::chosen().expect("MTLCORE_SIMD names an instruction set")).to_lowercase();
    let mut recorded = read();
    let mut slower = 0;
    println!("{:<28} {:>9} {:>9}  on {level}", "ours / reference", "now", "recorded");
    for mut pair in pairs() {
        let ratio = ratio(&mut pair);
        let key = (pair.name.to_owned(), level.clone());
        let before = recorded.get(&key).copied();
        let told = before.map_or_else(|| "–".to_owned(), |before| format!("{before:.3}"));
        let warns = before.is_some_and(|before| ratio > TOLERANCE * before);
        println!(
            "{:<28} {ratio:>9.3} {told:>9}{}",
            pair.name,
            if warns { "  warning: slower than recorded" } else { "" }
        );
        slower += usize::from(warns);
        recorded.insert(key, ratio);
    }
    if record {
        let lines = recorded.iter().map(|((kernel, level), ratio)| format!("{kernel}\t{level}\t{ratio:.3}\n"));
        fs::write(RECORDED, HEADER.to_owned() + &lines.collect::<String>()).expect("the table can be written");
    }
    if deny && slower > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

const HEADER: &str = "kernel\tinstructions\tratio\n";

fn has_flag(flag: &str) -> bool {
    std::env::args().any(|argument| argument == flag)
}

/// The ratio of each kernel for each instruction set.
fn read() -> BTreeMap<(String, String), f64> {
    let text = fs::read_to_string(RECORDED).unwrap_or_default();
    let row = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        let (kernel, level) = (cells.next()?, cells.next()?);
        Some(((kernel, level), cells.next()?.parse().ok()?))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// The time of ours over that of the reference: the fastest round of each, rounds taking turns.
fn ratio(pair: &mut Pair) -> f64 {
    let mut best = [f64::INFINITY; 2];
    let repeats = [&mut pair.ours, &mut pair.reference].map(|kernel| {
        (0..3).for_each(|_| kernel());
        (ROUND / seconds(kernel, 1)).ceil() as usize
    });
    for _ in 0..ROUNDS {
        for ((kernel, &repeats), best) in [&mut pair.ours, &mut pair.reference].into_iter().zip(&repeats).zip(&mut best)
        {
            *best = best.min(seconds(kernel, repeats) / repeats as f64);
        }
    }
    best[0] / best[1]
}

fn seconds(kernel: &mut dyn FnMut(), repeats: usize) -> f64 {
    let begun = Instant::now();
    (0..repeats).for_each(|_| kernel());
    begun.elapsed().as_secs_f64().max(1e-9)
}
