//! One call of the X API, and what may go wrong with it.

use std::{fmt, path::Path, time::Duration};

use serde_json::{Map, Value};
use ureq::Agent;

use super::post::Retweets;
use crate::mtl::files::system::mode_for_others;
use crate::printable::shortened;
use crate::{Error, Result};

/// The most ids of one call.
pub(super) const MOST_IDS: usize = 100;

/// Where the API is.
const BASE: &str = "https://api.x.com";

/// The environment variable with the token.
const VARIABLE: &str = "X_BEARER_TOKEN";

/// The environment variable with another address, for tests: a server of this machine.
const ADDRESS: &str = "MTLCORE_X_API";

/// The longest answer: a hundred posts with all that they refer to are a megabyte at most.
const LONGEST_ANSWER: u64 = 32 << 20;

/// A bearer token, which is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Token {
    /// The token of the environment variable `X_BEARER_TOKEN`.
    ///
    /// # Errors
    /// [`Error::Config`] if there is none.
    pub fn from_environment() -> Result<Self> {
        match std::env::var(VARIABLE) {
            Ok(token) if !token.trim().is_empty() => Self::of(VARIABLE, &token),
            Err(std::env::VarError::NotUnicode(_)) => Err(Error::config(VARIABLE, "not UTF-8")),
            _ => {
                let message = "no token: set this environment variable to your app's bearer token, or name a file that \
                               only you can read by --token-file; who holds posts already needs none (--from)";
                Err(Error::config(VARIABLE, message))
            }
        }
    }

    /// The token of a file that only its owner may read.
    ///
    /// # Errors
    /// [`Error::File`] if others may read it, or there is no token in it; [`Error::Io`].
    pub fn from_file(path: &Path) -> Result<Self> {
        if let Some(mode) = mode_for_others(path).map_err(Error::io(path))? {
            let message = format!("others may read it (mode {mode:o}); `chmod 600` keeps a token to yourself");
            return Err(Error::file(path, message));
        }
        // No part of the content is shown, even if it is none.
        let token = std::fs::read(path).map_err(Error::io(path))?;
        let token = String::from_utf8(token).map_err(|_| Error::file(path, "not UTF-8, so no token"))?;
        Self::of("token-file", &token)
    }

    fn of(field: &str, text: &str) -> Result<Self> {
        let token = text.trim();
        if token.len() < 8 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = "no bearer token: expected one word of at least 8 letters, digits and signs";
            return Err(Error::config(field, message));
        }
        Ok(Self(token.to_owned()))
    }

    /// `text` without the token.
    fn hidden(&self, text: &str) -> String {
        text.replace(&self.0, "***")
    }

    /// Removes the token wherever a server may have put it.
    fn hide_in(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains(&self.0) => *text = self.hidden(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item)),
            Value::Object(members) => {
                members.values_mut().for_each(|member| self.hide_in(member));
                if members.keys().any(|name| name.contains(&self.0)) {
                    let clean = std::mem::take(members).into_iter().map(|(name, value)| (self.hidden(&name), value));
                    *members = clean.collect::<Map<_, _>>();
                }
            }
            _ => {}
        }
    }
}

/// The API with a token.
#[derive(Debug)]
pub struct Api {
    agent: Agent,
    base: String,
    token: Token,
}

/// What a call came to.
pub(super) enum Reply {
    /// An answer, and the time (Unix seconds) before which the API wants no further call, if its rate is used up.
    Page { answer: Answer, reset: Option<u64> },
    /// Too many calls; the time (Unix seconds) from which there may be more.
    TooMany { reset: Option<u64> },
    /// The server or the network failed, which may pass.
    Failed(String),
}

/// The body of an answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub data: Vec<Value>,
    pub includes: Value,
    pub errors: Vec<Value>,
}

impl Api {
    /// The API of X, or a server of this machine that the environment variable `MTLCORE_X_API` names.
    ///
    /// # Errors
    /// [`Error::Config`] for an address that is not of this machine.
    pub fn new(token: Token) -> Result<Self> {
        let base = match std::env::var(ADDRESS) {
            Ok(address) => {
                let port = address.strip_prefix("http://127.0.0.1:").and_then(|port| port.parse::<u16>().ok());
                if port.is_none() {
                    return Err(Error::config(ADDRESS, "expected http://127.0.0.1:PORT, for tests on this machine"));
                }
                address
            }
            Err(_) => BASE.to_owned(),
        };
        Ok(Self::at(base, token))
    }

    fn at(base: String, token: Token) -> Self {
        let is_secret = base.starts_with("https://");
        // A redirect would carry the token to whoever it names.
        let config = Agent::config_builder()
            .https_only(is_secret)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .user_agent(concat!("mtlcore/", env!("CARGO_PKG_VERSION")));
        let config = if is_secret { config } else { config.proxy(None) };
        Self { agent: config.build().new_agent(), base, token }
    }

