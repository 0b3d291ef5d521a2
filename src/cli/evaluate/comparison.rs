//! What is measured of two runs on the same rows.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use indexmap::IndexMap;
use mtlcore::mtl::evaluation::{metrics::Metrics, statistics::mcnemar};
use serde::Serialize;

use super::{
    report::learnt_from,
    rows::{Kind, Rows, RowsReport, Run},
};
use crate::{
    output::{self, Column, count},
    page::numbers,
};

/// Two runs side by side. The names are those of the JSON output.
#[derive(Serialize)]
pub struct Comparison {
    runs: [RunReport; 2],
    rows: RowsReport,
    /// Those that both runs know and the rows have labels of, in the first model's order.
    tasks: IndexMap<String, TaskComparison>,
}

#[derive(Serialize)]
struct RunReport {
    run: PathBuf,
    threshold: f64,
    /// How many of the rows have a text that was learnt from; null where the run does not say.
    learnt_from: Option<usize>,
}

#[derive(Serialize)]
struct TaskComparison {
    model: Pair,
    /// With the threshold that each run tuned on the rows that it held out, where both did.
    tuned: Option<Pair>,
    /// On those rows alone that neither run learnt from, where some were learnt from.
    new_rows: Option<Pair>,
}

/// Both runs on the same rows.
#[derive(Serialize)]
struct Pair {
    first: Metrics,
    second: Metrics,
    /// The second less the first.
    difference: Difference,
    mcnemar: McNemar,
}

#[derive(Serialize)]
struct Difference {
    accuracy: f64,
    f1: f64,
    average_precision: f64,
    auroc: Option<f64>,
    log_loss: f64,
}

/// On how many rows which run is right.
#[derive(Serialize)]
struct McNemar {
    both_right: u64,
    only_first: u64,
    only_second: u64,
    both_wrong: u64,
    /// Of the exact test.
    p: f64,
}

/// One labelled row: what each run says, and what is true.
struct Row {
    probabilities: [f64; 2],
    truth: bool,
    is_new: bool,
}

impl Comparison {
    pub fn new(runs: &[Run; 2], rows: &Rows, threshold: Option<f64>) -> Result<Self> {
        let records = rows.records();
        let predicted = [rows.predicted_by(&runs[0])?, rows.predicted_by(&runs[1])?];
        let learnt = runs.each_ref().map(|run| run.learnt_from(&records));
        let is_learnt = |row: usize| learnt.iter().flatten().any(|learnt| learnt[row]);
        let thresholds = runs.each_ref().map(|run| threshold.unwrap_or(run.trained.settings.threshold));
        let mut tasks = IndexMap::new();
        for name in &runs[0].trained.tasks {
            let of_run = |run: &Run| run.trained.tasks.iter().position(|task| task == name);
            let (Some(slot), Some(first), Some(second)) = (rows.slot(name), of_run(&runs[0]), of_run(&runs[1])) else {
                continue;
            };
            let labelled = records.iter().enumerate().filter_map(|(row, record)| {
                let probabilities = [predicted[0][row][first], predicted[1][row][second]];
                Some(Row { probabilities, truth: record.labels[slot]?, is_new: !is_learnt(row) })
            });
            let labelled: Vec<Row> = labelled.collect();
            let new: Vec<&Row> = labelled.iter().filter(|row| row.is_new).collect();
            let all: Vec<&Row> = labelled.iter().collect();
            let tuned = runs.each_ref().map(|run| run.manifest.tasks[name].tuned_threshold);
            let tuned = if let [Some(first), Some(second)] = tuned { Some([first, second]) } else { None };
            let comparison = TaskComparison {
                model: Pair::new(&all, thresholds),
                tuned: tuned.map(|tuned| Pair::new(&all, tuned)),
                new_rows: (!new.is_empty() && new.len() < all.len()).then(|| Pair::new(&new, thresholds)),
            };
            tasks.insert(name.clone(), comparison);
        }
        ensure!(!tasks.is_empty(), "the runs have no task in common that these rows have labels of");
        let report = |((run, threshold), learnt): ((&Run, f64), &Option<Vec<bool>>)| RunReport {
            run: run.path.clone(),
            threshold,
            learnt_from: learnt.as_ref().map(|learnt| learnt.iter().filter(|&&learnt| learnt).count()),
        };
        let [first, second] = [0, 1].map(|i| report(((&runs[i], thresholds[i]), &learnt[i])));
        Ok(Self { runs: [first, second], rows: rows.report(), tasks })
    }

