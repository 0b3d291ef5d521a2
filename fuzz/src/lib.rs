//! Bytes in, no panic out: one function for each reader of files. `fuzz_targets` gives them to libFuzzer, and the tests of the library
//! to a generator that needs no special compiler.

mod seeds;

use std::{
    fs,
    io::{BufReader, Cursor},
    path::{Path, PathBuf},
    sync::{LazyLock, atomic::AtomicBool},
};

use mtlcore::mtl::{
    data::{Cells, Delimiter, Dialect, Format, RowReader, RowWriter, Tokenizer, Vectors, Vocabulary, unpacked},
    prepare::Prepared,
    run::{Epochs, Manifest, RunDirectory},
    settings::{Preset, Settings, Shared},
    study::{
        Outcomes, Study, StudySettings, UnitSpec,
        error_analysis::{ERRORS, TaskDecisions, read_categories, write_errors},
    },
    training::{Flow, Trainer},
};
use tempfile::TempDir;
use toml::Table;

/// A reader, and files that it reads.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: [Target; 10] = [
    Target { name: "tables", run: tables, seeds: seeds::tables },
    Target { name: "json_lines", run: json_lines, seeds: seeds::json_lines },
    Target { name: "gzip", run: gzip, seeds: seeds::gzip },
    Target { name: "vectors", run: vectors, seeds: seeds::vectors },
    Target { name: "tokens", run: tokens, seeds: seeds::tokens },
    Target { name: "configuration", run: configuration, seeds: seeds::configuration },
    Target { name: "study_file", run: study_file, seeds: seeds::study_file },
    Target { name: "run_directory", run: run_directory, seeds: || SMALL.run_files.iter().map(named_file).collect() },
    Target { name: "unit_file", run: unit_file, seeds: || vec![SMALL.unit.clone()] },
    Target { name: "category_sheet", run: category_sheet, seeds: || vec![SMALL.sheet.clone()] },
];

/// TSV and CSV.
pub fn tables(bytes: &[u8]) {
    rows(bytes, Format::Tsv);
    rows(bytes, Format::Csv);
}

/// JSON Lines.
pub fn json_lines(bytes: &[u8]) {
    rows(bytes, Format::Jsonl);
}

/// Gzip around a table, or bytes that look like it.
pub fn gzip(bytes: &[u8]) {
    rows(bytes, Format::Csv);
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        rows(&[&[0x1f, 0x8b, 8, 0], bytes].concat(), Format::Tsv);
    }
}

/// Reads all rows and writes them again. What was written is read as as many rows.
fn rows(bytes: &[u8], format: Format) {
    let Some(first) = rewritten(bytes, format, None) else { return };
    // A name of a column may begin as packed files do, or with a byte order mark.
    if !first.written.starts_with(&[0x1f]) && !first.written.starts_with("\u{feff}".as_bytes()) {
        let again = rewritten(&first.written, format, Some(first.delimiter)).expect("what is written can be read");
        assert_eq!(first.count, again.count, "rows that are written are as many when they are read");
    }
}

/// A table as mtlcore writes it.
struct Rewritten {
    written: Vec<u8>,
    count: usize,
    delimiter: Delimiter,
}

/// The table of these bytes; `None` if it is refused.
fn rewritten(bytes: &[u8], format: Format, delimiter: Option<Delimiter>) -> Option<Rewritten> {
    let input = unpacked(BufReader::new(Cursor::new(bytes.to_vec()))).ok()?;
    let dialect = Dialect { delimiter: delimiter.filter(|_| format != Format::Jsonl), ..Dialect::default() };
    let mut reader = RowReader::new(input, format, dialect, "bytes".into()).ok()?;
    if let Some(first) = reader.columns().first().cloned() {
        let _ = reader.column(&first);
    }
    let writer = RowWriter::new(format, reader.columns(), &[]).with_delimiter(reader.delimiter());
    let (mut written, mut count) = (Vec::new(), 0);
    writer.header(&mut written);
    loop {
        match reader.next_row() {
            Ok(Some(row)) => {
                if let Cells::Fields(fields) = &row.cells {
                    assert_eq!(fields.iter().count(), reader.columns().len());
                }
                writer.row(&row, &[], &mut written);
                count += 1;
            }
            Ok(None) => return Some(Rewritten { written, count, delimiter: reader.delimiter() }),
            Err(_) => return None,
        }
    }
}

