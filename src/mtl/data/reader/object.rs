//! A row of JSON Lines, of which only the texts are decoded: everything else keeps its spelling.

use crate::printable::quoted;
use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The members of an object, in their order.
pub type Object = IndexMap<String, Json>;

/// A value of JSON Lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// A string.
    Text(String),
    /// Anything else, as it is spelt: numbers of any size, arrays, objects, and strings that are no text, since they hold
    /// half of a surrogate pair (`"\ud83d"`).
    Other(Box<str>),
}

impl Json {
    /// Null, which is what a row has that lacks a key.
    pub(crate) const NULL: &'static str = "null";

    fn of(raw: Box<RawValue>) -> Self {
        match raw.get().starts_with('"').then(|| serde_json::from_str(raw.get())) {
            Some(Ok(text)) => Self::Text(text),
            _ => Self::Other(raw.into()),
        }
    }
}

/// The object that stands on a line, or what is wrong with it.
pub(in crate::mtl::data) fn parse(line: &str) -> Result<Object, String> {
    if line.trim_start().starts_with('[') {
        return Err(
            "found an array, expected a JSON object: JSON Lines has one object a line (`jq -c '.[]'` makes them)"
                .into(),
        );
    }
    match serde_json::from_str::<Members>(line) {
        Ok(Members(object)) => Ok(object),
        Err(_)
            if let Ok(other) = serde_json::from_str::<&RawValue>(line)
                && !other.get().starts_with('{') =>
        {
            Err(format!("found {}, expected a JSON object", kind(other.get())))
        }
        Err(error) if error.is_data() => Err(without_place(&error).0),
        Err(error) => Err(format!("not JSON: {}{}", without_line(&error), hint(line))),
    }
}

/// What a JSON value is, for messages.
pub(crate) fn kind(spelt: &str) -> Cow<'_, str> {
    match spelt.as_bytes().first() {
        Some(b'"') => format!("{}, half of a surrogate pair", quoted(spelt.trim_matches('"'))).into(),
        Some(b'[') => "an array".into(),
        Some(b'{') => "an object".into(),
        _ => spelt.into(),
    }
}

/// What is often the reason, if it is to be seen.
fn hint(line: &str) -> &'static str {
    if line.contains("NaN") || line.contains("Infinity") {
        "; NaN and Infinity are no JSON: write null"
    } else if line.contains('\r') {
        super::CARRIAGE_RETURN
    } else {
        ""
    }
}

/// The message of a JSON error. Its own line number is always 1, since lines are parsed one by one.
fn without_line(error: &serde_json::Error) -> String {
    match without_place(error) {
        (what, true) => format!("{what} at column {}", error.column()),
        (what, false) => what,
    }
}

/// The message of a JSON error without its place, and whether it had one.
fn without_place(error: &serde_json::Error) -> (String, bool) {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((what, _)) => (what.to_owned(), true),
        None => (message, false),
    }
}

struct Members(Object);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut object = Object::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = Json::of(map.next_value()?);
            super::require_columns(object.len() + 1).map_err(A::Error::custom)?;
            match object.entry(key) {
                indexmap::map::Entry::Vacant(place) => drop(place.insert(value)),
                indexmap::map::Entry::Occupied(taken) => {
                    return Err(A::Error::custom(format!("the key {} occurs twice", quoted(taken.key()))));
                }
            }
        }
        Ok(Members(object))
    }
}
