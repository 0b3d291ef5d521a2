//! Rows that must not be parted, since one would tell a network about the other.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use super::{corpus::Record, example::Example};
use crate::{Error, printable::quoted};

/// A group with more than half of the rows: it cannot be divided, so nearly everything is learnt from or nearly everything
/// is tested. A placeholder for many authors, such as `[deleted]`, makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DominantGroup {
    /// The value of the column of groups that most of its rows have, or the text of its first row without such a column.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// The rows of all groups.
    pub all: usize,
    /// Whether `name` is a value of the column of groups, not a text.
    pub in_column: bool,
}

impl DominantGroup {
    /// The dominant group of the labelled rows, if there is one. `records` and `examples` are of one corpus.
    pub fn find(records: &[Record], examples: &[Example]) -> Option<Self> {
        let labelled =
            || examples.iter().zip(records).filter(|(example, _)| example.labels.iter().any(Option::is_some));
        let mut sizes: HashMap<u64, usize> = HashMap::new();
        labelled().for_each(|(example, _)| *sizes.entry(example.group).or_default() += 1);
        let all = sizes.values().sum();
        let (group, rows) = sizes.into_iter().find(|(_, rows)| 2 * rows > all)?;
        let of_group = || labelled().filter(|(example, _)| example.group == group).map(|(_, record)| record);
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        of_group().filter_map(|record| record.group.as_deref()).for_each(|name| *names.entry(name).or_default() += 1);
        let most = names.into_iter().max_by_key(|&(_, rows)| rows).map(|(name, _)| name.to_owned());
        let in_column = most.is_some();
        let name = most.or_else(|| of_group().next().map(|record| record.text.clone()))?;
        Some(Self { name, rows, all, in_column })
    }

    /// The error of a split of these rows, with the group that keeps it from being made, if there is one.
    pub(crate) fn explain(error: Error, records: &[Record], examples: &[Example]) -> Error {
        match Self::find(records, examples) {
            Some(group) => error.advised(group),
            None => error,
        }
    }
}

impl fmt::Display for DominantGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rows, all, in_column } = self;
        let name = quoted(name);
        match in_column {
            true => write!(
                f,
                "{name} holds {rows} of {all} rows together; if it stands for many authors, leave its rows' group empty"
            ),
            false => {
                write!(f, "{name} is the text of {rows} of {all} rows, or of one of several that differ in no token")
            }
        }
    }
}

/// Makes one group of all examples that are connected by equal tokens (their group so far) or by the group of their record.
/// It is called by the smallest of the connected groups, so that no order of rows matters.
pub(super) fn join(examples: &mut [Example], records: &[Record]) {
    let mut smaller = Smaller(HashMap::new());
    let mut first: HashMap<&str, u64> = HashMap::new(); // by group of records, a group of examples that it joins
    for (example, record) in examples.iter().zip(records) {
        if let Some(group) = &record.group {
            let known = *first.entry(group).or_insert(example.group);
            smaller.join(known, example.group);
        }
    }
    examples.iter_mut().for_each(|example| example.group = smaller.smallest(example.group));
}

/// For each group that is not the smallest of those it is joined with, a smaller one: a forest of disjoint sets.
struct Smaller(HashMap<u64, u64>);

impl Smaller {
    fn smallest(&mut self, group: u64) -> u64 {
        let mut at = group;
        while let Some(&smaller) = self.0.get(&at) {
            // Halves the way for the next one who asks.
            if let Some(&next) = self.0.get(&smaller) {
                self.0.insert(at, next);
            }
            at = smaller;
        }
        at
    }

    fn join(&mut self, a: u64, b: u64) {
        let (a, b) = (self.smallest(a), self.smallest(b));
        if a != b {
            self.0.insert(a.max(b), a.min(b));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The groups that rows of (hash of tokens, group of the record) end up in.
    fn joined(rows: &[(u64, Option<u8>)]) -> Vec<u64> {
        let example = |&(group, _): &(u64, _)| Example {
            key: 0,
            group,
            tokens: Vec::new(),
            labels: Vec::new(),
            source: 0,
            line: 0,
            validation: false,
        };
        let record = |(_, group): &(u64, Option<u8>)| Record {
            source: 0,
            line: 0,
            text: String::new(),
            labels: Vec::new(),
            validation: false,
            group: group.map(|group| group.to_string()),
        };
        let mut examples: Vec<Example> = rows.iter().map(example).collect();
        join(&mut examples, &rows.iter().map(record).collect::<Vec<_>>());
        examples.into_iter().map(|example| example.group).collect()
    }

    #[test]
    fn duplicates_connect_groups_and_groups_connect_duplicates() {
        // Author 1 wrote texts 30 and 20, author 2 wrote 20 again and 10; text 40 has no author, 50 one of its own.
        let rows = [(30, Some(1)), (20, Some(1)), (20, Some(2)), (10, Some(2)), (40, None), (30, None), (50, Some(3))];
        assert_eq!(joined(&rows), [10, 10, 10, 10, 40, 10, 50]);
        let alone = rows.map(|(text, _)| (text, None));
        assert_eq!(joined(&alone), rows.map(|(text, _)| text), "without the column, only duplicates belong together");
    }

    #[test]
    fn a_group_of_more_than_half_the_rows_is_named() {
        let rows = |deleted: usize, others: usize| -> (Vec<Record>, Vec<Example>) {
            (0..deleted + others)
                .map(|row| {
                    let of_deleted = row < deleted;
                    let name = if of_deleted { "[deleted]".to_owned() } else { format!("author{row}") };
                    let labels = vec![Some(row % 2 == 0)];
                    let group = if of_deleted { 0 } else { row as u64 };
                    let (text, tokens) = (format!("text {row}"), Vec::new());
                    (
                        Record {
                            source: 0,
                            line: 0,
                            text,
                            labels: labels.clone(),
                            validation: false,
                            group: Some(name),
                        },
                        Example { key: row as u64, group, tokens, labels, source: 0, line: 0, validation: false },
                    )
                })
                .unzip()
        };
        let (records, examples) = rows(6, 5);
        let found = DominantGroup::find(&records, &examples).unwrap();
        assert_eq!(
            found.to_string(),
            "\"[deleted]\" holds 6 of 11 rows together; if it stands for many authors, leave its rows' group empty"
        );
        let (records, examples) = rows(6, 6);
        assert_eq!(DominantGroup::find(&records, &examples), None);
        assert_eq!(DominantGroup::find(&[], &[]), None);
    }

    proptest! {
        #[test]
        fn groups_are_the_connected_rows_in_any_order(
            mut rows in prop::collection::vec((0..40u64, prop::option::of(0..20u8)), 1..60), turn in 0..60usize,
        ) {
            // By repeated relabelling until nothing changes.
            let mut expected: Vec<u64> = rows.iter().map(|row| row.0).collect();
            for _ in 0..rows.len() {
                for i in 0..rows.len() {
                    for j in 0..rows.len() {
                        if rows[i].0 == rows[j].0 || (rows[i].1.is_some() && rows[i].1 == rows[j].1) {
                            expected[i] = expected[i].min(expected[j]);
                        }
                    }
                }
            }
            let found = joined(&rows);
            prop_assert_eq!(&found, &expected);
            let turn = turn % rows.len();
            rows.rotate_left(turn);
            let mut turned = found;
            turned.rotate_left(turn);
            prop_assert_eq!(joined(&rows), turned);
        }
    }
}
