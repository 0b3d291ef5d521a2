//! The map says what is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// What stands between backquotes and looks like a path below one of these folders.
fn paths(text: &str, folders: &str) -> BTreeSet<String> {
    let path = Regex::new(&format!(r"`((?:{folders})(?:/[\w.-]+)*)/?`")).unwrap();
    path.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn folders(of: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(of).unwrap().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap())
}

#[test]
fn its_paths_exist_and_every_room_is_on_it() {
    let source = root().join("src");
    let named = paths(&text("docs/architecture.md"), "tensor|autograd|layers|mtl|cli");
    assert!(named.len() > 50, "{named:?}");
    for path in &named {
        assert!(source.join(path).exists(), "docs/architecture.md: {path}");
    }
    let rooms = folders(&source).filter(|name| name != "mtl");
    for room in rooms.chain(folders(&source.join("mtl")).map(|name| format!("mtl/{name}"))) {
        assert!(named.contains(&room), "docs/architecture.md does not name {room}");
    }
}

#[test]
fn the_paths_of_other_guides_exist() {
    for guide in ["CONTRIBUTING.md", "RELEASING.md", "README.md", "docs/performance.md"] {
        for path in paths(&text(guide), "src|tests|docs|benches|examples") {
            assert!(root().join(&path).exists(), "{guide}: {path}");
        }
    }
}
