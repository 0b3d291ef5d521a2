//! The measurements of a training, a line each.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use crate::mtl::{files, training::Measurement};
use crate::{Error, Result};

/// The file `probe.jsonl` of a run that is being trained.
#[derive(Debug)]
pub struct ProbeLog {
    path: PathBuf,
    file: File,
    /// Of each block and pair of tasks: in how many measurements they were in conflict, and how many there were.
    conflicts: HashMap<(String, [String; 2]), (u64, u64)>,
}

impl ProbeLog {
    /// Goes on after `steps` steps of training, of which every `every`th was measured: the lines of later steps, which will be made
    /// again, go.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read or written, [`Error::File`] if lines of earlier steps are missing or damaged.
    pub(super) fn open(path: &Path, steps: u64, every: u64) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            text => text.map_err(Error::io(path))?,
        };
        let mut conflicts = HashMap::new();
        let mut kept = String::new();
        let mut lines = 0;
        // A line is whole if it ends; the last one may have been cut off where the process was killed.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let Ok(mut measurement) = serde_json::from_str::<Measurement>(line) else { break };
            if measurement.step > steps {
                break;
            }
            lines += 1;
            count(&mut conflicts, &mut measurement);
            kept += line;
        }
        if lines != steps / every {
            let message = format!("it is damaged: {lines} lines are left of the {} up to step {steps}", steps / every);
            return Err(Error::file(path, message));
        }
        if kept != text {
            files::write_atomically(path, |output| output.write_all(kept.as_bytes()))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(Error::io(path))?;
        Ok(Self { path: path.into(), file, conflicts })
    }

    /// Writes a measurement, with the share of conflicts so far.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn append(&mut self, measurement: &Measurement) -> Result<()> {
        let mut measurement = measurement.clone();
        count(&mut self.conflicts, &mut measurement);
        let line = serde_json::to_string(&measurement).expect("a measurement is plain data") + "\n";
        self.file.write_all(line.as_bytes()).map_err(Error::io(&self.path))
    }

    /// Waits until all lines are safe; before a checkpoint that counts on them.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io(&self.path))
    }
}

/// Counts the conflicts of a measurement, and fills in their shares so far.
fn count(conflicts: &mut HashMap<(String, [String; 2]), (u64, u64)>, measurement: &mut Measurement) {
    for (name, block) in &mut measurement.blocks {
        for pair in &mut block.pairs {
            let (in_conflict, all) = conflicts.entry((name.clone(), pair.tasks.clone())).or_default();
            *in_conflict += u64::from(pair.cosine < 0.0);
            *all += 1;
            pair.conflict_share = *in_conflict as f64 / *all as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::mtl::training::{ALL, Block, PairOfTasks};

    fn measurement(step: u64, cosine: f64) -> Measurement {
        let tasks = ["a".to_owned(), "b".to_owned()];
        let pairs = vec![PairOfTasks { tasks, cosine, conflict_share: 0.0 }];
        let none = IndexMap::new;
        let block = Block { norms: none(), update_share: none(), pairs };
        let blocks = IndexMap::from([(ALL.to_owned(), block)]);
        Measurement { step, epoch: 1, losses: none(), weights: none(), blocks, affinity: IndexMap::new() }
    }

    /// However far it came before it was stopped, a log that goes on has the bytes of one that was never stopped.
    #[test]
    fn a_log_goes_on_with_the_same_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let (plain, stopped) = (directory.path().join("plain"), directory.path().join("stopped"));
        let steps: Vec<Measurement> =
            (1..=9).map(|i| measurement(2 * i, if i % 3 == 0 { -0.5 } else { 0.1 })).collect();
        let mut log = ProbeLog::open(&plain, 0, 2).unwrap();
        steps.iter().for_each(|step| log.append(step).unwrap());
        let whole = fs::read(&plain).unwrap();
        for kept in 0..=steps.len() {
            for cut in [0, 1, 40] {
                // The process was killed a line and a half after its last checkpoint.
                fs::write(&stopped, &whole[..whole.len() - cut]).unwrap();
                let whole_lines = if cut == 0 { steps.len() } else { steps.len() - 1 };
                let kept = kept.min(whole_lines);
                let mut log = ProbeLog::open(&stopped, 2 * kept as u64, 2).unwrap();
                steps[kept..].iter().for_each(|step| log.append(step).unwrap());
                assert_eq!(fs::read(&stopped).unwrap(), whole);
            }
        }
        let last: Measurement = serde_json::from_slice(whole.split(|b| *b == b'\n').nth(8).unwrap()).unwrap();
        assert_eq!(last.blocks[ALL].pairs[0].conflict_share, 3.0 / 9.0);
    }

    #[test]
    fn damage_before_the_checkpoint_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("probe.jsonl");
        let mut log = ProbeLog::open(&path, 0, 1).unwrap();
        (1..=3).for_each(|step| log.append(&measurement(step, 0.0)).unwrap());
        let text = fs::read_to_string(&path).unwrap().replace("\"step\":2", "\"step\":x");
        fs::write(&path, text).unwrap();
        let error = ProbeLog::open(&path, 3, 1).unwrap_err().to_string();
        assert!(error.ends_with("it is damaged: 1 lines are left of the 3 up to step 3"), "{error}");
        fs::remove_file(&path).unwrap();
        assert!(ProbeLog::open(&path, 3, 1).is_err());
    }
}
