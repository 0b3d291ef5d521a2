//! From a preset, a file and overrides to [`Settings`], and what can be wrong on the way.

use std::{collections::BTreeSet, fs, path::Path};

use serde::{
    Deserialize,
    de::{DeserializeOwned, IntoDeserializer},
};
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use super::{Balance, EmbeddingUpdates, FIELDS, Field, Keep, Preset, Settings, Shared};
use crate::autograd::{AdamSettings, RowUpdates};
use crate::mtl::data::{SIMULATED_TASKS, TaskSource};
use crate::printable::shortened;
use crate::{Error, Result};

/// Epochs where no row is held out and none are asked for.
const EPOCHS_WITHOUT_HELD_OUT_ROWS: usize = 10;
/// The largest vocabulary whose rows all move at every step unless something else is said: beyond, that takes longer than the rest of
/// the step (at 200 columns, 10,000 rows are 2 million numbers, against 0.8 ms for a batch of 32 texts of 16 words).
const MOST_DENSE_WORDS: usize = 10_000;
/// Longer names are like no field.
const LONGEST_NAME: usize = 100;
/// Weights of a convolution's kernel: 1 GiB, and twice that again for Adam's moments.
const MOST_IN_KERNEL: usize = 1 << 28;

impl Settings {
    /// The preset's values, replaced by those of the file, replaced by `overrides` (the flags of the command line).
    /// The tasks are replaced as a whole. Where no row is held out, a preset's early stopping does not hold: see
    /// [`holds_rows_out`](Self::holds_rows_out).
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML, an unknown field, a value of the wrong type or out of range (with the
    /// file's line, or else the field), or fields that do not go together.
    pub fn load(path: Option<&Path>, overrides: Table) -> Result<Self> {
        let schema = Schema { fields: FIELDS.iter().collect(), tables: vec![Tables::of::<TaskSource>("task")] };
        let given = schema.given(path, overrides)?;
        let preset = match given.get("preset") {
            Some(word) => from_value(word.clone(), "preset")?,
            None => Preset::Default,
        };
        let is_given = |field: &str| given.contains_key(field);
        let given_fields = ["epochs", "patience", "keep"].map(is_given);
        let mut merged = Self::preset(preset).to_table();
        merged.extend(given);
        let mut settings: Self = from_value(Value::Table(merged), "settings")?;
        if !settings.holds_rows_out() {
            settings.without_held_out_rows(given_fields);
        }
        settings.tasks = settings.tasks.iter().map(|task| settings.completed(task.clone())).collect();
        settings.check_together()?;
        Ok(settings)
    }

    /// Whether some rows are held out to validate on.
    pub fn holds_rows_out(&self) -> bool {
        self.validation > 0.0 || self.tasks.iter().any(|task| task.validation.is_some())
    }

    /// Early stopping needs held-out rows. Without them, those of `[epochs, patience, keep]` that are not given become a fixed number of
    /// epochs, at most the number of Joshi et al. 2019.
    fn without_held_out_rows(&mut self, [epochs, patience, keep]: [bool; 3]) {
        if !epochs {
            self.epochs = self.epochs.min(EPOCHS_WITHOUT_HELD_OUT_ROWS);
        }
        if !patience {
            self.patience = 0;
        }
        if !keep {
            self.keep = Keep::Last;
        }
    }

    fn check_together(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self.tasks.iter().find(|task| !names.insert(&task.name)) {
            return Err(Error::task(&twice.name, "two tasks have this name; each needs its own"));
        }
        if !self.holds_rows_out() {
            if self.patience > 0 {
                let message = "stopping early needs held-out rows, and `validation` is 0; 0 runs all epochs";
                return Err(Error::config("patience", message));
            }
            if self.keep == Keep::Best {
                let message = "the best epoch is told by held-out rows, and `validation` is 0; `last` needs none";
                return Err(Error::config("keep", message));
            }
        }
        if self.shards > self.batch {
            let message = format!("found {}, expected at most the {} rows of a batch", self.shards, self.batch);
            return Err(Error::config("shards", message));
        }
        self.check_words()?;
        let adam = self.adam_settings(0);
        if adam.epsilon_underflows::<f32>() {
            let message = format!(
                "found {:e}, which single precision rounds to 0 where Adam adds it; expected a larger number, such as 1e-8",
                self.epsilon
            );
            return Err(Error::config("epsilon", message));
        }
        if (self.learning_rate as f32) < f32::MIN_POSITIVE {
            let message = format!("found {:e}, which single precision rounds to 0", self.learning_rate);
            return Err(Error::config("learning-rate", message));
        }
        let channels = if self.shared == Shared::BilstmConv { 2 * self.units } else { self.embedding_dim };
        let numbers = self.kernel_width * channels * self.filters;
        if self.shared != Shared::Bilstm && numbers > MOST_IN_KERNEL {
            let (width, filters) = (self.kernel_width, self.filters);
            let found = format!("kernel-width {width} × {channels} channels × filters {filters} are {numbers} weights");
            return Err(Error::config("kernel-width", format!("{found}, expected at most {MOST_IN_KERNEL}")));
        }
        self.check_weights()
    }

    /// The constants of the optimiser for an embedding of this number of words.
    pub fn adam_settings(&self, words: usize) -> AdamSettings {
        let row_updates = match self.embedding_updates {
            EmbeddingUpdates::Dense => RowUpdates::Dense,
            EmbeddingUpdates::Auto if words <= MOST_DENSE_WORDS => RowUpdates::Dense,
            EmbeddingUpdates::Auto | EmbeddingUpdates::Lazy => RowUpdates::Lazy,
        };
        AdamSettings {
            learning_rate: self.learning_rate,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            form: self.adam,
            row_updates,
        }
    }

    /// Static balancing needs the weight of every task, and nothing else takes any.
    fn check_weights(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::config("balance-weights", message));
        let weights = match (self.balance, &self.balance_weights) {
            (Balance::Static, Some(weights)) => weights,
            (Balance::Static, None) => return wrong("not set, and `balance = \"static\"` needs them".into()),
            (balance, Some(_)) => {
                return wrong(format!("they are those of `balance = \"static\"`, and it is \"{}\"", balance.word()));
            }
            (_, None) => return Ok(()),
        };
        let simulated = || SIMULATED_TASKS.map(str::to_owned).to_vec();
        let named: Vec<String> = self.tasks.iter().map(|task| task.name.clone()).collect();
        let tasks = if named.is_empty() { simulated() } else { named };
        if let Some(task) = tasks.iter().find(|task| weights.get(task).is_none()) {
            return wrong(format!("task `{task}` has none"));
        }
        match weights.tasks().find(|name| !tasks.iter().any(|task| task == name)) {
            Some(unknown) => wrong(format!("no task is called `{unknown}`; the tasks are: {}", tasks.join(", "))),
            None => Ok(()),
        }
    }
}

