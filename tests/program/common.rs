//! What the tests of the program share: a directory of its own for each, and the program in it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use regex::Regex;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A working directory that goes with its value.
pub struct Place(TempDir);

/// The accuracy of a task at ½ in each unit of a directory that is meant, recomputed from its predictions, in the order of file names:
/// an independent look at which arm is which.
pub fn accuracies(place: &Place, directory: &str, task: &str, is_meant: impl Fn(&Value) -> bool) -> Vec<f64> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(place.path(directory).join("units")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let units = files.iter().map(|file| serde_json::from_slice::<Value>(&fs::read(file).unwrap()).unwrap());
    let accuracy = |unit: Value| {
        let predictions = &unit["outcome"]["tasks"][task];
        let [probabilities, truths] = ["probabilities", "truths"].map(|name| predictions[name].as_array().unwrap());
        let right =
            probabilities.iter().zip(truths).filter(|(p, truth)| (p.as_f64().unwrap() > 0.5) == (**truth == true));
        right.count() as f64 / truths.len() as f64
    };
    units.filter(|unit| is_meant(unit)).map(accuracy).collect()
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// A directory with these files.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (name, content) in files {
            fs::write(place.path(name), content).unwrap();
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `mtlcore` with these words, which end at white space.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("mtlcore"));
        command.current_dir(&self.0).args(words.split_whitespace());
        command
    }

    pub fn run(&self, words: &str) -> Output {
        finished(self.command(words))
    }

    /// Starts a training into `run` and waits until its first epoch is done.
    pub fn started(&self, words: &str) -> Child {
        let mut child = self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        // An old run's metrics are removed before the new one's are written.
        while !fs::read(self.path("run/metrics.jsonl")).is_ok_and(|lines| !lines.is_empty()) {
            assert_eq!(child.try_wait().unwrap(), None, "it ended before its first epoch did");
            assert!(begun.elapsed() < Duration::from_secs(60), "no epoch in a minute");
            thread::sleep(Duration::from_millis(1));
        }
        child
    }

    /// All files of a directory with their content.
    pub fn files(&self, directory: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.path(directory)).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }

    /// What a finished run is, to the bit: its parameters and its metrics.
    pub fn result(&self, run: &str) -> [Vec<u8>; 2] {
        assert_eq!(self.manifest(run)["finished"], true, "{run}");
        ["model.safetensors", "metrics.jsonl"].map(|name| fs::read(self.path(run).join(name)).unwrap())
    }

    pub fn manifest(&self, run: &str) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path(run).join("manifest.json")).unwrap()).unwrap()
    }
}

/// Changes a file of JSON as if it had been written that way: without the checksum of what it said before.
pub fn edit_json(path: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    value.as_object_mut().unwrap().remove("sha256").expect("it had one");
    fs::write(path, serde_json::to_string_pretty(&value).unwrap()).unwrap();
}

/// Runs a command to its end.
pub fn finished(mut command: Command) -> Output {
    output(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// Waits for the end of a program.
pub fn output(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A page has a policy that allows its own scripts, of which there are so many, and nothing else: no network, no `eval`.
#[track_caller]
pub fn assert_keeps_to_itself(html: &str, scripts: usize) {
    let policy = Regex::new(r#"<meta http-equiv="Content-Security-Policy" content="([^"]*)">"#).unwrap();
    let policy = &policy.captures(html).expect("a policy")[1];
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
    let code = Regex::new("(?s)<script>(.*?)</script>").unwrap();
    let hashes: Vec<String> = code.captures_iter(html).map(|code| STANDARD.encode(Sha256::digest(&code[1]))).collect();
    assert_eq!((hashes.len(), policy.matches("'sha256-").count()), (scripts, scripts));
    assert!(hashes.iter().all(|hash| policy.contains(&format!("'sha256-{hash}'"))), "{policy}");
    let control = html.chars().find(|&c| c.is_control() && c != '\n' && c != '\t');
    assert_eq!(control, None, "a control character in a page");
}

/// What an expected gain has to say: the outcome whose probability is more than a half.
pub fn likelier_than_not(expected: &Value) -> &'static str {
    let [helps, hurts] = ["helps", "hurts"].map(|name| expected[name].as_f64().unwrap());
    let outcomes = [("helps", helps), ("hurts", hurts), ("no-difference", 1.0 - helps - hurts)];
    outcomes.into_iter().find(|(_, probability)| *probability > 0.5).map_or("cannot-tell", |(word, _)| word)
}
