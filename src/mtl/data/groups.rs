//! Rows that must not be parted, since one would tell a network about the other.

use std::collections::HashMap;

use super::{corpus::Record, dataset::Example};

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
