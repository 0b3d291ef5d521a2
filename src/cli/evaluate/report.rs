//! What is measured of one run.

use std::path::PathBuf;

use indexmap::IndexMap;
use mtlcore::mtl::{data::Record, evaluation::metrics::Metrics};
use serde::Serialize;

use super::rows::{Kind, Rows, RowsReport, Run};
use crate::output::{self, Column, count};

/// Everything that was measured. The names are those of the JSON output.
#[derive(Serialize)]
pub struct Report {
    run: PathBuf,
    rows: RowsReport,
    /// How many of the rows have a text that was learnt from; null where the run does not say.
    learnt_from: Option<usize>,
    threshold: f64,
    /// By name, in the model's order.
    tasks: IndexMap<String, TaskReport>,
}

/// How one task fares on its labelled rows.
#[derive(Serialize)]
struct TaskReport {
    /// The share of true labels that the network learnt from.
    share_true_in_training: f64,
    model: Metrics,
    /// The model with the threshold that has the best F1 on the rows that training held out; null where there is none.
    tuned: Option<Metrics>,
    /// The model on those rows alone whose texts were not learnt from, where only some were.
    new_rows: Option<NewRows>,
    majority: Metrics,
    always_true: Metrics,
}

#[derive(Serialize)]
struct NewRows {
    model: Metrics,
    tuned: Option<Metrics>,
}

impl Report {
    pub fn new(run: &Run, rows: &Rows, threshold: f64) -> mtlcore::Result<Self> {
        let records = rows.records();
        let predicted = rows.predicted_by(run)?;
        let learnt = run.learnt_from(&records);
        let of_task = |(output, name): (usize, &String)| {
            let slot = rows.slot(name)?;
            let labelled = |is_counted: &dyn Fn(usize) -> bool| -> (Vec<f64>, Vec<bool>) {
                let label = |(row, (record, p)): (usize, (&&Record, &Vec<f64>))| {
                    record.labels[slot].filter(|_| is_counted(row)).map(|label| (p[output], label))
                };
                records.iter().zip(&predicted).enumerate().filter_map(label).unzip()
            };
            let known = &run.manifest.tasks[name];
            let measure = |(probabilities, truths): &(Vec<f64>, Vec<bool>)| {
                let model = Metrics::new(probabilities, truths, threshold);
                let tuned = known.tuned_threshold.map(|tuned| Metrics::new(probabilities, truths, tuned));
                (model, tuned)
            };
            let all = labelled(&|_| true);
            let new_rows = learnt.as_ref().map(|learnt| labelled(&|row| !learnt[row])).filter(|(_, truths)| {
                let (new, all) = (truths.len(), all.1.len());
                new > 0 && new < all
            });
            let new_rows = new_rows.map(|new_rows| {
                let (model, tuned) = measure(&new_rows);
                NewRows { model, tuned }
            });
            let (model, tuned) = measure(&all);
            let prior = known.train_positive as f64 / known.train.max(1) as f64;
            let (majority, always_true) = (Metrics::majority(prior, &all.1), Metrics::always_true(&all.1));
            let report = TaskReport { share_true_in_training: prior, model, tuned, new_rows, majority, always_true };
            Some((name.clone(), report))
        };
        Ok(Self {
            run: run.path.clone(),
            rows: rows.report(),
            learnt_from: learnt.as_ref().map(|learnt| learnt.iter().filter(|&&learnt| learnt).count()),
            threshold,
            tasks: run.trained.tasks.iter().enumerate().filter_map(of_task).collect(),
        })
    }

    pub fn to_table(&self) -> String {
        let numbers = [
            "rows",
            "true",
            "accuracy",
            "precision",
            "recall",
            "F1",
            "AP",
            "AUROC",
            "said true",
            "TP",
            "FP",
            "FN",
            "TN",
        ];
        let columns = [Column::Text("task"), Column::Text("")].into_iter().chain(numbers.map(Column::Number));
        let columns: Vec<Column> = columns.collect();
        let rows = self.tasks.iter().flat_map(|(name, task)| {
            let names = std::iter::once(name.clone()).chain(std::iter::repeat(String::new()));
            names.zip(task.lines()).map(|(name, (predictor, metrics))| line(name, predictor, metrics))
        });
        format!("{}\n{}", self.heading(), output::table(&columns, rows))
    }

    /// What was measured, in words.
    fn heading(&self) -> String {
        let kind = match self.rows.kind {
            Kind::HeldOut => "rows that the run held out",
            Kind::Files => "rows",
        };
        let mut heading = format!("{} on {} {kind}\n{}", self.run.display(), self.rows.count, self.rows.files());
        heading += &learnt_from(self.learnt_from, &self.rows, "the run");
        heading += &format!(
            "Predicted true above {}; rates in percent, precision, recall and F1 of the true class.\n",
            self.threshold
        );
        if self.tasks.values().any(|task| task.tuned.is_some()) {
            heading += "Tuned: with the threshold that has the best F1 on the rows that the run held out";
            heading += match self.rows.kind {
                Kind::HeldOut => ", which are these: it will do worse on others.\n",
                Kind::Files => ".\n",
            };
        }
        heading
    }
}

/// What a reader must know of rows that were learnt from: figures on them say nothing about new rows.
pub fn learnt_from(learnt: Option<usize>, rows: &RowsReport, run: &str) -> String {
    let (kind, rows) = (rows.kind, rows.count);
    match learnt {
        None if kind == Kind::HeldOut => String::new(),
        None => format!("Whether {run} learnt from some of these rows is not known: its version did not note it.\n"),
        Some(0) => String::new(),
        Some(learnt) if learnt == rows => {
            format!(
                "All of these {} rows were learnt from by {run}: this does not tell how good it is on others.\n",
                count(rows)
            )
        }
        Some(learnt) => {
            format!(
                "{} of these {} rows were learnt from by {run}; `new rows` are the others.\n",
                count(learnt),
                count(rows)
            )
        }
    }
}

impl TaskReport {
    /// Each predictor with its figures.
    fn lines(&self) -> Vec<(String, &Metrics)> {
        let mut lines = vec![("model".to_owned(), &self.model)];
        lines.extend(self.tuned.iter().map(|tuned| (above(tuned.threshold), tuned)));
        if let Some(new_rows) = &self.new_rows {
            lines.push(("new rows: model".into(), &new_rows.model));
            lines.extend(new_rows.tuned.iter().map(|tuned| ("new rows: tuned".to_owned(), tuned)));
        }
        lines.extend([("majority".to_owned(), &self.majority), ("always true".to_owned(), &self.always_true)]);
        lines
    }
}

fn above(threshold: f64) -> String {
    format!("tuned, above {}", output::digits(threshold))
}

/// One predictor's line of the table.
fn line(task: String, predictor: String, m: &Metrics) -> Vec<String> {
    // A rate over no rows is no rate.
    let percent = |rate: f64| if m.n == 0 { "-".to_owned() } else { format!("{:.1}", 100.0 * rate) };
    let rates = [m.accuracy, m.precision, m.recall, m.f1, m.average_precision].map(percent);
    let counts = [m.counts.tp, m.counts.fp, m.counts.fn_, m.counts.tn].map(|count| count.to_string());
    let mut line = vec![task, predictor, m.n.to_string(), m.positives.to_string()];
    line.extend(rates);
    line.push(m.auroc.map_or("-".into(), percent));
    line.push(percent(m.share_predicted_true));
    line.extend(counts);
    line
}
