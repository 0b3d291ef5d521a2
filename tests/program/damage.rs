//! Damaged files: every file of a run and of a study with bits flipped, cut short, or with bytes repeated, and then every command that
//! reads it. Each must end, without a panic, with an error of one line, or with the result that it has without the damage.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::common::Place;

const SMALL: &str = "--shared conv --filters 2 --embedding-dim 3 --batch 8 --threads 1";
const TASKS: &str = "--task a=a.tsv --task b=b.tsv";

/// What reads a finished run, and prints nothing else than what it read.
const READ_RUN: [&str; 6] = [
    "predict run new.tsv",
    "predict run new.tsv --threshold tuned",
    "evaluate run --format json",
    "evaluate run --task a=b.tsv --format json",
    "explain run fever --format json",
    "balance --run run --step 2 --format json",
];

/// What reads a study; the last two mend what they can.
const READ_STUDY: [&str; 5] = [
    "report s --format json",
    "report s --format markdown",
    "errors s --out elsewhere --format json",
    "curve --out s --format json",
    "STUDY --format json",
];

fn study() -> String {
    format!("study {TASKS} {SMALL} --epochs 2 --folds 2 --seeds 1 --fractions 0,100 --out s")
}

fn posts(shift: usize) -> Vec<u8> {
    let word = |i: usize| ["fever", "sunshine", "cough", "music", "sore", "football"][i % 6];
    let letter = |i: usize| char::from(b'a' + i as u8);
    let row =
        |i: usize| format!("{} {} {}\t{}\n", word(i), word(i + 1 + shift), letter(i / 6), (i + i / 6 + shift) % 2);
    ("text\tlabel\n".to_owned() + &(0..48).map(row).collect::<String>()).into_bytes()
}

fn place() -> Place {
    Place::new(&[
        ("a.tsv", &posts(0)),
        ("b.tsv", &posts(3)),
        ("new.tsv", b"id\ttext\n1\tfever and sun\n2\tmusic\n3\t\n"),
    ])
}

/// How a command ended: its exit code (none after a signal or after [`LONGEST`]), its output, its last words.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Far longer than any of the commands takes, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(60);

fn run(place: &Place, words: &str) -> Ended {
    let mut child = place.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let text = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    thread::scope(|scope| {
        let reading = (scope.spawn(|| text(&mut stdout)), scope.spawn(|| text(&mut stderr)));
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break Some(status),
                None if begun.elapsed() > LONGEST => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    break None;
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let [stdout, stderr] = [reading.0, reading.1].map(|thread| thread.join().unwrap());
        Ended { code: status.and_then(|status| status.code()), stdout, stderr }
    })
}

/// How much is tried.
#[derive(Clone, Copy)]
struct Effort {
    /// Flips, cuts and repeats of each file.
    flips: usize,
    cuts: usize,
    repeats: usize,
    /// Units of a study that are damaged; all are alike.
    units: usize,
}

/// The bytes of a file after each damage, and what it was.
fn damages(content: &[u8], effort: Effort) -> Vec<(String, Vec<u8>)> {
    let places = |count: usize| {
        let count = count.min(content.len());
        (0..count).map(move |i| (content.len() * (2 * i + 1)) / (2 * count))
    };
    let flip = |at: usize| {
        let bit = (at * 5 + at / 8) % 8;
        let mut bytes = content.to_vec();
        bytes[at] ^= 1 << bit;
        (format!("bit {bit} of byte {at} flipped"), bytes)
    };
    let cut = |at: usize| (format!("cut after {at} bytes"), content[..at].to_vec());
    let repeat = |at: usize| {
        let length = [1, 7, 64, 500][at % 4].min(content.len() - at);
        let bytes = [&content[..at + length], &content[at..]].concat();
        (format!("{length} bytes repeated at {at}"), bytes)
    };
    let mut all: Vec<_> = places(effort.flips).map(flip).collect();
    all.extend([cut(0)].into_iter().filter(|_| !content.is_empty()));
    all.extend(places(effort.cuts).filter(|&at| at > 0).map(cut));
    all.extend(places(effort.repeats).map(repeat));
    all
}

/// The files of a directory and of the folders in it, by their path.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(inner, content)| (format!("{name}/{inner}"), content)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Makes the directory hold these files and no others.
fn restore(directory: &Path, as_it_was: &BTreeMap<String, Vec<u8>>) {
    for name in files(directory).keys().filter(|name| !as_it_was.contains_key(*name)) {
        fs::remove_file(directory.join(name)).unwrap();
    }
    for (name, content) in as_it_was {
        let path = directory.join(name);
        if !fs::read(&path).is_ok_and(|now| now == *content) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }
}

