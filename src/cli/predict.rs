//! `mtlcore predict`: rows in, the same rows with each task's probability and decision out.
//!
//! One thread reads and one writes, with as many as asked for between them, each of which makes the output's bytes of one block
//! of rows at a time. Queues are short and keep the order, so memory does not depend on the number of rows.

use std::{
    collections::{BTreeMap, HashSet},
    io::{self, BufReader, IsTerminal, Write},
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use mtlcore::{
    Error,
    mtl::{
        data::{self, Cells, Column, Delimiter, Dialect, Format, Row, RowReader, RowWriter},
        files::write_atomically,
        run::Trained,
        training::Predictor,
    },
    printable::{printable, quoted},
};
use rayon::ThreadPool;

use crate::{
    output, settings,
    subject::open,
    tables::format_parser,
    threshold::{self, Threshold},
};

/// Predict texts: every row of the input, with <task>_probability and <task>_prediction at its end
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A finished run
    run: PathBuf,
    /// A file of rows, plain or gzip, or - for standard input
    #[arg(default_value = STANDARD_INPUT)]
    input: PathBuf,
    /// The column of texts [default: that of the run]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Where to write it, whole or not at all [default: standard output, each row as soon as it is predicted]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Format of the output [default: what the extension of --output says, else that of the input]
    #[arg(long, value_parser = format_parser())]
    format: Option<Format>,
    /// What stands between two columns: one ASCII character, or `tab` [default: that of the run, or as the header tells]
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<Delimiter>,
    /// Format of the input [default: what the file's extension says, or that of the run; tsv for standard input]
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    input_format: Option<Format>,
    /// Predict true where the probability is greater than this: a number, or `tuned` for the one with the best F1 on the rows that
    /// training held out, for each task [default: the run's]
    #[arg(long, value_name = "P|tuned", value_parser = threshold::parse)]
    threshold: Option<Threshold>,
    /// Threads to compute with, 0 for one a core; the result is the same for any number
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = settings::threads)]
    threads: usize,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore predict run posts.tsv > predicted.tsv
  mtlcore predict run posts.tsv -o predicted.csv
  mtlcore predict run posts.tsv --threshold tuned   decisions with the best F1 on the held-out rows
  mtlcore predict run posts.csv.gz --text-column tweet --format jsonl > predicted.jsonl
  zcat posts.jsonl.gz | mtlcore predict run --input-format jsonl | head";

const STANDARD_INPUT: &str = "-";

/// Rows that are predicted together at most. A smaller block is not waited for: what has been read is predicted and written.
const BLOCK: usize = 1024;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

pub fn run(arguments: &Arguments) -> Result<()> {
    let (trained, manifest) = open(&arguments.run)?;
    let thresholds = threshold::of_tasks(arguments.threshold, &arguments.run, &manifest, &trained)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build().context("threads")?;
    let input = Input::open(arguments, &trained)?;
    let writer = input.writer.clone();
    let mut header = Vec::new();
    writer.header(&mut header);

    let (name, text, format) = (input.name.clone(), input.text.clone(), input.output_format);
    let (to_compute, from_reader) = sync_channel(BLOCK);
    let (to_write, from_computation) = sync_channel(threads.current_num_threads());
    // Neither thread is joined if writing fails: the reader may still block on its input.
    let reading = thread::spawn(move || input.read(&to_compute));
    let computing = thread::spawn(move || {
        let prediction =
            Prediction { name, trained: &trained, predictor: trained.predictor(), thresholds, format, text, writer };
        prediction.compute(&threads, &from_reader, &to_write)
    });
    let ended = move || -> mtlcore::Result<()> {
        computing.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        reading.join().unwrap_or_else(|panic| resume_unwind(panic))
    };
    let Some(path) = &arguments.output else {
        write(&mut io::stdout().lock(), io::stdout().is_terminal(), &header, &from_computation)
            .context("standard output")?;
        return Ok(ended()?);
    };
    let mut read = Ok(());
    let written = write_atomically(path, |output| {
        write(output, false, &header, &from_computation)?;
        read = ended();
        if read.is_ok() { Ok(()) } else { Err(io::Error::other("the input could not be read")) }
    });
    Ok(read.and(written)?)
}

