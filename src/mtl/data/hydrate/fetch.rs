//! All calls that are needed, one after the other, within the API's rate and the user's budget.

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::{
    answers::{Answers, Page},
    api::{Api, MOST_IDS, Reply},
    ids::Ids,
    journal::Journal,
    post::Retweets,
};
use crate::{Error, Result};

/// What X takes for a post that is returned, in dollars (August 2026).
pub const DOLLARS_A_POST: f64 = 0.005;

/// Posts that one id may bring: its own, one that it repeats or answers, and one that it quotes.
const MOST_POSTS_AN_ID: usize = 3;

/// Calls that fail one after the other before it is given up.
const MOST_FAILURES: u32 = 20;

/// The longest time to wait for the API's rate, whose window is of 15 minutes.
const LONGEST_WAIT: u64 = 16 * 60;

/// Time as the fetching sees it.
pub trait Clock {
    /// Unix seconds.
    fn now(&self) -> u64;
    /// Lets this much time pass.
    fn wait(&self, time: Duration);
}

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn wait(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// What has just happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// So many of all ids have an answer.
    Answered {
        /// Ids with an answer.
        answered: usize,
        /// All ids.
        of: usize,
        /// What was spent, in dollars.
        dollars: f64,
    },
    /// So many seconds have to pass, for this reason.
    Waiting {
        /// How long.
        seconds: u64,
        /// Why.
        reason: String,
    },
}

/// What fetching would take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Rows of the file.
    pub rows: usize,
    /// Different ids.
    pub ids: usize,
    /// Rows that repeat an id.
    pub repeated_rows: usize,
    /// Ids whose rows have different labels.
    pub conflicting_ids: usize,
    /// Ids that have an answer already.
    pub answered: usize,
    /// Calls that are needed.
    pub calls: usize,
    /// What the posts of all ids cost, if none is gone.
    pub dollars: f64,
    /// With the posts that they repeat, answer or quote, if each has as many as it can.
    pub dollars_at_most: f64,
}

/// What fetching the rest would take.
pub fn plan(ids: &Ids, answers: &Answers, retweets: Retweets) -> Plan {
    let distinct = ids.distinct();
    let open = distinct.iter().filter(|id| !answers.has(id)).count();
    Plan {
        rows: ids.rows.len(),
        ids: distinct.len(),
        repeated_rows: ids.repeated(),
        conflicting_ids: ids.conflicting(),
        answered: distinct.len() - open,
        calls: open.div_ceil(MOST_IDS),
        dollars: open as f64 * DOLLARS_A_POST,
        dollars_at_most: (open * posts_an_id(retweets)) as f64 * DOLLARS_A_POST,
    }
}

fn posts_an_id(retweets: Retweets) -> usize {
    match retweets {
        Retweets::Full => MOST_POSTS_AN_ID,
        Retweets::AsIs => 1,
    }
}

/// Fetches every id that the journal has no answer to. Whatever ends it, what was answered is in the journal.
///
/// # Errors
/// [`Error::File`] with the address if the API refuses the token or a call, a cap is reached, or an answer cannot be one to its call;
/// [`Error::Config`] with `max-cost` if the next id might pass it; [`Error::Io`] of the journal.
pub fn fetch(
    ids: &Ids,
    journal: &mut Journal,
    api: &Api,
    retweets: Retweets,
    max_cost: Option<f64>,
    clock: &dyn Clock,
    observe: &dyn Fn(Event),
) -> Result<()> {
    let distinct = ids.distinct();
    let open: Vec<&str> = distinct.iter().copied().filter(|id| !journal.answers.has(id)).collect();
    let (mut open, mut failures) = (&open[..], 0);
    while !open.is_empty() {
        let number = open.len().min(affordable(&journal.answers, retweets, max_cost)).min(MOST_IDS);
        if number == 0 {
            let message = format!(
                "{} of {} ids have an answer, which took ${:.3}, and the next may take more than this allows; the same \
                 command with a higher one goes on",
                distinct.len() - open.len(),
                distinct.len(),
                dollars(&journal.answers),
            );
            return Err(Error::config("max-cost", message));
        }
        let (asked, rest) = open.split_at(number);
        let now = clock.now();
        let (seconds, reason) = match api.call(asked, retweets)? {
            Reply::Page { answer, reset } => {
                let asked = asked.iter().map(|id| (*id).to_owned()).collect();
                let page = Page { asked, data: answer.data, includes: answer.includes, errors: answer.errors, at: now };
                journal.add(page)?;
                (open, failures) = (rest, 0);
                let answered = distinct.len() - open.len();
                observe(Event::Answered { answered, of: distinct.len(), dollars: dollars(&journal.answers) });
                match reset {
                    Some(reset) if !open.is_empty() => {
                        (until(reset, clock.now()), "the API's rate is used up".to_owned())
                    }
                    _ => continue,
                }
            }
            Reply::TooMany { reset } => {
                failures += 1;
                (
                    reset.map_or(60, |reset| until(reset, clock.now())),
                    "the API wants no more calls now (429)".to_owned(),
                )
            }
            Reply::Failed(what) => {
                failures += 1;
                (u64::from(failures * failures), what)
            }
        };
        if failures >= MOST_FAILURES {
            let message =
                format!("{failures} calls failed one after the other; the last: {reason}; the same command goes on");
            return Err(Error::file(api.address(), message));
        }
        observe(Event::Waiting { seconds, reason });
        clock.wait(Duration::from_secs(seconds));
    }
    Ok(())
}

/// Seconds until just after `reset`.
fn until(reset: u64, now: u64) -> u64 {
    (reset + 1).saturating_sub(now).clamp(1, LONGEST_WAIT)
}

/// What was spent, in dollars.
fn dollars(answers: &Answers) -> f64 {
    answers.returned as f64 * DOLLARS_A_POST
}

/// How many ids may be asked for without passing the cost, even if each brings as many posts as it can.
fn affordable(answers: &Answers, retweets: Retweets, max_cost: Option<f64>) -> usize {
    let Some(cost) = max_cost else { return usize::MAX };
    // A price is a whole number of tenths of a cent; a sum of them is not one of doubles.
    let posts = (cost / DOLLARS_A_POST + 1e-6).floor() as usize;
    posts.saturating_sub(answers.returned) / posts_an_id(retweets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_a_second_after_the_reset_and_is_bounded() {
        assert_eq!([until(110, 100), until(90, 100), until(u64::MAX - 1, 100)], [11, 1, LONGEST_WAIT]);
    }

    #[test]
    fn a_cost_buys_whole_posts() {
        let answers = |returned| {
            let mut answers = Answers::default();
            answers.returned = returned;
            answers
        };
        let ids = |returned, cost| affordable(&answers(returned), Retweets::AsIs, Some(cost));
        assert_eq!([ids(0, 0.5), ids(0, 0.015), ids(99, 0.5), ids(100, 0.5), ids(200, 0.5)], [100, 3, 1, 0, 0]);
        assert_eq!(affordable(&answers(0), Retweets::Full, Some(0.5)), 33);
    }
}
