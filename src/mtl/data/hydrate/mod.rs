//! Posts by their ids: data sets of tweets are shared as ids with labels, and the texts are fetched from the X API.
//!
//! | file | what it does |
//! |---|---|
//! | `ids` | ids with their labels, from files of every kind: [`Ids`] |
//! | `post` | a post's text, whatever tool saved it; what becomes of reposts: [`Retweets`] |
//! | `answers` | which posts were found, and why others were not: [`Answers`] |
//! | `held` | posts that people have on their disks already: [`read_held`] |
//! | `api` | one call of the X API, and what may go wrong with it: [`Api`], [`Token`] |
//! | `journal` | what was answered so far, so that no id is asked twice: [`Journal`] |
//! | `fetch` | all calls that are needed, within limits of rate and cost: [`fetch`] |
//! | `output` | the file to learn from, and the file of what is missing: [`write()`]; how many are: [`attrition`] |
//!
//! What a text means to a model is not decided here; see the neighbours `reader` and `tokens`.

mod answers;
mod api;
mod fetch;
mod held;
mod ids;
mod journal;
mod output;
mod post;

pub use answers::{Answers, Page};
pub use api::{Api, Token};
pub use fetch::{Clock, Event, Plan, SystemClock, fetch, plan};
pub use held::read_held;
pub use ids::{IdRow, Ids};
pub use journal::Journal;
pub use output::{attrition, check_output, write};
pub use post::Retweets;