/// What may be said in a file and on the command line.
pub(crate) struct Schema {
    /// The single fields.
    pub fields: Vec<&'static Field>,
    /// The tables that may occur several times.
    pub tables: Vec<Tables>,
}

/// Tables of one name, `[[name]]`, and what judges a list of them.
pub(crate) struct Tables {
    name: &'static str,
    judge: fn(Value) -> std::result::Result<(), toml::de::Error>,
    judge_in_file: fn(Spanned<DeValue<'_>>) -> std::result::Result<(), toml::de::Error>,
}

impl Tables {
    /// Tables that have the fields of `T`.
    pub fn of<T: DeserializeOwned>(name: &'static str) -> Self {
        Self {
            name,
            judge: |value| Vec::<T>::deserialize(value).map(drop),
            judge_in_file: |value| Vec::<T>::deserialize(value.into_deserializer()).map(drop),
        }
    }
}

impl Schema {
    /// What the file says, replaced by `overrides`. All of it has been judged.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn given(&self, path: Option<&Path>, overrides: Table) -> Result<Table> {
        let mut given = path.map_or_else(|| Ok(Table::new()), |path| self.read(path))?;
        for (name, value) in &overrides {
            self.judge(name, value).map_err(|message| Error::config(shortened(name), message))?;
        }
        given.extend(overrides);
        Ok(given)
    }