    /// Asks for up to [`MOST_IDS`] posts.
    ///
    /// # Errors
    /// [`Error::File`] with the address if the API refuses the token or the call, a cap is reached, or the answer cannot be
    /// one to this call.
    pub(super) fn call(&self, ids: &[&str], retweets: Retweets) -> Result<Reply> {
        let fields = match retweets {
            Retweets::Full => "created_at,lang,note_tweet,referenced_tweets&expansions=referenced_tweets.id",
            Retweets::AsIs => "created_at,lang,note_tweet",
        };
        let address = format!("{}/2/tweets?ids={}&tweet.fields={fields}", self.base, ids.join(","));
        let called = self.agent.get(&address).header("Authorization", format!("Bearer {}", self.token.0)).call();
        let mut response = match called {
            Ok(response) => response,
            Err(error) => return Ok(Reply::Failed(self.token.hidden(&error.to_string()))),
        };
        let number = |name: &str| response.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
        let (remaining, reset) = (number("x-rate-limit-remaining"), number("x-rate-limit-reset"));
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(self.refused(format!(
                "it answered with a redirect ({status}), which is not followed: it would get the token"
            )));
        }
        let body = match response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec() {
            Ok(body) => body,
            Err(error) => return Ok(Reply::Failed(self.token.hidden(&format!("the answer broke off: {error}")))),
        };
        let mut body: std::result::Result<Value, _> = serde_json::from_slice(&body);
        if let Ok(body) = &mut body {
            self.token.hide_in(body);
        }
        let said = body.as_ref().map(problem).unwrap_or_default();
        match status {
            200 => {
                let answer = body.map_err(|error| error.to_string()).and_then(|body| Answer::of(body, ids));
                let answer =
                    answer.map_err(|what| self.refused(format!("the answer is not one of this API: {what}")))?;
                Ok(Reply::Page { answer, reset: reset.filter(|_| remaining == Some(0)) })
            }
            _ if said.contains("usage-capped") || said.contains("UsageCap") || status == 402 => {
                let message = format!(
                    "no more posts may be fetched ({status}: {said}): credits or a cap are used up; what was answered is kept, \
                     and the same command goes on later"
                );
                Err(self.refused(message))
            }
            429 => Ok(Reply::TooMany { reset }),
            401 => {
                Err(self.refused(format!("it refuses the token (401: {said}); is it the app's bearer token, whole?")))
            }
            403 => Err(self.refused(format!("the app may not look up posts (403: {said})"))),
            408 | 500..600 => Ok(Reply::Failed(format!("{status}: {said}"))),
            _ => Err(self.refused(format!("it refuses the call ({status}: {said})"))),
        }
    }

    /// Where it is.
    pub(super) fn address(&self) -> &str {
        &self.base
    }

    fn refused(&self, message: String) -> Error {
        Error::file(&self.base, self.token.hidden(&message))
    }
}

impl Answer {
    /// A body as an answer to these ids, or what is wrong with it.
    fn of(body: Value, ids: &[&str]) -> std::result::Result<Self, String> {
        let Value::Object(mut body) = body else { return Err("expected a JSON object".into()) };
        let mut list = |name: &str| match body.remove(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(format!("its `{name}` is no list")),
        };
        let (data, errors) = (list("data")?, list("errors")?);
        if data.is_empty() && errors.is_empty() {
            return Err("it has neither posts nor errors".into());
        }
        for post in &data {
            let text = |name: &str| post.get(name).and_then(Value::as_str);
            match (text("id"), text("text")) {
                (Some(id), Some(_)) if ids.contains(&id) => {}
                (Some(id), Some(_)) => {
                    return Err(format!("it has the post {}, which was not asked for", shortened(id)));
                }
                _ => return Err("it has a post without id or text".into()),
            }
        }
        Ok(Self { data, includes: body.remove("includes").unwrap_or_default(), errors })
    }
}

/// What a body says of a call that failed: kind, title and details.
fn problem(body: &Value) -> String {
    let first = body.get("errors").and_then(|errors| errors.get(0)).unwrap_or(&Value::Null);
    let text = |name: &str| body.get(name).or_else(|| first.get(name)).and_then(Value::as_str);
    let kind = text("type").and_then(|kind| kind.rsplit('/').next()).filter(|kind| *kind != "about:blank");
    let said: Vec<String> =
        [kind, text("title"), text("detail"), text("message")].into_iter().flatten().map(shortened).collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_is_one_word_and_is_never_shown() {
        let token = Token::of("x", " AAAA-secret%3D\n").unwrap();
        assert_eq!(format!("{token:?} {:?}", Api::at(BASE.into(), token.clone())).matches("secret").count(), 0);
        for wrong in ["", "short", "two words of it", "caf\u{e9} caf\u{e9}"] {
            let error = Token::of("x", wrong).unwrap_err().to_string();
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_token_in_an_answer_is_removed_wherever_it_is() {
        let token = Token::of("x", "AAAA-secret").unwrap();
        let mut body = json!({"data": [{"id": "1", "text": "say AAAA-secret twice: AAAA-secret"}], "xAAAA-secret": {"AAAA-secret": []}});
        token.hide_in(&mut body);
        assert_eq!(body, json!({"data": [{"id": "1", "text": "say *** twice: ***"}], "x***": {"***": []}}));
    }

    #[test]
    fn a_server_that_lies_is_found_out() {
        for (body, what) in [
            (json!([]), "expected a JSON object"),
            (json!({}), "it has neither posts nor errors"),
            (json!({"data": {}}), "its `data` is no list"),
            (json!({"data": [{"id": "3", "text": "x"}]}), "it has the post 3, which was not asked for"),
            (json!({"data": [{"id": 1, "text": "x"}]}), "it has a post without id or text"),
            (json!({"data": [{"id": "1"}]}), "it has a post without id or text"),
        ] {
            assert_eq!(Answer::of(body, &["1", "2"]).unwrap_err(), what);
        }
        let missing = json!({"errors": [{"resource_id": "1"}, {"resource_id": "2"}]});
        assert_eq!(Answer::of(missing, &["1", "2"]).unwrap().errors.len(), 2);
    }
}
