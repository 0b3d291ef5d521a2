//! The crate's own source, without what is not code.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::Regex;

/// All Rust files below `src/{folder}` with their code: no comments, no literals, no unit tests.
pub fn code(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, bare(&text)));
            }
        }
    }
    assert!(!files.is_empty());
    files.sort();
    files
}

/// Where the tests begin: by the house's rule they end the file.
static TESTS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\n#\[cfg\((?:test|all\(test, [^\n]*\))\)\]\nmod tests \{").unwrap());

/// Comments and literals.
static IGNORED: LazyLock<Regex> = LazyLock::new(|| {
    let ignored = [
        r"//[^\n]*",
        r"(?s:/\*.*?\*/)",
        r##"(?s:r#".*?"#)"##,
        r#"b?"(?:[^"\\]|\\(?s:.))*""#,
        r"b?'(?:[^'\\]|\\[^']+)'",
    ];
    Regex::new(&ignored.join("|")).unwrap()
});

/// A file's code.
pub fn bare(text: &str) -> String {
    IGNORED.replace_all(TESTS.split(text).next().unwrap(), " ").into_owned()
}
