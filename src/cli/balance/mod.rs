//! `mtlcore balance`: every balancing method on the same gradients.

mod gradients;
mod picture;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use gradients::Gradients;
use mtlcore::mtl::balancing::{Combined, compare};
use serde_json::{Value, json};

use crate::output::{self, Column};

/// See what each balancing method makes of the same gradients: given numbers, or those of a step of a run
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The gradients, one for each task: numbers between commas, tasks between semicolons
    #[arg(long, value_name = "NUMBERS", default_value = "-4,1,1;6,1,1", allow_hyphen_values = true)]
    gradients: String,
    /// A run: the gradients of its tasks with respect to the shared parameters, at the step that --step names
    #[arg(long, value_name = "RUN", requires = "step", conflicts_with = "gradients")]
    run: Option<PathBuf>,
    /// The step, from 1 over all epochs; the training is repeated up to there
    #[arg(long, value_name = "N", requires = "run", value_parser = clap::value_parser!(u64).range(1..))]
    step: Option<u64>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// The ways to show it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Weights, the combined gradient, and whether it harms a task
    Table,
    /// The same, for programs
    Json,
    /// A picture of two gradients and where each method goes, in the plane of the two
    Svg,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore balance                                    two gradients in conflict
  mtlcore balance --gradients \"1,0;-1,0.5;0,-1\"      three of your own
  mtlcore balance --run run --step 100               those of step 100 of a run, made again
  mtlcore balance --format svg > balance.svg         the picture

Methods that look at losses or learn from step to step are shown at their first step; given gradients come with losses of 1.";

pub fn run(arguments: &Arguments) -> Result<()> {
    let gradients = match (&arguments.run, arguments.step) {
        (Some(run), Some(step)) => Gradients::of_step(run, step)?,
        _ => Gradients::parse(&arguments.gradients)?,
    };
    let methods = compare(&gradients.gram, &gradients.losses, gradients.seed);
    let text = match arguments.format {
        Format::Table => table(&gradients, &methods),
        Format::Json => output::json(&value(&gradients, &methods))?,
        Format::Svg if gradients.tasks.len() == 2 => picture::draw(&gradients, &methods),
        Format::Svg => bail!("the picture is of two gradients, and there are {}", gradients.tasks.len()),
    };
    output::print(&text)
}

fn table(gradients: &Gradients, methods: &[Combined]) -> String {
    let Gradients { tasks, gram, losses, .. } = gradients;
    let mut text = format!("{}\n\n", gradients.origin);
    let rows = tasks.iter().enumerate().map(|(i, task)| {
        let numbers = gradients.numbers.as_ref().map(|numbers| list(&numbers[i]));
        let mut row = vec![task.clone(), number(gram.norm(i))];
        row.push(numbers.unwrap_or_else(|| number(losses[i])));
        row.extend((0..tasks.len()).map(|j| number(gram.cosine(i, j))));
        row
    });
    let third = if gradients.numbers.is_some() { "gradient" } else { "loss" };
    let cosines: Vec<String> = tasks.iter().map(|task| format!("cosine with {task}")).collect();
    let mut columns = vec![Column::Text("task"), Column::Number("length"), Column::Number(third)];
    columns.extend(cosines.iter().map(|heading| Column::Number(heading)));
    text += &output::table(&columns, rows);

    let rows = methods.iter().map(|method| {
        let mut row = vec![method.balance.word().to_owned(), list(&method.weights)];
        row.extend(gradients.combined(&method.weights).map(|combined| list(&combined)));
        row.push(number(method.norm));
        row.extend(method.cosines.iter().map(|&cosine| number(cosine)));
        row.push(if method.leaves_conflict() { "yes" } else { "no" }.to_owned());
        row
    });
    let mut columns = vec![Column::Text("method"), Column::Number("weights")];
    columns.extend(gradients.numbers.as_ref().map(|_| Column::Number("combined")));
    columns.push(Column::Number("length"));
    columns.extend(cosines.iter().map(|heading| Column::Number(heading)));
    columns.push(Column::Text("conflict left"));
    text + "\n" + &output::table(&columns, rows)
}

/// Four decimals, or an exponent where they would not do.
fn number(x: f64) -> String {
    match x.abs() {
        size if size != 0.0 && !(1e-3..1e6).contains(&size) => format!("{x:.3e}"),
        _ => format!("{:.4}", if x == 0.0 { 0.0 } else { x }),
    }
}

/// Several; what only rounding has left beside the largest is 0.
fn list(numbers: &[f64]) -> String {
    let largest = numbers.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let plain = |&x: &f64| number(if x.abs() > 1e-9 * largest { x } else { 0.0 });
    numbers.iter().map(plain).collect::<Vec<_>>().join(", ")
}

fn value(gradients: &Gradients, methods: &[Combined]) -> Value {
    let Gradients { tasks, gram, losses, numbers, .. } = gradients;
    let square = |of: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
        (0..tasks.len()).map(|i| (0..tasks.len()).map(|j| of(i, j)).collect()).collect()
    };
    let method = |method: &Combined| {
        let mut value = json!({ "method": method.balance.word(), "weights": method.weights, "norm": method.norm,
            "cosines": method.cosines, "conflict_left": method.leaves_conflict() });
        if let Some(combined) = gradients.combined(&method.weights) {
            value["combined"] = json!(combined);
        }
        value
    };
    json!({
        "origin": gradients.origin,
        "tasks": tasks,
        "losses": losses,
        "gradients": numbers,
        "gram": square(&|i, j| gram.product(i, j)),
        "cosines": square(&|i, j| gram.cosine(i, j)),
        "methods": methods.iter().map(method).collect::<Vec<_>>(),
    })
}
