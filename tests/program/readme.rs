//! The README keeps its word: its commands run, in its order, on files like those it speaks of, and its test command is CI's.

use std::{fs, path::Path};

use assert_cmd::Command;

const README: &str = include_str!("../../README.md");
const CI: &str = include_str!("../../.ci/run");

/// The lines of the fenced `sh` blocks, without their comments.
fn commands() -> Vec<String> {
    let blocks = README.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The words of a command; what stands between quotation marks is one.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('"').enumerate();
    parts.flat_map(|(i, part)| if i % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }).collect()
}

/// The files that the README's commands name.
fn write_files(directory: &Path) {
    let words = ["flu", "shot", "sore", "fever", "sun", "cat", "dog", "run"];
    // The last word makes each text one of its own.
    let letter = |i: usize| (b'a' + (i % 26) as u8) as char;
    let text = |i: usize| format!("{} {} my{}{}", words[i % 8], words[(i * 5 + 3) % 8], letter(i), letter(i / 26));
    let is_true = |i: usize| u8::from(i % 8 < 4);
    let tsv: String = (0..60).map(|i| format!("{}\t{}\n", text(i), is_true(i))).collect();
    let csv: String = (0..60).map(|i| format!("\"{}\",{}\n", text(i + 1), is_true(i + 1))).collect();
    let vectors: String = words.iter().enumerate().map(|(i, word)| format!("{word} 0.{i} -0.{i} 0.5\n")).collect();
    for (name, content) in [
        ("flu.tsv", format!("text\tflu\n{tsv}")),
        ("vaccine.csv", format!("text,relevant\n{csv}")),
        ("new-posts.tsv", "id\ttext\n1\tflu shot today\n2\t\n".into()),
        ("glove.twitter.27B.200d.txt", vectors),
    ] {
        fs::write(directory.join(name), content).unwrap();
    }
}

#[test]
fn every_command_runs() {
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path());
    let mut run = 0;
    for command in commands().iter().filter(|command| command.starts_with("mtlcore ")) {
        let (call, output) = command.split_once('>').unwrap_or((command, ""));
        let mut process = Command::cargo_bin("mtlcore").unwrap();
        let outcome = process.current_dir(directory.path()).args(&words(call)[1..]).assert().success();
        if !output.is_empty() {
            fs::write(directory.path().join(output.trim()), &outcome.get_output().stdout).unwrap();
        }
        run += 1;
    }
    assert!(run >= 10, "the README shows {run} commands");
    let predicted = fs::read_to_string(directory.path().join("predicted.tsv")).unwrap();
    assert!(
        predicted.starts_with("id\ttext\tflu_probability\tflu_prediction\tvaccine_probability\tvaccine_prediction\n")
    );
}

#[test]
fn the_two_commands_of_a_fresh_machine_are_those_of_ci() {
    for command in commands().iter().filter(|command| command.starts_with("cargo ")) {
        if command.starts_with("cargo install") {
            continue;
        }
        assert!(CI.contains(command.as_str()), "CI does not run `{command}`");
    }
}
