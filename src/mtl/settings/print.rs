//! Settings as a configuration file that explains them.

use toml::Table;

use super::{FIELDS, Field, Kind, Settings, field::literal};

impl Settings {
    /// The fields that are set, by name.
    ///
    /// # Panics
    /// If TOML cannot express a value: a path that is not UTF-8, a seed of 2⁶³ or more.
    pub fn to_table(&self) -> Table {
        Table::try_from(self).expect("paths are UTF-8, and numbers fit into 63 bits")
    }

    /// The configuration file of these settings: every field under its explanation. [`Settings::load`] reads it back.
    ///
    /// # Panics
    /// As [`Settings::to_table`].
    pub fn to_toml(&self) -> String {
        let mut table = self.to_table();
        let tasks = table.remove("task");
        let mut text = "# Configuration of mtlcore. File names are relative to the working directory.\n".to_owned();
        text += &explained(FIELDS.iter(), &table);
        if !self.tasks.is_empty() {
            let tasks = Table::from_iter(tasks.map(|tasks| ("task".to_owned(), tasks)));
            text += &format!("\n## Tasks\n\n{tasks}");
        }
        text
    }
}

/// Every field under its explanation, with its value in `table`.
pub(crate) fn explained<'f>(fields: impl Iterator<Item = &'f Field>, table: &Table) -> String {
    let mut text = String::new();
    let mut group = "";
    for field in fields {
        if field.group != group {
            group = field.group;
            text += &format!("\n## {group}\n\n");
        }
        text += &match field.kind {
            Kind::Choice(words) => with_words(field.doc, words, " | "),
            Kind::List(words) => with_words(field.doc, words, ", "),
            _ => format!("# {}\n", field.doc),
        };
        text += &match table.get(&field.name) {
            Some(value) => format!("{} = {}\n", field.name, literal(value)),
            None => format!("# {} is not set\n", field.name),
        };
    }
    text
}

/// An explanation with the words to choose from: behind it, or in lines before it if there are many.
fn with_words(doc: &str, words: &[&str], between: &str) -> String {
    let line = format!("# {doc} ({})\n", words.join(between));
    if line.len() <= LINE {
        return line;
    }
    let mut lines = vec!["# One of:".to_owned()];
    for (i, word) in words.iter().enumerate() {
        let word = if i + 1 < words.len() { format!(" {word}{}", between.trim_end()) } else { format!(" {word}") };
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < LINE => *line += &word,
            _ => lines.push(format!("#{word}")),
        }
    }
    format!("{}\n# {doc}\n", lines.join("\n"))
}

/// The longest line of a file for people.
const LINE: usize = 120;

#[cfg(test)]
mod tests {
    use super::{super::Preset, *};

    #[test]
    fn every_field_that_is_set_is_in_the_list() {
        let table = Settings::preset(Preset::Default).to_table();
        let unlisted: Vec<_> = table.keys().filter(|name| *name != "task" && Field::named(name).is_none()).collect();
        assert!(unlisted.is_empty(), "{unlisted:?}");
    }

    #[test]
    fn every_field_is_explained_by_one_line() {
        let text = Settings::preset(Preset::Paper).to_toml();
        let lines: Vec<_> = text.lines().collect();
        for field in FIELDS.iter() {
            let is_value = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{} ", field.name));
            let place = lines.iter().position(|line| is_value(line)).unwrap();
            assert_eq!(lines[place - 1].find(field.doc), Some(2), "{}", field.name);
        }
        assert!(lines.iter().all(|line| line.len() <= 120));
    }
}
