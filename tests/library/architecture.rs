//! The house keeps its order: `tensor ← autograd ← layers ← mtl`, and nothing points the other way. (`cli` is a crate of its own, so
//! the compiler keeps that edge.)

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// Each may use itself and those before it.
const MODULES: [&str; 4] = ["tensor", "autograd", "layers", "mtl"];

/// All Rust files below `src/{folder}` with their code: no comments, no literals, no unit tests.
fn code(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, bare(&text)));
            }
        }
    }
    assert!(!files.is_empty());
    files
}

fn bare(text: &str) -> String {
    // By the house's rule the tests end the file.
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let ignored = [
        r"//[^\n]*",
        r"(?s:/\*.*?\*/)",
        r##"(?s:r#".*?"#)"##,
        r#"b?"(?:[^"\\]|\\(?s:.))*""#,
        r"b?'(?:[^'\\]|\\[^']+)'",
    ];
    Regex::new(&ignored.join("|")).unwrap().replace_all(text, " ").into_owned()
}

/// What stands directly behind each `crate::`, with and without braces.
fn used_from_crate(code: &str) -> Vec<String> {
    let name = Regex::new(r"^\w+").unwrap();
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if !rest.starts_with('{') {
            used.extend(name.find(rest).map(|name| name.as_str().to_owned()));
            continue;
        }
        let (mut depth, mut word) = (0, String::new());
        for c in rest.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => used.push(std::mem::take(&mut word)),
                c if depth == 1 => word.push(c),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        used.push(word);
    }
    let first = |path: String| path.trim().split("::").next().unwrap().to_owned();
    used.into_iter().map(first).filter(|name| !name.is_empty()).collect()
}

#[test]
fn the_reader_of_code_sees_what_it_should() {
    let text = "use crate::{Error, mtl::{a, b}, layers::Lstm};\nuse crate::tensor::Tensor; // crate::no\n\
                fn f() { crate::autograd::g(\"crate::no\", 'c', '\\'') }\n/// [`crate::no`]\n\
                fn g<'a>(x: &'a str) {}\n#[cfg(test)]\nmod tests {\n use crate::no; }";
    assert_eq!(used_from_crate(&bare(text)), ["Error", "mtl", "layers", "tensor", "autograd"]);
}

/// What depends on nothing and may be used everywhere.
const FOR_ALL: [&str; 4] = ["Error", "Result", "error", "printable"];

#[test]
fn nothing_points_the_other_way() {
    for (place, module) in MODULES.iter().enumerate() {
        for (path, code) in code(module) {
            for used in used_from_crate(&code) {
                let allowed = MODULES[..=place].contains(&used.as_str()) || FOR_ALL.contains(&used.as_str());
                assert!(allowed, "{}: {module} uses crate::{used}", path.display());
            }
        }
    }
}

/// The rooms of `mtl::study`, each of which may use those before it. What the study's own `mod.rs` publishes, only `directory`
/// and the outside may use: inside, an import names the room.
const ROOMS: [&str; 4] = ["planning", "execution", "error_analysis", "findings"];

#[test]
fn the_rooms_of_a_study_are_in_order() {
    let imported = Regex::new(r"study::\{?((?s)[^;]*?);").unwrap();
    let room = Regex::new(r"\b(planning|execution|error_analysis|findings|directory)\b").unwrap();
    let mut seen = 0;
    for (place, name) in ROOMS.iter().enumerate() {
        for (path, code) in code(&format!("mtl/study/{name}")) {
            assert!(!code.contains("super::super::"), "{}: a path by its name is easier to follow", path.display());
            for (_, [import]) in imported.captures_iter(&code).map(|found| found.extract()) {
                for used in room.find_iter(import).map(|found| found.as_str()) {
                    assert!(ROOMS[..place].contains(&used), "{}: {name} uses {used}", path.display());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 10, "imports are seen, but only {seen}");
}

#[test]
fn unsafe_code_stays_in_tensor() {
    let word = Regex::new(r"\bunsafe\b").unwrap();
    for folder in ["autograd", "layers", "mtl", "cli"] {
        for (path, code) in code(folder) {
            assert!(!word.is_match(&code), "{}", path.display());
        }
    }
    assert!(code("tensor").iter().any(|(_, code)| word.is_match(code)), "the word is found where it is");
}

/// A tape that is borrowed plainly needs neither, and stays usable from several threads.
#[test]
fn the_engine_counts_no_references_and_borrows_at_compile_time() {
    let word = Regex::new(r"\b(Rc|RefCell)\b").unwrap();
    for folder in ["tensor", "autograd", "layers"] {
        for (path, code) in code(folder) {
            assert!(!word.is_match(&code), "{}", path.display());
        }
    }
}