/// The rows to predict, and how they are read and written.
struct Input {
    /// What errors call it.
    name: PathBuf,
    rows: RowReader,
    /// The reader's columns.
    known: HashSet<String>,
    text: Column,
    output_format: Format,
    /// The columns that predictions are written to.
    added: Vec<String>,
    writer: RowWriter,
}

impl Input {
    /// Opens the input, and checks that its columns and those to be added can stand side by side.
    fn open(arguments: &Arguments, trained: &Trained) -> Result<Self> {
        let is_file = arguments.input != Path::new(STANDARD_INPUT);
        let name = if is_file { arguments.input.clone() } else { "<stdin>".into() };
        if is_file && looks_like_a_text(&name) {
            bail!(
                "{name:?} is no file; to see one text: mtlcore explain {run} {name:?}, or \
                 printf 'text\\n%s\\n' {name:?} | mtlcore predict {run}",
                run = arguments.run.display()
            );
        }
        let said = Dialect { format: arguments.input_format, delimiter: arguments.delimiter };
        let (format, dialect) = trained.settings.dialect_of(is_file.then_some(&*name), said)?;
        let bytes = if is_file { data::open(&name)? } else { standard_input().map_err(Error::io(&name))? };
        let rows = RowReader::new(bytes, format, dialect, name.clone())?;
        let by_extension = || arguments.output.as_deref().and_then(|path| Format::of(path).ok());
        let output_format = arguments.format.or_else(by_extension).unwrap_or(format);
        let added: Vec<String> = trained
            .tasks
            .iter()
            .flat_map(|task| [format!("{task}_probability"), format!("{task}_prediction")])
            .collect();
        let columns = rows.columns();
        if let Some(taken) = added.iter().find(|column| columns.contains(column)) {
            return Err(Error::file(name, already_there(taken)).into());
        }
        if let (Format::Jsonl, Some(column)) = (output_format, rows.repeated_column()) {
            let message = format!("two columns are called {}, which --format jsonl cannot keep", quoted(column));
            return Err(Error::file(name, message).into());
        }
        let text_column = arguments.text_column.as_deref().unwrap_or(trained.settings.text_column_of_tasks());
        let text = rows.column_or(text_column, "say --text-column NAME")?;
        let known = columns.iter().cloned().collect();
        let mut writer = RowWriter::new(output_format, columns, &added);
        if output_format == format {
            writer = writer.with_delimiter(rows.delimiter());
        }
        Ok(Self { name, rows, known, text, output_format, added, writer })
    }

    /// Passes on every row until the end, an error, or until the receiver is gone.
    fn read(mut self, rows: &SyncSender<Row>) -> mtlcore::Result<()> {
        while let Some(row) = self.rows.next_row()? {
            self.check(&row).map_err(|message| Error::line(&self.name, row.line, message))?;
            if rows.send(row).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// What keeps a row from being predicted and written, if anything does. The rows of JSON Lines differ in their keys.
    fn check(&self, row: &Row) -> std::result::Result<(), String> {
        row.text(&self.text)?;
        let Cells::Object(object) = &row.cells else { return Ok(()) };
        if let Some(taken) = self.added.iter().find(|column| object.contains_key(*column)) {
            return Err(already_there(taken));
        }
        let is_new = |key: &&String| !self.known.contains(*key);
        match object.keys().find(is_new) {
            Some(key) if self.output_format != Format::Jsonl => Err(format!(
                "{} is no key of the first row, so --format {} has no column for it",
                quoted(key),
                self.output_format
            )),
            _ => Ok(()),
        }
    }
}

/// Somebody gave a text where a file is expected.
fn looks_like_a_text(path: &Path) -> bool {
    !path.exists() && path.to_str().is_some_and(|name| name.contains(' ')) && Format::of(path).is_err()
}

fn already_there(column: &str) -> String {
    format!("there is a column {} already, where the prediction would be written; rename or remove it", quoted(column))
}

/// Standard input, unpacked if it is gzip.
fn standard_input() -> io::Result<data::Input<'static>> {
    if io::stdin().is_terminal() {
        output::say("Reading rows from standard input.");
    }
    data::unpacked(BufReader::with_capacity(BUFFER, io::stdin()))
}

/// The output's bytes of a block of rows, once they are there.
type Predicted = Receiver<Vec<u8>>;

/// What makes bytes of rows.
struct Prediction<'t> {
    /// What errors call the input.
    name: PathBuf,
    trained: &'t Trained,
    predictor: Predictor<'t>,
    /// Of each task: what a probability must exceed to be predicted true.
    thresholds: Vec<f64>,
    format: Format,
    text: Column,
    writer: RowWriter,
}

