//! Numbers that nobody's machine can meet are refused at once, with the most that is possible.

use std::time::{Duration, Instant};

use crate::common::Place;

#[test]
fn every_size_has_a_bound() {
    let place = Place::new(&[("a.tsv", b"text\tflu\nx y\t1\ny z\t0\n")]);
    for (words, code, expected) in [
        ("predict run a.tsv --threads 20000", 2, "a whole number from 0 to 1024"),
        ("evaluate run --threads 9223372036854775807", 2, "a whole number from 0 to 1024"),
        ("evaluate run --threads 18446744073709551616", 2, "a whole number from 0 to 1024"),
        ("train --threads 100000", 2, "a whole number from 0 to 1024"),
        ("study --threads 100000", 2, "a whole number from 0 to 1024"),
        ("study --scale 1e9 --plan", 1, "`scale`: found 1000000000, expected at most 100"),
        ("study --scale 1e300 --plan", 1, "expected at most 100"),
        ("study --folds 1000 --repeats 1000 --seeds 1000 --plan", 1, "expected at most 100000"),
        ("data simulate --rows 1000000000000,10", 1, "`rows`: found 1000000000000, expected at most 10000000"),
        ("data simulate --rows 10000000,10 --length 10000", 1, "words in all"),
        ("data simulate --words 100000000000", 1, "`words`: found 100000000000, expected at most"),
        ("data simulate --length 1000000000000", 1, "`length`: found 1000000000000, expected at most"),
        ("data simulate --dim 100000000", 1, "`dim`: found 100000000, expected at most"),
        ("train --units 1000000000", 2, "a whole number from 1 to 4096"),
        ("train --filters 9223372036854775807", 2, "a whole number from 1 to"),
    ] {
        let begun = Instant::now();
        let output = place.run(words);
        assert_eq!(output.code, Some(code), "{words}: {}", output.stderr);
        assert!(output.stderr.contains(expected), "{words}: {}", output.stderr);
        assert!(begun.elapsed() < Duration::from_secs(20), "{words}: {:?}", begun.elapsed());
    }
    assert!(!place.path("simulated").exists() && !place.path("run").exists());
}

/// Two lines of a million numbers each are no file of word vectors.
#[test]
fn vectors_of_a_million_columns_are_refused() {
    let line = |word: &str| word.to_owned() + &" 0.5".repeat(1_000_000) + "\n";
    let place =
        Place::new(&[("a.tsv", b"text\tflu\nx y\t1\ny z\t0\n"), ("wide.txt", (line("x") + &line("y")).as_bytes())]);
    let output = place.run("data check --task flu=a.tsv --vectors wide.txt");
    let expected = "error: wide.txt:1: vectors of 1000000 numbers, more than the 4096 that are read\n";
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), expected));
}
