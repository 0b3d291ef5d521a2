//! A simulated pair as the files that a user would have.

use super::{Simulation, TASKS};
use crate::{Result, mtl::data::Record};

/// A file of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedFile {
    /// Its name: `pair.tsv`, `task_a.tsv` or `task_b.tsv`.
    pub name: String,
    /// The tasks whose labels it has.
    pub tasks: Vec<String>,
    /// What stands in it.
    pub content: String,
}

impl Simulation {
    /// The rows as TSV: one file if they are doubly labelled, else one a task.
    ///
    /// # Errors
    /// Those of [`Simulation::validate`].
    pub fn files(&self) -> Result<Vec<SimulatedFile>> {
        let corpus = self.generate()?;
        let file = |(index, tasks): (usize, &Vec<String>)| {
            let slots: Vec<usize> = (0..2).filter(|&slot| tasks.iter().any(|name| name == TASKS[slot])).collect();
            let records = corpus.records.iter().filter(|record| record.source as usize == index);
            SimulatedFile {
                name: format!("{}.tsv", if slots.len() == 2 { "pair" } else { TASKS[slots[0]] }),
                tasks: tasks.clone(),
                content: table(&slots, records),
            }
        };
        Ok(corpus.sources.iter().map(|source| &source.tasks).enumerate().map(file).collect())
    }
}

/// Rows with the labels of `tasks` as TSV.
pub(super) fn table<'r>(tasks: &[usize], records: impl IntoIterator<Item = &'r Record>) -> String {
    let header = if tasks.len() == 2 { TASKS.join("\t") } else { "label".into() };
    let mut table = format!("text\t{header}\n");
    for record in records {
        table.push_str(&record.text);
        for &task in tasks {
            table.push_str(match record.labels[task] {
                Some(true) => "\t1",
                Some(false) => "\t0",
                None => "\t",
            });
        }
        table.push('\n');
    }
    table
}
