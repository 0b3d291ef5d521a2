//! How the tests read a report: its tables, and the numbers in them.

use std::{fs, path::Path};

use mtlcore::mtl::study::results::{Results, TaskResult};
use regex::Regex;

use super::fixture;

/// Runs `mtlcore report`; (success, output, errors).
pub fn report(directory: &Path, words: &[&str]) -> (bool, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    let output = command.arg("report").arg(directory).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

pub struct Report {
    pub html: String,
    pub markdown: String,
    pub latex: String,
}

impl Report {
    pub fn read(directory: &Path) -> Self {
        let read = |name| fs::read_to_string(directory.join(name)).unwrap();
        Self { html: read("report.html"), markdown: read("report.md"), latex: read("tables.tex") }
    }

    pub fn of(results: &Results) -> Self {
        let directory = fixture::directory(results);
        let (success, _, errors) = report(directory.path(), &[]);
        assert!(success, "{errors}");
        Self::read(directory.path())
    }

    /// The page without code and charts.
    pub fn page(&self) -> String {
        Regex::new("(?s)<(script|style).*?</(script|style)>").unwrap().replace_all(&self.html, "").into_owned()
    }

    pub fn charts(&self) -> Vec<serde_json::Value> {
        let chart = Regex::new(r#"(?s)<script type="application/json" class="chart">(.*?)</script>"#).unwrap();
        chart.captures_iter(&self.html).map(|chart| serde_json::from_str(&chart[1]).unwrap()).collect()
    }
}

/// All numbers with decimals of a text, whatever the format's minus.
pub fn numbers(text: &str) -> Vec<f64> {
    let text = text.replace("$-$", "-").replace('−', "-");
    Regex::new(r"[-+]?\d+\.\d+").unwrap().find_iter(&text).map(|number| number.as_str().parse().unwrap()).collect()
}

/// The numbers of a text are these, each as far as its decimals go.
#[track_caller]
pub fn assert_numbers(text: &str, expected: &[f64]) {
    let text = &text.replace("$-$", "-").replace('−', "-");
    let found = numbers(text);
    assert_eq!(found.len(), expected.len(), "{text}\n{expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        let shown = [1, 2, 4].into_iter().any(|places| {
            let half_a_digit = 0.51 * 0.1f64.powi(places);
            let is_shown = text.contains(&format!("{found:.0$}", places as usize));
            is_shown && (found - expected).abs() <= half_a_digit
        });
        // Written as <0.0001.
        let tiny = *found == 0.0001 && *expected < 0.00005;
        assert!(shown || tiny, "{found} for {expected} in {text}");
    }
}

/// The comparisons as the tables have them: pair by pair, task by task, layer by layer.
pub fn rows(results: &Results) -> impl Iterator<Item = &TaskResult> {
    results.pairs.iter().flat_map(|pair| {
        pair.tasks.iter().flat_map(|task| {
            let tasks = pair.layers.iter().flat_map(|layer| &layer.tasks);
            tasks.filter(|result| result.task == task.name).collect::<Vec<_>>()
        })
    })
}

/// The rows of those HTML tables whose caption contains `caption`, without their headings.
pub fn html_rows(html: &str, caption: &str) -> Vec<String> {
    let table = Regex::new("(?s)<table[^>]*>.*?</table>").unwrap();
    let row = Regex::new("(?s)<tr>.*?</tr>").unwrap();
    let tables = table.find_iter(html).map(|table| table.as_str());
    let bodies = tables.filter_map(|table| {
        let (head, body) = table.split_once("</thead>")?;
        head.contains(caption).then_some(body)
    });
    bodies.flat_map(|body| row.find_iter(body).map(|row| row.as_str().to_owned()).collect::<Vec<_>>()).collect()
}

/// The rows of those Markdown tables whose heading starts with `heading`.
pub fn markdown_rows<'t>(markdown: &'t str, heading: &str) -> Vec<&'t str> {
    let tables = markdown.split("\n\n").filter(|block| block.trim_start().starts_with(heading));
    tables.flat_map(|table| table.trim_start().lines().skip(2)).collect()
}
