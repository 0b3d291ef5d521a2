//! Posts that people hold already: pages of twarc, pages that it has flattened, JSON of API v1.1, the flu-vaccine set's JSON.

use std::path::Path;

use serde_json::{Deserializer, Value};

use super::answers::{Answers, Page};
use crate::mtl::data::input::{decoded, open};
use crate::{Error, Result};

/// Adds the posts of a file to `answers`: JSON objects, one a line or not, or an array of them; plain or gzip.
///
/// # Errors
/// [`Error::Line`] for what is no JSON, [`Error::File`] if there is no post in it, [`Error::Io`] if it cannot be read.
pub fn read_held(path: &Path, answers: &mut Answers) -> Result<()> {
    let input = decoded(open(path)?).map_err(Error::io(path))?;
    let mut found = 0;
    for value in Deserializer::from_reader(input).into_iter::<Value>() {
        let value = value.map_err(|error| match error.io_error_kind() {
            Some(_) => Error::io(path)(error.into()),
            None => Error::line(path, error.line() as u64, format!("not JSON of posts: {error}")),
        })?;
        let posts = match value {
            Value::Array(posts) => posts,
            other => vec![other],
        };
        found += posts.iter().map(|post| add(post, answers)).sum::<usize>();
    }
    if found == 0 {
        let message = "there is no post in it; expected JSON as twarc2, tweepy or API v1.1 give it, an object a line";
        return Err(Error::file(path, message));
    }
    Ok(())
}

/// Adds a page of posts or a post; how many these are.
fn add(value: &Value, answers: &mut Answers) -> usize {
    let list = |name: &str| value.get(name).and_then(Value::as_array).cloned();
    let data = match value.get("data") {
        Some(post @ Value::Object(_)) => vec![post.clone()],
        _ => list("data").unwrap_or_default(),
    };
    let errors = list("errors").unwrap_or_default();
    if data.is_empty() && errors.is_empty() {
        return usize::from(answers.add_held(value));
    }
    let added = data.len() + errors.len();
    let includes = value.get("includes").cloned().unwrap_or_default();
    answers.add(&Page { asked: Vec::new(), data, includes, errors, at: 0 });
    added
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::hydrate::Retweets;
    use std::fs;

    fn texts(content: &[u8], ids: [&str; 2]) -> [Option<String>; 2] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pages.jsonl");
        fs::write(&path, content).unwrap();
        let mut answers = Answers::default();
        read_held(&path, &mut answers).unwrap();
        ids.map(|id| answers.text(id, Retweets::Full))
    }

    /// The same two posts as the tools that people used have saved them.
    #[test]
    fn posts_are_read_in_every_form() {
        let forms = [
            // twarc2 hydrate
            r#"{"data":[{"id":"1","text":"a &amp; b"},{"id":"2","text":"RT @x: c…","referenced_tweets":[{"type":"retweeted","id":"3"}]}],"includes":{"tweets":[{"id":"3","text":"cut not"}]},"__twarc":{"version":"2.14.0"}}"#,
            // twarc2 flatten
            "{\"id\":\"1\",\"text\":\"a &amp; b\"}\n{\"id\":\"2\",\"text\":\"RT @x: c…\",\"referenced_tweets\":[{\"type\":\"retweeted\",\"id\":\"3\",\"text\":\"cut not\"}]}\n",
            // API v1.1
            "{\"id\":1,\"id_str\":\"1\",\"text\":\"a &amp; b\"}\n{\"id_str\":\"2\",\"full_text\":\"RT @x: c…\",\"retweeted_status\":{\"id_str\":\"3\",\"full_text\":\"cut not\"}}",
            // the same as an array over several lines
            "[\n{\"id_str\":\"1\",\"text\":\"a &amp; b\"},\n{\"id_str\":\"2\",\"full_text\":\"RT @x: cut not\"}\n]",
            // the flu-vaccine set
            "{\"id\":1,\"tweet\":{\"text\":\"a &amp; b\"},\"label\":{}}\n{\"id\":2,\"tweet\":{\"text\":\"RT @x: cut not\"}}\n",
        ];
        for form in forms {
            let expected = [Some("a & b".to_owned()), Some("RT @x: cut not".to_owned())];
            assert_eq!(texts(form.as_bytes(), ["1", "2"]), expected, "{form}");
        }
    }

    #[test]
    fn a_file_without_posts_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        for (content, message) in [
            ("{\"a\":1}\n", "a.json: there is no post in it; expected JSON"),
            ("", "a.json: there is no post in it"),
            ("{\"id\":\"1\",\"text\":\"x\"}\n{\"id\":\n", "a.json:3: not JSON of posts: EOF"),
        ] {
            fs::write(&path, content).unwrap();
            let error = read_held(&path, &mut Answers::default()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
