//! The tests that `docs/reliability.md` names are there.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;

/// The names of all tests below a folder.
fn tests(folder: &Path, names: &mut BTreeSet<String>) {
    // Between the attribute and the name there may be others (ignored, of one system); assertions are shared by many tests.
    let test = Regex::new(r"(?:#\[test\](?:\s*#\[[^\]]*\]|\s*///[^\n]*)*\s*fn |fn assert_)(\w+)").unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(test.captures_iter(&fs::read_to_string(&path).unwrap()).map(|found| found[1].to_owned()));
        }
    }
}

#[test]
fn every_test_that_holds_a_promise_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for folder in ["src", "tests"] {
        tests(&root.join(folder), &mut names);
    }
    assert!(names.len() > 500, "{}", names.len());
    let page = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let name = Regex::new(r"`(?:\w+::)*(?:assert_)?([\w…]+)`").unwrap();
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let column = row.split(" | ").nth(1).unwrap();
        // What has no underscore is a command or a word.
        for name in name.captures_iter(column).map(|found| found[1].to_owned()).filter(|name| name.contains('_')) {
            named += 1;
            let pattern = Regex::new(&format!("^{}$", name.replace('…', r"\w*"))).unwrap();
            assert!(names.iter().any(|test| pattern.is_match(test)), "no test is called {name}");
        }
    }
    assert!(named > 40, "{named}");
}
