//! A post's text, from the JSON of the API and of the tools that people saved it with.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What becomes of a repost, whose own text is the other's, cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retweets {
    /// `RT @name: ` and the whole text of the post that is repeated.
    #[default]
    Full,
    /// As the API gives it: cut, as older data sets have it.
    AsIs,
}

/// A post as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Its id.
    pub id: String,
    /// Its own text, long ones whole, as it is escaped in JSON.
    raw: String,
    /// The post that it repeats, if it is nothing but a repetition.
    repeats: Option<String>,
}

/// Posts by their ids, with those that they repeat.
pub type Posts = HashMap<String, Post>;

impl Post {
    /// Puts the post of a JSON object among `posts`, and those inside it: a post of API v2 (flattened by twarc or not), of API
    /// v1.1, or an object that has one as its `tweet`. What is none of these is passed over; `None` then.
    pub fn collect(object: &Value, posts: &mut Posts) -> Option<String> {
        if let Some(inner) = object.get("tweet").filter(|inner| inner.is_object()) {
            let id = digits(object.get("id")).or_else(|| id_of(inner))?;
            let mut post = Self::of(inner, id.clone(), posts)?;
            post.id.clone_from(&id);
            posts.insert(id.clone(), post);
            return Some(id);
        }
        let id = id_of(object)?;
        let post = Self::of(object, id.clone(), posts)?;
        posts.insert(id.clone(), post);
        Some(id)
    }

    fn of(object: &Value, id: String, posts: &mut Posts) -> Option<Self> {
        let long = [["note_tweet", "text"], ["extended_tweet", "full_text"]];
        let long = long.iter().find_map(|[outer, inner]| object.get(outer)?.get(inner)?.as_str());
        let short = || ["full_text", "text"].iter().find_map(|name| object.get(name)?.as_str());
        let raw = long.or_else(short)?.to_owned();
        let mut repeats = None;
        for reference in object.get("referenced_tweets").and_then(Value::as_array).into_iter().flatten() {
            if reference.get("type").and_then(Value::as_str) == Some("retweeted") {
                repeats = digits(reference.get("id"));
            }
            // Flattened pages have the post itself here. One that is known from its own line is not replaced.
            if let Some(id) = id_of(reference).filter(|id| !posts.contains_key(id))
                && let Some(post) = Self::of(reference, id.clone(), posts)
            {
                posts.insert(id, post);
            }
        }
        if let Some(repeated) = object.get("retweeted_status") {
            repeats = id_of(repeated);
            if let Some(id) = repeats.clone().filter(|id| !posts.contains_key(id))
                && let Some(post) = Self::of(repeated, id.clone(), posts)
            {
                posts.insert(id, post);
            }
        }
        Some(Self { id, raw, repeats })
    }

    /// The text to learn from: entities undone, in one line.
    pub fn text(&self, retweets: Retweets, posts: &Posts) -> String {
        let repeated = self.repeats.as_ref().filter(|_| retweets == Retweets::Full).and_then(|id| posts.get(id));
        let whole = match (repeated, prefix(&self.raw)) {
            (Some(repeated), Some(prefix)) => format!("{prefix}{}", repeated.raw),
            _ => self.raw.clone(),
        };
        in_one_line(&unescaped(&whole))
    }
}

/// `RT @name: `, with which the text of a repost begins.
fn prefix(text: &str) -> Option<&str> {
    let name = text.strip_prefix("RT @")?.split_once(": ")?.0;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| &text[.."RT @: ".len() + name.len()])
}

fn id_of(object: &Value) -> Option<String> {
    digits(object.get("id_str")).or_else(|| digits(object.get("id")))
}

/// An id, which is a string, or a number in API v1.1.
fn digits(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// The three entities that the API writes, undone once: what an author wrote as `&amp;lt;` stays `&lt;`.
fn unescaped(text: &str) -> String {
    const ENTITIES: [(&str, char); 3] = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, c) = ENTITIES
            .iter()
            .find(|(entity, _)| rest.starts_with(entity))
            .map_or((1, '&'), |(entity, c)| (entity.len(), *c));
        result.push(c);
        rest = &rest[length..];
    }
    result + rest
}

/// Without tabs, line breaks and NUL bytes, for which a row of TSV has no place.
fn in_one_line(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\t', '\n', '\r', '\0'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(objects: &[Value], id: &str, retweets: Retweets) -> String {
        let mut posts = Posts::new();
        for object in objects {
            Post::collect(object, &mut posts);
        }
        posts[id].text(retweets, &posts)
    }

    #[test]
    fn long_posts_are_whole() {
        let long = "x".repeat(300);
        let post = json!({"id": "1", "text": &long[..280], "note_tweet": {"text": long}});
        assert_eq!(text(&[post], "1", Retweets::Full), long);
        let old = json!({"id": 1.0, "id_str": "1", "text": "cut…", "extended_tweet": {"full_text": "not cut"}});
        assert_eq!(text(&[old], "1", Retweets::Full), "not cut");
    }

    #[test]
    fn a_retweet_is_the_other_post_in_full() {
        let retweet = json!({"id": "1", "text": "RT @ann: my arm is s…", "referenced_tweets": [{"type": "retweeted", "id": "2"}]});
        let other = json!({"id": "2", "text": "my arm is sore"});
        let both = [retweet.clone(), other];
        assert_eq!(text(&both, "1", Retweets::Full), "RT @ann: my arm is sore");
        assert_eq!(text(&both, "1", Retweets::AsIs), "RT @ann: my arm is s…");
        assert_eq!(text(&[retweet], "1", Retweets::Full), "RT @ann: my arm is s…", "the other is gone");
        let flattened = json!({"id": "1", "text": "RT @ann: my…",
            "referenced_tweets": [{"type": "retweeted", "id": "2", "text": "my arm is sore"}]});
        assert_eq!(text(&[flattened], "1", Retweets::Full), "RT @ann: my arm is sore");
        let v1 = json!({"id_str": "1", "text": "RT @ann: my…", "retweeted_status": {"id_str": "2", "full_text": "my arm is sore"}});
        assert_eq!(text(&[v1], "1", Retweets::Full), "RT @ann: my arm is sore");
        let quote = json!({"id": "1", "text": "so true", "referenced_tweets": [{"type": "quoted", "id": "2"}]});
        assert_eq!(text(&[quote, json!({"id": "2", "text": "x"})], "1", Retweets::Full), "so true");
    }

    #[test]
    fn the_flu_vaccine_set_has_its_post_inside() {
        let object = json!({"id": 7, "tweet": {"text": "flu shot &lt;3"}, "label": {"flu_vaccine_relevant": 1}});
        assert_eq!(text(&[object], "7", Retweets::Full), "flu shot <3");
    }

    #[test]
    fn three_entities_are_undone_once() {
        assert_eq!(unescaped("a &amp; b &lt;3 &gt; &amp;lt; &quot; & &"), "a & b <3 > &lt; &quot; & &");
        assert_eq!(in_one_line("a\r\nb\tc\nd\0"), "a b c d ");
    }

    #[test]
    fn what_is_no_post_is_passed_over() {
        let mut posts = Posts::new();
        for object in [json!({"id": "1"}), json!({"text": "x"}), json!({"id": 1.5, "text": "x"}), json!([])] {
            assert_eq!(Post::collect(&object, &mut posts), None);
        }
        assert!(posts.is_empty());
    }
}