/// Word vectors as text.
pub fn vectors(bytes: &[u8]) {
    let vocabulary = Vocabulary::of(["the flu shot <user> a b c 0.5"].into_iter(), Tokenizer::Plain);
    let input = BufReader::new(Cursor::new(bytes.to_vec()));
    if let Ok(vectors) = Vectors::from_reader(input, Path::new("bytes"), &vocabulary) {
        assert_eq!(vectors.values.len(), vocabulary.len() * vectors.dim);
        assert!(vectors.values.iter().all(|number| number.is_finite()));
    }
}

/// The tokenizers.
pub fn tokens(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for tokenizer in [Tokenizer::Glove2, Tokenizer::Glove, Tokenizer::Plain] {
        let tokens = tokenizer.tokens(&text);
        assert!(tokens.iter().all(|token| !token.is_empty() && !token.contains([' ', '\n', '\t'])), "{tokens:?}");
    }
}

/// A configuration of a training.
pub fn configuration(bytes: &[u8]) {
    let settings = with_file(bytes, "config.toml", |path| Settings::load(Some(path), Table::new()).ok());
    if let Some(settings) = settings {
        let again =
            with_file(settings.to_toml().as_bytes(), "config.toml", |path| Settings::load(Some(path), Table::new()));
        assert_eq!(again.expect("what is written can be read"), settings);
    }
}

/// The settings of a study.
pub fn study_file(bytes: &[u8]) {
    let settings = with_file(bytes, "study.toml", |path| StudySettings::load(Some(path), Table::new()).ok());
    if let Some(settings) = settings {
        let again = with_file(settings.to_toml().as_bytes(), "study.toml", |path| {
            StudySettings::load(Some(path), Table::new())
        });
        assert_eq!(again.expect("what is written can be read"), settings);
    }
}

/// A run of which one file has other bytes: the first byte says which file. All but the manifest have their checksums there.
pub fn run_directory(bytes: &[u8]) {
    let Some((which, content)) = bytes.split_first() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let which = usize::from(*which) % SMALL.run_files.len();
    for (place, (name, whole)) in SMALL.run_files.iter().enumerate() {
        let content = if place == which { content } else { whole };
        fs::write(directory.path().join(name), content).expect("a file");
    }
    let Ok(run) = RunDirectory::open(directory.path()) else { return };
    let _ = run.learnt_texts();
    if let Ok(trained) = run.trained() {
        let probabilities = trained.probabilities(["flu shot", "", "what a day"]);
        let is_checked = SMALL.run_files[which].0 != "manifest.json";
        assert!(!is_checked || probabilities == SMALL.probabilities, "other probabilities, without an error");
    }
}

/// A unit of a study.
pub fn unit_file(bytes: &[u8]) {
    let Small { study, spec, outcomes, .. } = &*SMALL;
    let (directory, pair) = (tempfile::tempdir().expect("a directory"), &study.pairs[0]);
    let store = mtlcore::mtl::study::UnitStore::of(directory.path());
    let key = SMALL.key.as_str();
    let path = store.path(spec, key);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
    if let Ok(Some(outcome)) = store.read(spec, key) {
        let expected = &outcomes.iter().find(|(of, _)| of == spec).expect("it was run").1;
        assert!(outcome == *expected, "another outcome of {}, without an error", pair.name);
    }
}

/// A sheet of errors with categories.
pub fn category_sheet(bytes: &[u8]) {
    let Small { study, outcomes, .. } = &*SMALL;
    let tasks = TaskDecisions::all(&study.settings, &study.pairs, outcomes);
    let _ = with_file(bytes, ERRORS, |path| read_categories(path, &tasks).ok());
}