/// What was tried, and what went wrong.
#[derive(Default)]
struct Tally {
    damages: usize,
    commands: usize,
    refused: usize,
    faults: Vec<String>,
}

/// Damages each file of `directory` in each way and runs each command; `result` is what a command brought about.
fn try_all(
    place: &Place,
    directory: &str,
    commands: &[String],
    effort: Effort,
    result: impl Fn(&Place, &Ended) -> String,
) -> Tally {
    let path = place.path(directory);
    let whole = files(&path);
    let expected: Vec<String> = commands
        .iter()
        .map(|words| {
            let ended = run(place, words);
            assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
            let expected = result(place, &ended);
            restore(&path, &whole);
            expected
        })
        .collect();
    let mut tally = Tally::default();
    let units = whole.keys().filter(|name| name.starts_with("units/"));
    let left_out: Vec<&String> = units.skip(effort.units).collect();
    for (name, content) in whole.iter().filter(|(name, _)| !left_out.contains(name)) {
        for (what, damaged) in damages(content, effort) {
            tally.damages += 1;
            for (words, expected) in commands.iter().zip(&expected) {
                fs::write(path.join(name), &damaged).unwrap();
                let ended = run(place, words);
                tally.commands += 1;
                let fault = match ended.code {
                    Some(0) if result(place, &ended) == *expected => None,
                    Some(0) => Some("another result, without a word".to_owned()),
                    // Of TOML the line follows, with a caret below.
                    Some(1) if ended.stderr.lines().any(|line| line.starts_with("error: ")) => {
                        tally.refused += 1;
                        None
                    }
                    code => Some(format!("exit code {code:?}: {}", ended.stderr)),
                };
                let panicked = ended.stderr.contains("panicked").then(|| "a panic".to_owned());
                tally.faults.extend(fault.or(panicked).map(|fault| format!("{name}, {what}, {words}: {fault}")));
                restore(&path, &whole);
            }
        }
    }
    tally
}

#[track_caller]
fn assert_held(what: &str, tally: &Tally) {
    let Tally { damages, commands, refused, faults } = tally;
    println!("{what}: {damages} damages, {commands} commands, {refused} refused, {} faults", faults.len());
    assert!(faults.is_empty(), "{} faults of {what}:\n{}", faults.len(), faults.join("\n"));
    assert!(*refused > 0);
}

fn finished_run(effort: Effort) {
    let place = place();
    assert_eq!(run(&place, &format!("train {TASKS} {SMALL} --epochs 2")).code, Some(0));
    let tally = try_all(&place, "run", &READ_RUN.map(str::to_owned), effort, |_, ended| ended.stdout.clone());
    assert_held("a finished run", &tally);
}

/// What a resumed training ends with.
fn interrupted_run(effort: Effort) {
    let place = place();
    let mut child = place.started(&format!("train {TASKS} {SMALL} --epochs 20 --patience 0"));
    child.kill().unwrap();
    child.wait().unwrap();
    let commands = ["train --resume run".to_owned()];
    let model = |place: &Place, _: &Ended| {
        let bytes = fs::read(place.path("run/model.safetensors")).unwrap();
        format!("{:?}", bytes)
    };
    assert_held("an interrupted run", &try_all(&place, "run", &commands, effort, model));
}

fn finished_study(effort: Effort) {
    let place = place();
    for words in [study(), "curve --out s".into()] {
        let ended = run(&place, &words);
        assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
    }
    let commands = READ_STUDY.map(|words| words.replace("STUDY", &study()));
    assert_held("a study", &try_all(&place, "s", &commands, effort, |_, ended| ended.stdout.clone()));
}

#[test]
fn a_few_damages_are_noticed_or_do_no_harm() {
    let few = Effort { flips: 3, cuts: 1, repeats: 1, units: 1 };
    thread::scope(|scope| {
        scope.spawn(|| finished_run(few));
        scope.spawn(|| finished_study(few));
    });
}

const MANY: Effort = Effort { flips: 300, cuts: 40, repeats: 40, units: 2 };

#[test]
#[ignore = "thousands of damages, many minutes"]
fn many_damages_of_a_run_are_noticed_or_do_no_harm() {
    finished_run(MANY);
}

#[test]
#[ignore = "thousands of damages, many minutes"]
fn many_damages_of_an_interrupted_run_are_noticed_or_do_no_harm() {
    interrupted_run(Effort { flips: 100, cuts: 15, repeats: 15, units: 0 });
}

#[test]
#[ignore = "thousands of damages, many minutes"]
fn many_damages_of_a_study_are_noticed_or_do_no_harm() {
    finished_study(Effort { flips: 60, cuts: 10, repeats: 10, units: 2 });
}