    /// The fields of a file, each one judged, so that an error names its line.
    fn read(&self, path: &Path) -> Result<Table> {
        let text = fs::read_to_string(path).map_err(Error::io(path))?;
        let wrong = |offset: usize, message: String| {
            let line = 1 + text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count();
            Error::line(path, line as u64, message)
        };
        let start = |error: &toml::de::Error, item: usize| error.span().map_or(item, |span| span.start);

        let table = DeTable::parse(&text).map_err(|error| wrong(start(&error, 0), error.message().to_owned()))?;
        let mut fields = Table::new();
        for (name, value) in table.into_inner() {
            let (place, name) = (name.span().start, name.into_inner().into_owned());
            let wrong_field =
                |offset: usize, message: &str| wrong(offset, format!("`{}`: {message}", shortened(&name)));
            if let Some(tables) = self.tables_named(&name) {
                // While the places of the tables' own fields are still known.
                (tables.judge_in_file)(value.clone())
                    .map_err(|error| wrong_field(start(&error, place), error.message()))?;
            }
            let value = Value::deserialize(value.into_deserializer());
            let value = value.map_err(|_| wrong_field(place, "the number is too large"))?;
            self.judge(&name, &value).map_err(|message| wrong_field(place, &message))?;
            fields.insert(name, value);
        }
        Ok(fields)
    }

    /// Whether there is such a field, and whether it can have this value.
    fn judge(&self, name: &str, value: &Value) -> std::result::Result<(), String> {
        if let Some(tables) = self.tables_named(name) {
            return (tables.judge)(value.clone()).map_err(|error| error.message().to_owned());
        }
        match self.fields.iter().find(|field| field.name == name) {
            Some(field) => field.check(value),
            None => Err(match self.nearest(name) {
                Some(nearest) => format!("unknown field; the nearest known one is `{nearest}`"),
                None => "unknown field".into(),
            }),
        }
    }

    fn tables_named(&self, name: &str) -> Option<&Tables> {
        self.tables.iter().find(|tables| tables.name == name)
    }

    /// The known name that is most like `name`, unless that is too long for a name (comparing them would take long).
    fn nearest(&self, name: &str) -> Option<&str> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        let likeness = |known: &str| strsim::normalized_damerau_levenshtein(known, name);
        let tables = self.tables.iter().map(|tables| tables.name);
        let known = self.fields.iter().map(|field| field.name.as_str()).chain(tables);
        known.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
    }
}