/// What `read` makes of a file with these bytes.
fn with_file<T>(bytes: &[u8], name: &str, read: impl FnOnce(&Path) -> T) -> T {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(name);
    fs::write(&path, bytes).expect("a file");
    read(&path)
}

/// A small run and a small study, made once.
struct Small {
    /// Name and content.
    run_files: Vec<(String, Vec<u8>)>,
    probabilities: Vec<Vec<f64>>,
    study: Study,
    outcomes: Outcomes,
    spec: UnitSpec,
    key: String,
    unit: Vec<u8>,
    sheet: Vec<u8>,
    _directory: TempDir,
}

static SMALL: LazyLock<Small> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let (run_files, probabilities) = small_run(&directory.path().join("run"));
    let base = Settings { out: directory.path().join("study"), ..small_settings() };
    let preset = StudySettings::preset(Preset::Default);
    let settings = StudySettings { base, folds: 2, seeds: 1, scale: 0.02, shared: vec![Shared::Conv], ..preset };
    let study = Study::begin(settings).expect("a study");
    study.run(&AtomicBool::new(false), &|_| ()).expect("units").expect("results");
    let outcomes = study.outcomes().expect("outcomes");
    let units = fs::read_dir(study.directory().join("units")).expect("units").flatten();
    let unit = units.map(|entry| fs::read(entry.path()).expect("a unit")).min().expect("a unit");
    let mut parts: serde_json::Value = serde_json::from_slice(&unit).expect("a unit");
    let spec: UnitSpec = serde_json::from_value(parts["spec"].take()).expect("a spec");
    let key = parts["key"].as_str().expect("a key").to_owned();
    let sheet = directory.path().join(ERRORS);
    let tasks = TaskDecisions::all(&study.settings, &study.pairs, &outcomes);
    let errors: Vec<_> = tasks.iter().flat_map(|task| task.sample(3, 1)).collect();
    write_errors(&sheet, &errors, true).expect("a sheet");
    let sheet = fs::read(sheet).expect("a sheet");
    drop(tasks);
    Small { run_files, probabilities, study, outcomes, spec, key, unit, sheet, _directory: directory }
});

fn small_settings() -> Settings {
    Settings {
        shared: Shared::Conv,
        filters: 2,
        embedding_dim: 3,
        epochs: 1,
        batch: 64,
        threads: 1,
        ..Settings::preset(Preset::Default)
    }
}

/// A file's name and content.
type NamedFile = (String, Vec<u8>);

/// The files of a small run, and the probabilities of three texts by task.
fn small_run(path: &PathBuf) -> (Vec<NamedFile>, Vec<Vec<f64>>) {
    let settings = small_settings();
    let prepared = Prepared::new(&settings).expect("a simulated pair");
    let table = prepared.table(&settings);
    let Prepared { corpus, dataset, split, vectors, .. } = &prepared;
    let mut trainer = Trainer::new(&settings, dataset, split, &table);
    let manifest = Manifest::new(&settings, corpus, dataset, split, vectors.as_ref(), 0);
    let run = RunDirectory::create(path, false, &settings, dataset, split, &manifest, trainer.params()).expect("a run");
    trainer.run(|_, _| Ok(Flow::Continue)).expect("a training");
    run.finish(trainer.params(), Epochs { run: 1, chosen: 1 }).expect("a finished run");
    let probabilities = run.trained().expect("a network").probabilities(["flu shot", "", "what a day"]);
    drop(run);
    let entries = fs::read_dir(path).expect("files").flatten();
    let mut files: Vec<NamedFile> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a file")))
        .collect();
    files.sort();
    (files, probabilities)
}

/// A seed of [`run_directory`].
fn named_file((name, content): &NamedFile) -> Vec<u8> {
    let place = SMALL.run_files.iter().position(|(of, _)| of == name).expect("it is one of them");
    [&[place as u8], &content[..]].concat()
}
