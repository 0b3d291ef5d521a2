//! The templates of the three files. The page's sections are files of their own.

use anyhow::Result;
use minijinja::{
    Environment,
    value::{Serde, Value},
};

use super::view::Report;
use crate::page::{self, charts};

/// What a report can be drawn as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Template {
    Page,
    Markdown,
    Latex,
    Checklist,
}

impl Template {
    /// Those that are written into the study's directory.
    pub const WRITTEN: [Self; 3] = [Self::Page, Self::Markdown, Self::Latex];

    /// Its name, which is also its template's.
    pub fn file(self) -> &'static str {
        match self {
            Self::Page => "report.html",
            Self::Markdown => "report.md",
            Self::Latex => "tables.tex",
            Self::Checklist => "checklist.md",
        }
    }

    pub fn draw(self, report: &Report<'_>) -> Result<String> {
        let mut environment = environment();
        let values = Value::from(Serde(report));
        match self {
            Self::Page => page::render(&mut environment, self.file(), &charts::scripts(), values),
            _ => Ok(environment.get_template(self.file())?.render(values)?),
        }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = page::environment();
    environment.add_global("report_style", Value::from_safe_string(include_str!("templates/report.css").into()));
    for (name, template) in [
        ("report.html", include_str!("templates/report.html")),
        ("tables.html", include_str!("templates/tables.html")),
        ("answer.html", include_str!("templates/answer.html")),
        ("reading.html", include_str!("templates/reading.html")),
        ("arms.html", include_str!("templates/arms.html")),
        ("measures.html", include_str!("templates/measures.html")),
        ("variance.html", include_str!("templates/variance.html")),
        ("tests.html", include_str!("templates/tests.html")),
        ("tuning.html", include_str!("templates/tuning.html")),
        ("curves.html", include_str!("templates/curves.html")),
        ("training.html", include_str!("templates/training.html")),
        ("split.html", include_str!("templates/split.html")),
        ("controls.html", include_str!("templates/controls.html")),
        ("balancing.html", include_str!("templates/balancing.html")),
        ("slices.html", include_str!("templates/slices.html")),
        ("figures.html", include_str!("templates/figures.html")),
        ("origin.html", include_str!("templates/origin.html")),
        ("report.md", include_str!("templates/report.md")),
        ("tables.tex", include_str!("templates/tables.tex")),
        ("checklist.md", include_str!("templates/checklist.md")),
    ] {
        environment.add_template(name, template).expect("the templates are valid");
    }
    environment
}