/// Each field was judged before; what is left is a number too large for the machine.
pub(crate) fn from_value<'de, T: Deserialize<'de>>(value: Value, field: &str) -> Result<T> {
    T::deserialize(value).map_err(|error| Error::config(field, error.message()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use crate::{autograd::AdamForm, mtl::data::Padding};

    use super::*;

    /// Loads `text` from a file; errors speak of it as `FILE`.
    fn load(text: &str, overrides: &str) -> std::result::Result<Settings, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let loaded = Settings::load(Some(file.path()), overrides.parse().unwrap());
        loaded.map_err(|error| error.to_string().replace(file.path().to_str().unwrap(), "FILE"))
    }

    #[test]
    fn overrides_replace_the_file_and_the_file_replaces_the_preset() {
        let settings = load("preset = 'paper'\nadam = 'kingma'\nepochs = 3", "epochs = 4").unwrap();
        assert_eq!((settings.adam, settings.epochs, settings.padding), (AdamForm::Kingma, 4, Padding::Pre));
        let settings = load("preset = 'paper'\nshared = 'conv'", "preset = 'default'").unwrap();
        assert_eq!((settings.shared, settings.padding), (Shared::Conv, Padding::None));
    }

    #[test]
    fn rows_of_a_large_vocabulary_move_with_their_words_unless_the_paper_is_followed() {
        let updates = |text: &str, words: usize| load(text, "").unwrap().adam_settings(words).row_updates;
        for (text, few, many) in [
            ("", RowUpdates::Dense, RowUpdates::Lazy),
            ("embedding-updates = 'dense'", RowUpdates::Dense, RowUpdates::Dense),
            ("embedding-updates = 'lazy'", RowUpdates::Lazy, RowUpdates::Lazy),
            ("preset = 'paper'", RowUpdates::Dense, RowUpdates::Dense),
        ] {
            assert_eq!([updates(text, MOST_DENSE_WORDS), updates(text, MOST_DENSE_WORDS + 1)], [few, many], "{text}");
        }
    }

    #[test]
    fn tasks_are_replaced_as_a_whole() {
        let file = "[[task]]\nname = 'a'\nfile = 'a.tsv'\n[[task]]\nname = 'b'\nfile = 'b.tsv'";
        let names = |settings: Settings| settings.tasks.into_iter().map(|task| task.name).collect::<Vec<_>>();
        assert_eq!(names(load(file, "").unwrap()), ["a", "b"]);
        assert_eq!(names(load(file, "task = [{ name = 'c', file = 'c.tsv' }]").unwrap()), ["c"]);
    }

    #[test]
    fn errors_name_the_line_and_the_field() {
        for (text, message) in [
            ("seed = 1\n\nepoch = 3", "FILE:3: `epoch`: unknown field; the nearest known one is `epochs`"),
            ("learning_rate = 1", "FILE:1: `learning_rate`: unknown field; the nearest known one is `learning-rate`"),
            ("[[tasks]]", "FILE:1: `tasks`: unknown field; the nearest known one is `task`"),
            ("seed = 1\nepochs = 'ten'", "FILE:2: `epochs`: found \"ten\", expected a whole number from 1 to 1000000"),
            ("dropout = 1.0", "FILE:1: `dropout`: found 1.0, expected a number of at least 0 and below 1"),
            ("seed = 99999999999999999999", "FILE:1: `seed`: the number is too large"),
            ("epsilon = 1e999", "FILE:1: `epsilon`: the number is too large"),
            ("batch = []", "FILE:1: `batch`: found an array, expected a whole number from 1 to 1000000"),
            ("padding = 'left'", "FILE:1: `padding`: found \"left\", expected none | pre | post"),
            ("preset = 'papers'", "FILE:1: `preset`: found \"papers\", expected default | paper"),
            ("balance = 'static'", "`balance-weights`: not set, and `balance = \"static\"` needs them"),
            ("balance = 'static'\nbalance-weights = 'task_a=1'", "`balance-weights`: task `task_b` has none"),
            (
                "balance = 'static'\nbalance-weights = 'task_a=1,task_b=1,c=1'",
                "`balance-weights`: no task is called `c`; the tasks are: task_a, task_b",
            ),
            (
                "balance = 'mgda'\nbalance-weights = 'task_a=1'",
                "`balance-weights`: they are those of `balance = \"static\"`, and it is \"mgda\"",
            ),
            (
                "probe = 'losses'",
                "FILE:1: `probe`: found \"losses\", expected `gradients`, or `gradients=N` with a whole number N of at least 1",
            ),
            (
                "patience = 2\nvalidation = 0",
                "`patience`: stopping early needs held-out rows, and `validation` is 0; 0 runs all epochs",
            ),
            (
                "keep = 'best'\nvalidation = 0",
                "`keep`: the best epoch is told by held-out rows, and `validation` is 0; `last` needs none",
            ),
            (
                "shared = 'conv'\nkernel-width = 256\nembedding-dim = 4096\nfilters = 16384",
                "`kernel-width`: kernel-width 256 × 4096 channels × filters 16384 are 17179869184 weights, expected at most 268435456",
            ),
            (
                "epsilon = 1e-50",
                "`epsilon`: found 1e-50, which single precision rounds to 0 where Adam adds it; expected a larger number, such as 1e-8",
            ),
            ("learning-rate = 1e-60", "`learning-rate`: found 1e-60, which single precision rounds to 0"),
            ("shards = 6", "FILE:1: `shards`: found 6, expected a power of two from 1 to 4096"),
            ("shards = 8\nbatch = 7", "`shards`: found 8, expected at most the 7 rows of a batch"),
            ("threads = 100000", "FILE:1: `threads`: found 100000, expected a whole number from 0 to 1024"),
        ] {
            assert_eq!(load(text, "").unwrap_err(), message);
        }
    }

    #[test]
    fn errors_in_toml_and_in_tasks_name_their_own_line() {
        for (text, line, word) in [
            ("seed = 1\nepochs 3", "FILE:2: ", "="),
            ("seed = 1\nseed = 2", "FILE:2: ", "duplicate"),
            ("[[task]]\nname = 'a'\nfile = 'a.tsv'\nlabels = 'b'", "FILE:4: `task`: ", "`labels`"),
            ("\n[[task]]\nname = 'a'\nfile = 7", "FILE:4: `task`: ", "string"),
            ("\n[[task]]\nname = 'a'", "FILE:2: `task`: ", "`file`"),
        ] {
            let error = load(text, "").unwrap_err();
            assert!(error.starts_with(line) && error.contains(word), "{error}");
        }
    }

    #[test]
    fn overrides_are_judged_as_the_file_is() {
        assert_eq!(load("", "epoch = 3").unwrap_err(), "`epoch`: unknown field; the nearest known one is `epochs`");
        assert_eq!(load("", "units = 0").unwrap_err(), "`units`: found 0, expected a whole number from 1 to 4096");
        assert!(load("", "task = [{ name = 'a' }]").unwrap_err().starts_with("`task`: "));
    }

    #[test]
    fn two_tasks_cannot_share_a_name() {
        let error = load("", "task = [{ name = 'a', file = 'x' }, { name = 'a', file = 'y' }]").unwrap_err();
        assert_eq!(error, "task `a`: two tasks have this name; each needs its own");
    }

    #[test]
    fn validation_files_are_enough_to_stop_early() {
        let task = "task = [{ name = 'a', file = 'x', validation = 'y' }]";
        assert!(load("validation = 0\npatience = 2\nkeep = 'best'", task).is_ok());
    }

    /// What was said holds; what a preset says of stopping early needs held-out rows.
    #[test]
    fn without_validation_rows_a_fixed_number_of_epochs_is_run() {
        let of = |text: &str| {
            let settings = load(text, "").unwrap();
            (settings.epochs, settings.patience, settings.keep)
        };
        assert_eq!(of(""), (30, 3, Keep::Best));
        assert_eq!(of("validation = 0"), (10, 0, Keep::Last));
        assert_eq!(of("validation = 0\nepochs = 40"), (40, 0, Keep::Last));
        assert_eq!(of("preset = 'paper'"), (10, 0, Keep::Last));
        assert_eq!(of("preset = 'paper'\nvalidation = 0"), (10, 0, Keep::Last));
        assert_eq!(of("preset = 'paper'\nkeep = 'best'\npatience = 2"), (10, 2, Keep::Best));
    }

    proptest! {
        /// A run directory stores the settings of its run.
        #[test]
        fn settings_survive_their_file(
            paper: bool, seed in 0..=i64::MAX as u64, dropout in 0.0..1.0, rate in 1e-12..1e3, patience: u8,
            path in "[^\0]{1,12}", task in "\\PC{1,12}",
        ) {
            let mut settings = Settings::preset(if paper { Preset::Paper } else { Preset::Default });
            settings.seed = seed;
            settings.dropout = dropout;
            settings.learning_rate = rate;
            settings.patience = patience.into();
            settings.vectors = Some(path.clone().into());
            settings.tasks = vec![TaskSource { name: task, text: Some("text".into()), ..format!("a={path}").parse().unwrap_or_else(|_| "a=b".parse().unwrap()) }];
            prop_assert_eq!(load(&settings.to_toml(), "").unwrap(), settings);
        }
    }
}
