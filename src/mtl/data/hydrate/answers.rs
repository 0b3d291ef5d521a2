//! What is known of ids: posts that were found, and why others were not.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::post::{Post, Posts, Retweets};

/// What a call of the API brought: a line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The ids that were asked for.
    pub asked: Vec<String>,
    /// Posts.
    #[serde(default)]
    pub data: Vec<Value>,
    /// Posts that those repeat or answer.
    #[serde(default)]
    pub includes: Value,
    /// Why posts are not there.
    #[serde(default)]
    pub errors: Vec<Value>,
    /// When, in Unix seconds.
    #[serde(default)]
    pub at: u64,
}

/// All that was answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    posts: Posts,
    found: HashSet<String>,
    missing: HashMap<String, String>,
    /// Posts that the API returned, each of which it bills.
    pub returned: usize,
}

/// The reason of a post of which the API says nothing at all.
const NOT_RETURNED: &str = "not-returned";

impl Answers {
    /// Adds a page.
    pub fn add(&mut self, page: &Page) {
        for post in &page.data {
            if let Some(id) = Post::collect(post, &mut self.posts) {
                self.missing.remove(&id);
                self.found.insert(id);
            }
        }
        let included = || page.includes.get("tweets").and_then(Value::as_array).into_iter().flatten();
        for post in included() {
            Post::collect(post, &mut self.posts);
        }
        self.returned += page.data.len() + included().count();
        for error in &page.errors {
            let id = ["resource_id", "value"].iter().find_map(|name| error.get(name)?.as_str());
            if let Some(id) = id.filter(|id| !self.found.contains(*id)) {
                self.missing.insert(id.to_owned(), reason(error));
            }
        }
        for id in page.asked.iter().filter(|id| !self.found.contains(*id)) {
            self.missing.entry(id.clone()).or_insert_with(|| NOT_RETURNED.to_owned());
        }
    }

    /// Adds a post that somebody holds.
    pub fn add_held(&mut self, post: &Value) -> bool {
        let id = Post::collect(post, &mut self.posts);
        id.is_some_and(|id| {
            self.missing.remove(&id);
            self.found.insert(id)
        })
    }

    /// Whether the post is there.
    pub fn is_found(&self, id: &str) -> bool {
        self.found.contains(id)
    }

    /// Whether anything is known of an id.
    pub fn has(&self, id: &str) -> bool {
        self.found.contains(id) || self.missing.contains_key(id)
    }

    /// The text of a post; `None` if it is missing.
    pub fn text(&self, id: &str, retweets: Retweets) -> Option<String> {
        let post = self.posts.get(id).filter(|_| self.found.contains(id));
        post.map(|post| post.text(retweets, &self.posts))
    }

    /// Why a post is missing, in the API's words.
    pub fn reason(&self, id: &str) -> &str {
        self.missing.get(id).map_or("not-in-the-files", String::as_str)
    }

    /// Forgets everything but what was billed.
    pub(super) fn forget(&mut self) {
        *self = Self { returned: self.returned, ..Self::default() };
    }
}

/// `resource-not-found` of `https://api.twitter.com/2/problems/resource-not-found`, or else the title.
fn reason(error: &Value) -> String {
    let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = text("type").and_then(|kind| kind.rsplit('/').next()).filter(|kind| *kind != "about:blank");
    kind.or(text("title")).unwrap_or(NOT_RETURNED).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_asked_and_not_returned_is_missing() {
        let mut answers = Answers::default();
        answers.add(&Page {
            asked: ["1", "2", "3", "4"].map(str::to_owned).to_vec(),
            data: vec![json!({"id": "1", "text": "a"})],
            includes: json!({"tweets": [{"id": "4", "text": "only referred to"}]}),
            errors: vec![
                json!({"resource_id": "2", "type": "https://api.twitter.com/2/problems/resource-not-found"}),
                json!({"value": "3", "title": "Authorization Error"}),
            ],
            at: 0,
        });
        assert_eq!(answers.text("1", Retweets::Full).as_deref(), Some("a"));
        let reasons = ["2", "3", "4"].map(|id| (answers.text(id, Retweets::Full), answers.reason(id)));
        assert_eq!(reasons, [(None, "resource-not-found"), (None, "Authorization Error"), (None, "not-returned")]);
        assert_eq!((answers.returned, answers.has("4"), answers.has("5")), (2, true, false));
    }
}
