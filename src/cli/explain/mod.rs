//! `mtlcore explain`: what a network does with one text, as a page or as JSON.
//!
//! The library computes; the page shows the same data that JSON holds. The template says in words what is what, and a small script
//! draws the heat maps from the data within the page.

mod code;
mod page;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use mtlcore::mtl::explain::{Explanation, explain};
use serde::Serialize;

use crate::{
    output, page as pages,
    subject::{Subject, SubjectArguments, alone},
};

/// Show what a network does with one text: forward through every layer, and each task's gradient back
#[derive(Args)]
#[command(after_help = EXAMPLES, override_usage = "mtlcore explain [OPTIONS] <RUN> <TEXT>")]
pub struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// Where to write it [default: explain.html for a page, standard output for JSON]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A page for people, or JSON
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore explain run \"my arm is sore\"                              a page without labels: gradients of the logits
  mtlcore explain run \"my arm is sore\" --label flu=0 --label vaccine=1 --out sore.html
  mtlcore explain run \"my arm is sore\" --format json | jq '.tasks[].probability'";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Json,
}

/// The explanation of a text, and where it comes from.
#[derive(Serialize)]
struct Explained {
    /// The version of mtlcore that computed it.
    version: &'static str,
    run: RunFacts,
    #[serde(flatten)]
    explanation: Explanation,
}

/// What is to be known of the run.
#[derive(Serialize)]
struct RunFacts {
    path: PathBuf,
    version: String,
    seed: u64,
    shared: String,
    sentence: String,
    gate_activation: String,
    conv_activation: String,
    conv_pooling: String,
    threshold: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let subject = arguments.subject.read()?;
    let explain = || explain(&subject.trained, &subject.text, &arguments.subject.labels);
    let explanation = alone(explain)??;
    let explained = Explained { version: env!("CARGO_PKG_VERSION"), run: RunFacts::of(subject)?, explanation };
    let text = match arguments.format {
        Format::Html => page::of(&explained)?,
        Format::Json => pages::escape::json(&explained) + "\n",
    };
    match (&arguments.out, arguments.format) {
        (None, Format::Json) => output::print(&text),
        (path, _) => {
            let path = path.clone().unwrap_or_else(|| "explain.html".into());
            pages::write(&path, &text)?;
            output::print(&format!("{}\n", path.display()))
        }
    }
}

impl RunFacts {
    fn of(subject: Subject) -> Result<Self> {
        let settings = &subject.trained.settings;
        // The words that stand for the choices in files.
        let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            seed: settings.seed,
            shared: word(serde_json::to_value(settings.shared)?),
            sentence: word(serde_json::to_value(settings.sentence)?),
            gate_activation: word(serde_json::to_value(settings.gate_activation)?),
            conv_activation: word(serde_json::to_value(settings.conv_activation)?),
            conv_pooling: word(serde_json::to_value(settings.conv_pooling)?),
            threshold: settings.threshold,
            path: subject.run,
            version: subject.version,
        })
    }
}
