//! The course in `docs/course`: every exercise fails as it stands and passes with its solution, links lead somewhere, commands run.
//!
//! `cargo exercise NAME` runs an exercise as its student has left it; those tests are ignored otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use regex::Regex;

#[path = "../docs/course/exercises/mod.rs"]
#[allow(unused)]
#[allow(clippy::type_complexity, clippy::needless_range_loop, reason = "plain for those who are new to Rust")]
mod exercises;
#[path = "../examples/scalar_tape.rs"]
#[allow(unused)]
mod scalar_tape;
#[path = "../docs/course/solutions/mod.rs"]
mod solutions;

/// The tests of a chapter's exercises, which are functions of what the student writes.
macro_rules! chapter {
    ($chapter:ident: $($name:ident)+) => { $(
        mod $name {
            use crate::{exercises, solutions};

            #[test]
            #[ignore = "for the student: `cargo exercise` runs it"]
            fn exercise() {
                exercises::$chapter::check::$name(exercises::$chapter::$name);
            }

            #[test]
            fn fails_as_it_stands() {
                assert!(std::panic::catch_unwind(exercise).is_err(), "nothing is left to do");
            }

            #[test]
            fn passes_with_its_solution() {
                exercises::$chapter::check::$name(solutions::$chapter::$name);
            }
        }
    )+ };
}

chapter!(chapter_01: power logistic square_root);
chapter!(chapter_02: product_gradients bias_gradient squared_error);
chapter!(chapter_03: central_difference cube blind_cotangent);
chapter!(chapter_04: lstm_forward lstm_backward half_life);
chapter!(chapter_05: best_window window_gradient count_windows);
chapter!(chapter_06: cross_entropy masked_loss task_share);
chapter!(chapter_07: running_mean adam_update bound_of_a_step);
chapter!(chapter_08: gradient_cosine pull_on_shared lookahead_affinity);
chapter!(chapter_09: project_conflicts shortest_mixture equal_projections);
chapter!(chapter_10: t_statistic sign_flip say_verdict);
chapter!(chapter_11: word_weight ranks_of apart);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages: where they are, and what they say.
fn pages() -> Vec<(PathBuf, String)> {
    let files = fs::read_dir(root().join("docs/course")).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut paths: Vec<PathBuf> = pages.chain([root().join("docs/adding-an-op.md")]).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn captures(pattern: &str, text: &str) -> Vec<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let code = Regex::new("(?s)```.*?```|`[^`\n]*`").unwrap();
    for (path, text) in pages() {
        let prose = code.replace_all(&text, "code");
        let inline = captures(r"\]\(([^)]+)\)", &prose);
        let defined = captures(r"(?m)^\[([^\]]+)\]: ", &prose);
        for target in inline.iter().chain(&captures(r"(?m)^\[[^\]]+\]: (\S+)", &prose)) {
            assert!(path.with_file_name(target).exists(), "{}: {target}", path.display());
        }
        for name in captures(r"\]\[([^\]]+)\]", &prose) {
            assert!(defined.contains(&name), "{}: nothing says where [{name}] leads", path.display());
        }
    }
}

#[test]
fn every_chapter_has_three_exercises_with_a_solution_each() {
    let mut chapters = 0;
    for (path, text) in pages() {
        let Some(number) = captures(r"/(\d\d)-[^/]+$", &path.to_string_lossy()).pop() else { continue };
        let read = |folder: &str| {
            fs::read_to_string(root().join(format!("docs/course/{folder}/chapter_{number}.rs"))).unwrap()
        };
        let exercises = captures("cargo exercise ([a-z_]+)", &text);
        assert_eq!(exercises.len(), 3, "{}", path.display());
        for name in exercises {
            let function = format!("pub fn {name}(");
            assert_eq!(read("exercises").matches(&function).count(), 2, "{name}: the gap and what must hold");
            assert_eq!(read("solutions").matches(&function).count(), 1, "{name}: the solution");
        }
        chapters += 1;
    }
    assert_eq!(chapters, 11);
}

#[test]
fn the_tape_of_the_first_chapter_is_that_of_its_program() {
    let chapter = include_str!("../docs/course/01-scalar-tape.md");
    let program = include_str!("../examples/scalar_tape.rs");
    let listing = chapter.split("```rust\n").nth(1).unwrap();
    assert!(program.contains(listing.split("\n// 3").next().unwrap()));
    let mut tape = scalar_tape::Tape::default();
    let [w, x, b] = [0.5, 2.0, -1.0].map(|number| tape.input(number));
    let product = tape.mul(w, x);
    let sum = tape.add(product, b);
    let y = tape.tanh(sum);
    assert!(chapter.contains(&tape.table(&tape.backward(y))), "the table of the chapter is the program's");
}

/// A number may round otherwise on another machine.
fn without_numbers(picture: &str) -> String {
    Regex::new(r"[0-9.]+(e-?[0-9]+)?").unwrap().replace_all(picture, "#").into_owned()
}

#[cfg(unix)]
#[test]
fn the_pictures_are_what_their_commands_make() {
    let (stored, made) = (root().join("docs/course/pictures"), tempfile::tempdir().unwrap());
    let program = Path::new(env!("CARGO_BIN_EXE_mtlcore")).parent().unwrap();
    let paths = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([program.into()].into_iter().chain(std::env::split_paths(&paths))).unwrap();
    Command::new(root().join("docs/course/pictures.sh")).arg(made.path()).env("PATH", path).assert().success();
    let links = fs::read_to_string(stored.join("links.md")).unwrap();
    let mut pictures = 0;
    for entry in fs::read_dir(made.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(picture) = name.strip_suffix(".svg") else { continue };
        let read = |folder: &Path| fs::read_to_string(folder.join(&name)).unwrap();
        assert_eq!(without_numbers(&read(made.path())), without_numbers(&read(&stored)), "{name}: make it again");
        let link =
            links.lines().find_map(|line| line.strip_prefix(&format!("[{picture}]: data:image/svg+xml;base64,")));
        let decoded = Command::new("base64").arg("-d").write_stdin(link.unwrap()).assert().success();
        assert_eq!(decoded.get_output().stdout, read(&stored).as_bytes(), "links.md: make it again");
        pictures += 1;
    }
    assert_eq!(links.lines().count(), pictures);
}

#[test]
fn commands_run() {
    let directory = tempfile::tempdir().unwrap();
    let mut run = 0;
    for (_, text) in pages() {
        for command in captures("(?m)^mtlcore (.+)$", &text) {
            let mut process = Command::cargo_bin("mtlcore").unwrap();
            process.current_dir(directory.path()).args(command.split_whitespace()).assert().success();
            run += 1;
        }
    }
    assert!(run > 0);
}