    pub fn to_table(&self) -> String {
        let numbers = [
            "rows",
            "true",
            "F1 A",
            "F1 B",
            "B − A",
            "accuracy A",
            "accuracy B",
            "B − A",
            "AP A",
            "AP B",
            "only A right",
            "only B right",
            "p",
        ];
        let columns = [Column::Text("task"), Column::Text("")].into_iter().chain(numbers.map(Column::Number));
        let columns: Vec<Column> = columns.collect();
        let rows = self.tasks.iter().flat_map(|(name, task)| {
            let pairs =
                [("model", Some(&task.model)), ("tuned", task.tuned.as_ref()), ("new rows", task.new_rows.as_ref())];
            let names = std::iter::once(name.as_str()).chain(std::iter::repeat(""));
            let pairs = pairs.into_iter().filter_map(|(what, pair)| Some((what, pair?)));
            names.zip(pairs).map(|(name, (what, pair))| pair.line(name, what)).collect::<Vec<_>>()
        });
        format!("{}\n{}", self.heading(), output::table(&columns, rows))
    }

    fn heading(&self) -> String {
        let kind = match self.rows.kind {
            Kind::HeldOut => "rows that both held out",
            Kind::Files => "rows",
        };
        let [a, b] = self.runs.each_ref();
        let mut heading = format!(
            "A = {} and B = {} on {} {kind}\n{}",
            a.run.display(),
            b.run.display(),
            count(self.rows.count),
            self.rows.files()
        );
        heading += &learnt_from(a.learnt_from, &self.rows, "A");
        heading += &learnt_from(b.learnt_from, &self.rows, "B");
        heading += &format!("Predicted true above {} by A and above {} by B", a.threshold, b.threshold);
        heading += "; rates in percent, differences in points.\n\
                    p is McNemar's, exact: would runs that are right equally often differ as much on these rows?\n";
        heading
    }
}

impl Pair {
    fn new(rows: &[&Row], thresholds: [f64; 2]) -> Self {
        let truths: Vec<bool> = rows.iter().map(|row| row.truth).collect();
        let metrics = |run: usize| {
            let probabilities: Vec<f64> = rows.iter().map(|row| row.probabilities[run]).collect();
            Metrics::new(&probabilities, &truths, thresholds[run])
        };
        let (first, second) = (metrics(0), metrics(1));
        let is_right = |row: &Row, run: usize| (row.probabilities[run] > thresholds[run]) == row.truth;
        let right = |by: [bool; 2]| rows.iter().filter(|row| [is_right(row, 0), is_right(row, 1)] == by).count() as u64;
        let [only_first, only_second] = [right([true, false]), right([false, true])];
        let mcnemar = McNemar {
            both_right: right([true, true]),
            only_first,
            only_second,
            both_wrong: right([false, false]),
            p: mcnemar(only_first, only_second),
        };
        let difference = Difference {
            accuracy: second.accuracy - first.accuracy,
            f1: second.f1 - first.f1,
            average_precision: second.average_precision - first.average_precision,
            auroc: second.auroc.zip(first.auroc).map(|(second, first)| second - first),
            log_loss: second.log_loss - first.log_loss,
        };
        Self { first, second, difference, mcnemar }
    }

    fn line(&self, task: &str, what: &str) -> Vec<String> {
        let percent = |share: f64| format!("{:.1}", 100.0 * share);
        let points = |difference: f64| numbers::difference(100.0 * difference);
        let (a, b, difference) = (&self.first, &self.second, &self.difference);
        vec![
            task.to_owned(),
            what.to_owned(),
            a.n.to_string(),
            a.positives.to_string(),
            percent(a.f1),
            percent(b.f1),
            points(difference.f1),
            percent(a.accuracy),
            percent(b.accuracy),
            points(difference.accuracy),
            percent(a.average_precision),
            percent(b.average_precision),
            self.mcnemar.only_first.to_string(),
            self.mcnemar.only_second.to_string(),
            numbers::probability(self.mcnemar.p),
        ]
    }
}
