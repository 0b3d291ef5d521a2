//! `mtlcore data hydrate`: the texts of posts whose ids are known.

use std::path::PathBuf;

use anyhow::Result;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use mtlcore::mtl::data::{
    Attrition,
    hydrate::{
        Answers, Api, Event, Ids, Journal, Plan, Retweets, SystemClock, Token, attrition, check_output, fetch, plan,
        read_held, write,
    },
    missing_of,
};
use serde::Serialize;

use super::attrition::text;
use crate::output::{self, Format, count};

/// Fetch posts by their ids: data sets of tweets are shared as ids with labels
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Ids with labels: TSV, CSV, columns of spaces, or JSON Lines, with a header or without one
    #[arg(value_name = "IDS")]
    ids: PathBuf,
    /// Names of the columns, the id's first; of a file with a header, the columns to keep
    #[arg(long, value_name = "ID,LABEL...", value_delimiter = ',')]
    columns: Vec<String>,
    /// The file to learn from: id, text, labels. What is missing goes to FILE.missing.tsv, answers to FILE.hydrate/
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Take the posts from JSON on your disk (twarc2, tweepy, API v1.1), without a call of the API
    #[arg(long, value_name = "FILE", conflicts_with_all = ["max_cost", "refresh", "token_file"])]
    from: Vec<PathBuf>,
    /// Say what it would take, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Spend no more than this for the file's posts, even if each brings others that it repeats, answers or quotes
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    max_cost: Option<f64>,
    /// Reposts: the whole text of the other post, or cut as the API has them
    #[arg(long, value_name = "HOW", default_value = "full", value_parser = retweets())]
    retweets: Retweets,
    /// Ask for every id anew, and drop the posts that are gone since
    #[arg(long)]
    refresh: bool,
    /// A file with the bearer token that only you can read (mode 600); without it, X_BEARER_TOKEN is the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Tables to read, or JSON
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore data hydrate ids.tsv --columns id,related --out flu.tsv --dry-run    what it takes, and its price
  mtlcore data hydrate ids.tsv --columns id,related --out flu.tsv --max-cost 50
  mtlcore data hydrate ids.tsv --columns id,related --out flu.tsv --from pages.jsonl   from what you hold: no token
  mtlcore data hydrate ids.tsv --columns id,related --out flu.tsv --refresh    drop what was deleted since

The token is read from X_BEARER_TOKEN, or from a file of mode 600; it is written nowhere. The same command goes on where it
was stopped: no id is asked for twice. Texts of posts must not be passed on; ids may.";

/// What is written for programs.
#[derive(Serialize)]
struct Report<'r> {
    plan: &'r Plan,
    /// Not with `--dry-run`.
    attrition: Option<&'r Attrition>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { out, retweets, format, .. } = arguments;
    let ids = Ids::read(&arguments.ids, &arguments.columns)?;
    check_output(out)?;
    let mut held = Answers::default();
    for path in &arguments.from {
        read_held(path, &mut held)?;
    }
    let is_held = !arguments.from.is_empty();
    if arguments.dry_run {
        let answers = if is_held { held } else { Journal::peek(out)? };
        let nothing = Answers::default();
        let plan = plan(&ids, if arguments.refresh { &nothing } else { &answers }, *retweets);
        return print(*format, &plan, None, &describe(&plan, is_held));
    }
    let (planned, answers) = if is_held { (plan(&ids, &held, *retweets), held) } else { fetched(arguments, &ids)? };
    write(&ids, &answers, *retweets, out)?;
    let attrition = attrition(&ids, &answers);
    let wrote = format!("\nWrote {} and {}.\n", out.display(), missing_of(out).display());
    print(*format, &planned, Some(&attrition), &(rows(&planned) + &text(&attrition) + &wrote))
}

/// Fetches what is not in the journal, and returns all answers.
fn fetched(arguments: &Arguments, ids: &Ids) -> Result<(Plan, Answers)> {
    let mut journal = Journal::open(&arguments.out)?;
    if arguments.refresh {
        journal.refresh()?;
    }
    let plan = plan(ids, &journal.answers, arguments.retweets);
    if plan.calls > 0 {
        let token = match &arguments.token_file {
            Some(path) => Token::from_file(path)?,
            None => Token::from_environment()?,
        };
        let api = Api::new(token)?;
        output::say(describe(&plan, false).trim_end());
        let observe = |event: Event| match event {
            Event::Answered { answered, of, dollars } => {
                output::say(format!("{} of {} ids have an answer; ${dollars:.3} so far", count(answered), count(of)));
            }
            Event::Waiting { seconds, reason } => output::say(format!("{reason}; waiting {seconds} s")),
        };
        fetch(ids, &mut journal, &api, arguments.retweets, arguments.max_cost, &SystemClock, &observe)?;
    }
    journal.forget_earlier()?;
    Ok((plan, std::mem::take(&mut journal.answers)))
}

fn print(format: Format, plan: &Plan, attrition: Option<&Attrition>, shown: &str) -> Result<()> {
    match format {
        Format::Json => output::print(&output::json(&Report { plan, attrition })?),
        Format::Table => output::print(shown),
    }
}

fn rows(plan: &Plan) -> String {
    format!(
        "{} rows of {} ids; {} rows repeat an id, {} ids have rows of different labels.\n",
        count(plan.rows),
        count(plan.ids),
        count(plan.repeated_rows),
        count(plan.conflicting_ids)
    )
}

fn describe(plan: &Plan, is_held: bool) -> String {
    let mut text = rows(plan);
    text += &format!("{} of them have an answer; ", count(plan.answered));
    if is_held {
        return text + "the others are not in the files.\n";
    }
    let calls = if plan.calls == 1 { "1 call".into() } else { format!("{} calls", count(plan.calls)) };
    text += &format!("the others take {calls} and ${:.2} if none is gone", plan.dollars);
    if plan.dollars_at_most > plan.dollars {
        text += &format!(
            ",\nand at most ${:.2} with the posts that they repeat, answer or quote (--retweets as-is leaves those out)",
            plan.dollars_at_most
        );
    }
    text + ".\n"
}

fn dollars(text: &str) -> Result<f64, String> {
    let dollars = text.parse().ok().filter(|dollars: &f64| dollars.is_finite() && *dollars >= 0.0);
    dollars.ok_or_else(|| "expected dollars, such as 50 or 0.5".into())
}

fn retweets() -> impl TypedValueParser<Value = Retweets> {
    PossibleValuesParser::new(["full", "as-is"])
        .map(|word| if word == "full" { Retweets::Full } else { Retweets::AsIs })
}
