//! How tables are read: what holds for all tasks, and for files that a run is asked about later.

use std::path::Path;

use super::Settings;
use crate::mtl::data::{Delimiter, Dialect, Format, TaskSource};
use crate::{Error, Result};

impl Settings {
    /// A task with what holds for all of them where it says nothing itself.
    pub(crate) fn completed(&self, mut task: TaskSource) -> TaskSource {
        task.text.get_or_insert_with(|| self.text_column.clone());
        if (&task.positive, &task.negative) == (&None, &None) {
            (task.positive, task.negative) = (self.positive.clone(), self.negative.clone());
        }
        task.input_format = task.input_format.or(self.input_format);
        task.delimiter = task.delimiter.or(self.delimiter);
        task
    }

    pub(super) fn check_words(&self) -> Result<()> {
        match (&self.positive, &self.negative) {
            (Some(_), None) => Err(Error::config("positive", "it is given, but `negative` is not")),
            (None, Some(_)) => Err(Error::config("negative", "it is given, but `positive` is not")),
            _ => Ok(()),
        }
    }

    /// The column of texts in other files than those of the tasks: theirs, if they agree in one.
    pub fn text_column_of_tasks(&self) -> &str {
        let mut columns = self.tasks.iter().map(TaskSource::text_column);
        columns.next().filter(|first| columns.all(|column| column == *first)).unwrap_or(&self.text_column)
    }

    /// How another file than those of the tasks is read (`None` for standard input): as was `said`, as its extension says,
    /// or else as theirs.
    ///
    /// # Errors
    /// As [`Format::of`], if nothing tells the format.
    pub fn dialect_of(&self, path: Option<&Path>, said: Dialect) -> Result<(Format, Dialect)> {
        let format = match (said.format, path.map(Format::of), self.input_format) {
            (Some(format), ..) | (None, Some(Ok(format)), _) | (None, _, Some(format)) => format,
            (None, Some(Err(error)), None) => return Err(error),
            (None, None, None) => Format::Tsv,
        };
        let of_same_format =
            self.tasks.iter().filter(|task| task.dialect().format_of(&task.file).is_ok_and(|f| f == format));
        let mut delimiters = of_same_format.map(|task| task.delimiter);
        let of_tasks: Option<Delimiter> =
            delimiters.next().filter(|first| delimiters.all(|delimiter| delimiter == *first)).flatten();
        let delimiter = said.delimiter.or(of_tasks);
        Ok((format, Dialect { format: said.format.or(self.input_format.filter(|&known| known == format)), delimiter }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Settings {
        Settings::load(None, text.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_holds_for_all_tasks_gives_way_to_what_a_task_says() {
        let settings = load(
            "text-column = 'tweet'\npositive = 'Y'\nnegative = 'N'\ndelimiter = 'tab'\ninput-format = 'csv'\n\
             task = [{ name = 'a', file = 'a' }, { name = 'b', file = 'b.tsv', text = 'post', positive = '+', negative = '-', \
             input-format = 'tsv', delimiter = '|' }]",
        );
        let [a, b] = &settings.tasks[..] else { panic!("two tasks") };
        assert_eq!((a.text_column(), a.positive.as_deref(), a.negative.as_deref()), ("tweet", Some("Y"), Some("N")));
        assert_eq!(a.dialect(), Dialect { format: Some(Format::Csv), delimiter: Some(Delimiter::TAB) });
        assert_eq!((b.text_column(), b.positive.as_deref(), b.negative.as_deref()), ("post", Some("+"), Some("-")));
        assert_eq!(b.dialect(), Dialect { format: Some(Format::Tsv), delimiter: Some("|".parse().unwrap()) });
        assert_eq!(settings.text_column_of_tasks(), "tweet");

        let half = Settings::load(None, "positive = 'Y'".parse().unwrap()).unwrap_err().to_string();
        assert_eq!(half, "`positive`: it is given, but `negative` is not");
    }

    #[test]
    fn another_file_is_read_as_the_tasks_are() {
        let bar = Some("|".parse().unwrap());
        let said = Dialect::default();
        let settings = load("task = [{ name = 'a', file = 'a.csv', delimiter = '|', text = 'post' }]");
        assert_eq!(settings.text_column_of_tasks(), "post");
        let csv = (Format::Csv, Dialect { format: None, delimiter: bar });
        assert_eq!(settings.dialect_of(Some("b.csv".as_ref()), said).unwrap(), csv);
        assert_eq!(settings.dialect_of(Some("b.tsv".as_ref()), said).unwrap(), (Format::Tsv, said));
        assert_eq!(settings.dialect_of(None, said).unwrap(), (Format::Tsv, said));
        assert!(settings.dialect_of(Some("b.txt".as_ref()), said).is_err());

        let settings = load("input-format = 'csv'\ndelimiter = '|'\ntask = [{ name = 'a', file = 'a.txt' }]");
        let csv = (Format::Csv, Dialect { format: Some(Format::Csv), delimiter: bar });
        assert_eq!(settings.dialect_of(Some("b.txt".as_ref()), said).unwrap(), csv);
        assert_eq!(settings.dialect_of(None, said).unwrap(), csv);
        assert_eq!(settings.dialect_of(Some("b.jsonl".as_ref()), said).unwrap(), (Format::Jsonl, said));
    }
}
