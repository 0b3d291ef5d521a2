//! The house keeps its order: `tensor ← autograd ← layers ← mtl`, nothing points the other way, and no two modules need each
//! other. (`cli` is a crate of its own, so the compiler keeps that edge.)

mod imports;
mod map;
mod promises;
mod source;

use regex::Regex;

use imports::{Modules, Place, circle};
use source::{bare, code};

/// Modules in order, below a module: each may use those before it.
const ORDERS: [(&str, &[&str]); 2] = [
    ("", &["tensor", "autograd", "layers", "mtl"]),
    ("mtl/study", &["planning", "execution", "error_analysis", "findings"]),
];

/// The engine alone has none of these.
const ABOVE_THE_ENGINE: [&str; 3] = ["error", "mtl", "printable"];

fn library() -> Modules {
    Modules::read("", "lib")
}

#[test]
fn the_reader_of_code_sees_what_it_should() {
    let text = "use crate::{Error, mtl::{a, b as c}, layers::Lstm};\nuse crate::tensor::Tensor; // crate::no\n\
                fn f() { crate::autograd::g(\"crate::no\", 'c', '\\'') }\n/// [`crate::no`]\n\
                fn g<'a>(x: &'a str) {}\n#[cfg(all(test, unix))]\nmod tests {\n use crate::no; }";
    assert!(!bare(text).contains("no"));
    let place = |path: &str| -> Place { path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect() };
    let files = [
        ("", "pub use a::Shown;"),
        ("a", "pub use deep::Shown; use super::b;"),
        ("a/deep", "use super::super::{b::{self, inner::{Item, Other as Another}}, Unknown}; use std::fs;"),
        ("a/plain", "fn f() { super::deep::g(); self::h(); std::fs::read(0); deep::not_a_path }"),
        ("b", "mod inner;"),
        ("b/inner", "use super::Thing; fn f() -> crate::Shown { inner::no() }"),
        ("c", "use crate::b as bee; fn f() { bee::inner::g(); Shown::new() }"),
    ];
    let modules = Modules::of(files.map(|(path, code)| (place(path), bare(code))));
    let edges = modules.edges();
    let told: Vec<String> = edges
        .iter()
        .flat_map(|(at, pairs)| pairs.iter().map(move |(a, b)| format!("{}: {a} → {b}", at.join("/"))))
        .collect();
    assert_eq!(told, [": a → b", ": b → a", ": c → b", "a: plain → deep"]);
    assert_eq!(circle(&edges[&place("")]).as_deref(), Some("a → b → a"));
    assert_eq!(circle(&edges[&place("a")]), None);
    let deep = &modules.uses()[&place("a/deep")];
    assert_eq!(deep.iter().map(|path| path.join("/")).collect::<Vec<_>>(), ["", "b", "b/inner"]);
}

/// Modules among whose children there is still a circle. The list may only shrink: one without a circle fails here.
const NOT_YET: [&str; 0] = [];

#[test]
fn no_two_modules_need_each_other() {
    let mut circles = Vec::new();
    for (modules, root) in [(library(), "src"), (Modules::read("cli", "main"), "src/cli")] {
        let edges = modules.edges();
        assert!(edges.values().map(|pairs| pairs.len()).sum::<usize>() > 50, "imports are seen");
        for (at, pairs) in edges {
            let place = [&[root.to_owned()], &at[..]].concat().join("/");
            match circle(&pairs) {
                Some(_) if NOT_YET.contains(&place.as_str()) => circles.push(place),
                Some(circle) => panic!("{place}: {circle}"),
                None => {}
            }
        }
    }
    assert_eq!(circles, NOT_YET, "a circle is gone: take it off the list");
}

#[test]
fn nothing_points_the_other_way() {
    let edges = library().edges();
    for (parent, order) in ORDERS {
        let parent: Place = parent.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let place = |name: &str| order.iter().position(|&other| other == name);
        for (from, to) in &edges[&parent] {
            if let (Some(from_place), Some(to_place)) = (place(from), place(to)) {
                assert!(from_place > to_place, "{from} uses {to}");
            }
        }
    }
    for (from, to) in &edges[&Place::new()] {
        let engine = ["tensor", "autograd", "layers"].contains(&from.as_str());
        assert!(!engine || !ABOVE_THE_ENGINE.contains(&to.as_str()), "{from} uses {to}");
    }
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

#[test]
fn what_systems_do_differently_stands_in_one_file_and_the_programs_signals_in_another() {
    let word =
        Regex::new(r"cfg!?\([^)]*\b(?:unix|windows|target_os|target_family)\b|\bos::(?:unix|windows)\b").unwrap();
    for folder in ["tensor", "autograd", "layers", "mtl", "cli"] {
        for (path, code) in code(folder) {
            let may = path.ends_with("mtl/files/system.rs") || path.ends_with("cli/interrupt.rs");
            assert_eq!(word.is_match(&code), may, "{}", path.display());
        }
    }
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
