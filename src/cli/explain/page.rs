//! The page: its words, formulas and template.

use anyhow::Result;
use indexmap::IndexMap;
use minijinja::value::{Serde, Value};
use mtlcore::{
    mtl::explain::{Explanation, Place, TokenKind},
    printable::listed,
};
use serde::Serialize;

use super::{
    Explained,
    code::{self, Listing},
};
use crate::{
    page::{self, escape, numbers::decimals},
    subject,
};

/// The page of a text: one file without network.
pub fn of(explained: &Explained) -> Result<String> {
    let words: Vec<PlaceWords> =
        explained.explanation.places.iter().map(|place| PlaceWords::of(place, explained)).collect();
    let always = [code::DENSE, code::LOSS, code::SWEEP, code::PLACES, code::ATTRIBUTION, code::QUADRATURE];
    let used = words.iter().flat_map(|words| &words.code).copied().chain(always);
    let listings: IndexMap<&str, &str> = used.map(|listing| (listing.path, listing.text)).collect();
    let context = minijinja::context! {
        explained => Value::from(Serde(explained)),
        words => Value::from(Serde(words)),
        listings => Value::from(Serde(listings)),
        data => Value::from_safe_string(escape::json(explained)),
        explain_style => Value::from_safe_string(include_str!("templates/explain.css").into()),
        opening => opening(&explained.explanation),
        notices => notices(explained),
    };
    let mut environment = page::environment();
    environment.add_template("explain.html", include_str!("templates/explain.html")).expect("the template is valid");
    page::render(&mut environment, "explain.html", &[include_str!("templates/explain.js")], context)
}

/// What each two tasks ask of what they share, over all shared parameters, and the word that did most for each answer.
fn opening(explanation: &Explanation) -> Vec<String> {
    let tasks = &explanation.tasks;
    let pairs = (0..tasks.len()).flat_map(|a| (a + 1..tasks.len()).map(move |b| [a, b]));
    let mut sentences: Vec<String> = pairs
        .filter_map(|[a, b]| {
            let who = match tasks.len() {
                2 => "Both tasks".to_owned(),
                _ => format!("{} and {}", tasks[a].name, tasks[b].name),
            };
            let cosine = cosine_of_pulls(explanation, [a, b])?;
            let how = match cosine {
                ..-0.1 => "pull against each other",
                ..=0.1 => "hardly concern each other",
                _ => "pull alike",
            };
            Some(format!(
                "{who} {how} on the shared weights: the cosine of their gradients is {}.",
                decimals(cosine, 2)
            ))
        })
        .collect();
    for task in tasks {
        let shares = &task.attribution.integrated_gradients;
        let most = shares.iter().zip(&explanation.tokens).max_by(|(a, _), (b, _)| a.abs().total_cmp(&b.abs()));
        if let Some((share, token)) = most.filter(|(share, _)| **share != 0.0) {
            let way = if *share > 0.0 { "for" } else { "against" };
            sentences.push(format!("What speaks most {way} {} is “{}”.", task.name, token.text));
        }
    }
    sentences
}

/// The cosine of two tasks' gradients over all shared parameters, from what is known of each of them; none if one is 0.
fn cosine_of_pulls(explanation: &Explanation, tasks: [usize; 2]) -> Option<f64> {
    let (mut product, mut squares) = (0.0, [0.0, 0.0]);
    for pull in &explanation.pulls {
        let norms = tasks.map(|task| pull.norms[task]);
        let cosine = pull.agreements.iter().find(|agreement| agreement.tasks == tasks).and_then(|found| found.cosine);
        product += cosine.unwrap_or(0.0) * norms[0] * norms[1];
        squares = [squares[0] + norms[0] * norms[0], squares[1] + norms[1] * norms[1]];
    }
    let length = (squares[0] * squares[1]).sqrt();
    (length > 0.0).then(|| product / length)
}