impl Prediction<'_> {
    /// Predicts the rows that have come, block by block, until no more come or the receiver is gone.
    ///
    /// # Errors
    /// The first row for which the network gives no number; the rows before it have been passed on.
    fn compute(
        &self,
        threads: &ThreadPool,
        rows: &Receiver<Row>,
        blocks: &SyncSender<Predicted>,
    ) -> mtlcore::Result<()> {
        let failures = Mutex::new(BTreeMap::new()); // by the first line of a block
        threads.in_place_scope_fifo(|scope| {
            let failures = &failures;
            while let Ok(first) = rows.recv() {
                let block: Vec<Row> = std::iter::once(first).chain(rows.try_iter().take(BLOCK - 1)).collect();
                let (result, predicted) = sync_channel(1);
                scope.spawn_fifo(move |_| match self.bytes(&block) {
                    Ok(bytes) => drop(result.send(bytes)),
                    Err(error) => drop(failures.lock().expect("no thread panicked").insert(block[0].line, error)),
                });
                if blocks.send(predicted).is_err() {
                    break;
                }
            }
        });
        let first = failures.into_inner().expect("no thread panicked").pop_first();
        first.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn bytes(&self, rows: &[Row]) -> mtlcore::Result<Vec<u8>> {
        let texts: Vec<(u64, &str)> = rows.iter().map(|row| (row.line, text_of(row, &self.text))).collect();
        let probabilities = self.predictor.probabilities_of_rows(&self.trained.encoder, &self.name, &texts)?;
        let (mut values, mut bytes) = (Vec::new(), Vec::new());
        for (row, of_tasks) in rows.iter().zip(probabilities) {
            values.clear();
            let decided = of_tasks.into_iter().zip(&self.thresholds);
            let shown = |p: f64| if self.format == Format::Jsonl { p } else { seven_digits(p) };
            values.extend(decided.flat_map(|(p, threshold)| [shown(p).into(), u8::from(p > *threshold).into()]));
            self.writer.row(row, &values, &mut bytes);
        }
        Ok(bytes)
    }
}

/// A table is for people and spreadsheets: it shows the digits that a network of 32-bit numbers can mean. (JSON has them all.)
fn seven_digits(p: f64) -> f64 {
    format!("{p:.6e}").parse().expect("it is a number")
}

fn text_of<'r>(row: &'r Row, column: &Column) -> &'r str {
    row.text(column).expect("checked by the reader")
}

/// Writes blocks in their order, each as soon as it is there.
fn write(output: &mut dyn Write, is_terminal: bool, header: &[u8], blocks: &Receiver<Predicted>) -> io::Result<()> {
    // A file or a program gets every byte as it came; a terminal would obey some.
    let mut put = |bytes: &[u8]| {
        match (is_terminal, std::str::from_utf8(bytes)) {
            (true, Ok(text)) => output.write_all(printable(text).as_bytes())?,
            _ => output.write_all(bytes)?,
        }
        output.flush()
    };
    put(header)?;
    for block in blocks {
        let Ok(bytes) = block.recv() else { break }; // A thread has failed, which shows when it is joined.
        put(&bytes)?;
    }
    Ok(())
}
