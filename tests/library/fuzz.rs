//! The targets of `fuzz/` without libFuzzer: seeds, changed at random, for as long as there is time.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use targets::{TARGETS, Target};

/// No input is longer.
const LONGEST: usize = 1 << 16;

/// No input takes longer, on a busy machine too.
const SLOWEST: Duration = Duration::from_secs(20);

/// What files are made of, and what readers stumble over.
const WORDS: [&[u8]; 24] = [
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b",",
    b";",
    b"\"",
    b"\\",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"0",
    b"-1",
    b"1e999",
    b"NaN",
    b"99999999999999999999",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"'",
    b"\xe2\x80\x8b",
    b"&#x200B;",
];

/// One to eight changes of a seed.
fn changed(seeds: &[Vec<u8>], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(1..=8) {
        let at = rng.random_range(0..=bytes.len());
        let longest = 1 << rng.random_range(0..10);
        let length = rng.random_range(0..=(bytes.len() - at).min(longest));
        match rng.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random(),
            2 => drop(bytes.splice(at..at, WORDS[rng.random_range(0..WORDS.len())].iter().copied())),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let part = bytes[at..at + length].to_vec();
                let times = rng.random_range(1..4);
                bytes.splice(at..at, part.repeat(times));
            }
            5 => {
                let other = &seeds[rng.random_range(0..seeds.len())];
                let from = rng.random_range(0..=other.len());
                let part = other[from..].iter().take(length.max(16)).copied();
                bytes.splice(at..at + length, part);
            }
            _ => bytes.truncate(at.max(bytes.len() / 2)),
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

/// Runs a target on its seeds, and then on changed ones while `goes_on` says so; how many, and the longest time of one.
fn drive(target: &Target, seed: u64, mut goes_on: impl FnMut(u64) -> bool) -> (u64, Duration) {
    let (seeds, mut rng) = ((target.seeds)(), ChaCha8Rng::seed_from_u64(seed));
    let (mut runs, mut slowest) = (0, Duration::ZERO);
    let mut run = |bytes: &[u8]| {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes)));
        if let Err(panic) = outcome {
            eprintln!("{}: b\"{}\"", target.name, bytes.escape_ascii());
            resume_unwind(panic);
        }
        slowest = slowest.max(begun.elapsed());
        assert!(slowest < SLOWEST, "{}: {slowest:?} for b\"{}\"", target.name, bytes.escape_ascii());
    };
    seeds.iter().for_each(|bytes| run(bytes));
    while goes_on(runs) {
        run(&changed(&seeds, &mut rng));
        runs += 1;
    }
    (runs + seeds.len() as u64, slowest)
}

#[test]
fn a_few_hundred_changed_files_break_no_reader() {
    for target in &TARGETS {
        drive(target, 1, |runs| runs < 200);
    }
}

/// `MTLCORE_FUZZ_SECONDS` for each target (60 if it is not set), with a seed of the day's own.
#[test]
#[ignore = "minutes"]
fn many_changed_files_break_no_reader() {
    let seconds = std::env::var("MTLCORE_FUZZ_SECONDS").map_or(60, |text| text.parse().expect("a number of seconds"));
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    std::thread::scope(|scope| {
        for target in &TARGETS {
            scope.spawn(move || {
                let end = Instant::now() + Duration::from_secs(seconds);
                let (runs, slowest) = drive(target, seed, |_| Instant::now() < end);
                println!("{}: {runs} inputs from seed {seed}, the slowest took {slowest:?}", target.name);
            });
        }
    });
}