/// What a reader has to know before believing the pictures.
fn notices(explained: &Explained) -> Vec<String> {
    let explanation = &explained.explanation;
    let mut notices = Vec::new();
    if explained.run.version != explained.version {
        notices.push(format!("Another version: {}.", subject::other_version(&explained.run.version)));
    }
    let words = || explanation.tokens.iter().filter(|token| token.kind != TokenKind::Padding);
    if words().all(|token| token.kind == TokenKind::Unknown) {
        notices.push(
            "The run knows none of these words. All have the vector of the unknown word, so the network sees how many \
             they are, and nothing else."
                .into(),
        );
    } else if words().all(|token| token.kind != TokenKind::Known) {
        notices.push(
            "None of these words has a vector of its own, so the network sees how many they are, and nothing else."
                .into(),
        );
    }
    let known = words().any(|token| token.kind == TokenKind::Known);
    for (kind, what) in
        [(TokenKind::Unknown, "unknown to the run"), (TokenKind::WithoutVector, "without a vector of their own")]
    {
        let found: Vec<&str> = words().filter(|token| token.kind == kind).map(|token| token.text.as_str()).collect();
        if known && !found.is_empty() {
            notices.push(format!("Words {what}: {}.", listed(&found)));
        }
    }
    if explanation.left_out > 0 {
        notices
            .push(format!("{} tokens at the end are not read: `max-length` ends before them.", explanation.left_out));
    }
    if let [task] = &explanation.tasks[..] {
        notices.push(format!("The run has one task, {}, so no two gradients can be compared.", task.name));
    }
    notices
}

/// What the page says of a place.
#[derive(Serialize)]
struct PlaceWords {
    name: String,
    title: String,
    forward: String,
    backward: String,
    code: Vec<Listing>,
}

impl PlaceWords {
    fn of(place: &Place, explained: &Explained) -> Self {
        let run = &explained.run;
        let has_states = run.shared != "conv";
        let (direction, part) = place.name.split_once('.').unwrap_or(("", &place.name));
        let gate = |letter: &str, function: &str| format!("{letter} = {function}(x·K + h₋·R + b)");
        let (title, forward, backward, code) = match part {
            "words" => (
                "Word vectors x",
                "x = row of the embedding".to_owned(),
                if has_states {
                    "dx = da·Kᵀ, of both directions"
                } else {
                    "dx = Σ dz·K over the windows that it is in"
                },
                if has_states { vec![code::GATHER, code::WALK] } else { vec![code::GATHER, code::WINDOWS] },
            ),
            "input-gate" => ("input gate i", gate("i", "γ"), "da = dc∘g∘γ′", vec![code::CELL]),
            "forget-gate" => ("forget gate f", gate("f", "γ"), "da = dc∘c₋∘γ′", vec![code::CELL]),
            "candidate" => ("candidate g", gate("g", "tanh"), "da = dc∘i∘(1 − g²)", vec![code::CELL]),
            "output-gate" => ("output gate o", gate("o", "γ"), "da = dh∘tanh(c)∘γ′", vec![code::CELL]),
            "cells" => {
                ("cell c", "c = f∘c₋ + i∘g".into(), "dc = dc₊∘f₊ + dh∘o∘(1 − tanh²c)", vec![code::CELL, code::WALK])
            }
            "states" => ("hidden state h", "h = o∘tanh(c)".into(), "dh = dy + da₊·Rᵀ", vec![code::CELL, code::WALK]),
            "windows" => (
                "Windows of the convolution",
                format!("{}(z), z = b + Σ x·K over a window", run.conv_activation),
                "dy / number of windows",
                vec![code::CONV, code::WINDOWS],
            ),
            _ => {
                let (forward, code) = match (run.shared.as_str(), run.sentence.as_str(), run.conv_pooling.as_str()) {
                    ("bilstm", "last", _) => {
                        ("s = h of the last word forward, and of the first word backward", code::BILSTM)
                    }
                    ("bilstm", "max", _) => ("s = the largest h of each unit", code::BILSTM),
                    ("bilstm", _, _) => ("s = the mean h of each unit", code::BILSTM),
                    (_, _, "max") => ("s = the largest φ(b + Σ x·K) of each filter over all windows", code::WINDOWS),
                    _ => ("s = the mean of each filter over all windows", code::WINDOWS),
                };
                ("Sentence vector s", forward.to_owned(), "ds = dz·w", vec![code, code::DENSE])
            }
        };
        let title = match direction {
            "" => title.to_owned(),
            "forward" => format!("Forward reading, {title}"),
            _ => format!("Backward reading, {title}"),
        };
        Self { name: place.name.clone(), title, forward, backward: backward.into(), code }
    }
}
