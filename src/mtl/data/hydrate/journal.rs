//! What was answered so far, on the disk before anything else is done with it: no id is asked twice, and a kill loses nothing.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::answers::{Answers, Page};
use crate::mtl::{claim::Claim, files};
use crate::{Error, Result};

/// The file of pages, a JSON object a line, which one process at a time appends to.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// What its pages say.
    pub answers: Answers,
    refreshing: bool,
    _claim: Claim,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Page(Page),
    /// All ids are asked anew from here on.
    Refresh {
        refresh: bool,
    },
}

/// What is in the file.
#[derive(Default)]
struct Found {
    answers: Answers,
    refreshing: bool,
    /// Bytes of whole lines: what follows was being written when its process was killed.
    whole: usize,
}

/// The folder that belongs to the file `out`.
fn folder(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".hydrate");
    name.into()
}

impl Journal {
    /// Opens the journal of the file `out`, or makes it; a torn last line is cut off.
    ///
    /// # Errors
    /// [`Error::File`] if another process is at it, [`Error::Line`] for a line that is not its own, [`Error::Io`].
    pub fn open(out: &Path) -> Result<Self> {
        let folder = folder(out);
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let claim = Claim::take(&folder.join("claim"))?;
        let claim = claim.ok_or_else(|| Error::file(out, "another process is fetching its posts"))?;
        let path = folder.join("pages.jsonl");
        let found = read(&path)?;
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        file.set_len(found.whole as u64).and_then(|()| file.sync_all()).map_err(Error::io(&path))?;
        files::system::sync_directory(&folder).map_err(Error::io(&folder))?;
        Ok(Self { path, file, answers: found.answers, refreshing: found.refreshing, _claim: claim })
    }

    /// What the journal of `out` says, if there is one; nothing is made or changed.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn peek(out: &Path) -> Result<Answers> {
        Ok(read(&folder(out).join("pages.jsonl"))?.answers)
    }

    /// Adds a page, which is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::Io`]; what was written of the page is then cut off when the journal is opened.
    pub fn add(&mut self, page: Page) -> Result<()> {
        self.answers.add(&page);
        self.append(&Entry::Page(page))
    }

    /// Forgets what was answered, so that every id is asked anew; goes on with a refreshing that was stopped.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn refresh(&mut self) -> Result<()> {
        if self.refreshing {
            return Ok(());
        }
        self.refreshing = true;
        self.answers.forget();
        self.append(&Entry::Refresh { refresh: true })
    }

    /// After a refreshing: removes the earlier answers from the disk, and with them the texts of posts that are gone.
    ///
    /// # Errors
    /// [`Error::Io`]; the old journal is then still there.
    pub fn forget_earlier(&mut self) -> Result<()> {
        if !self.refreshing {
            return Ok(());
        }
        let text = fs::read_to_string(&self.path).map_err(Error::io(&self.path))?;
        let is_marker = |line: &&str| matches!(serde_json::from_str(line), Ok(Entry::Refresh { .. }));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let after = lines.iter().rposition(is_marker).map_or(0, |marker| marker + 1);
        files::write_atomically(&self.path, |output| {
            lines[after..].iter().try_for_each(|line| output.write_all(line.as_bytes()))
        })?;
        self.file = OpenOptions::new().append(true).open(&self.path).map_err(Error::io(&self.path))?;
        self.refreshing = false;
        Ok(())
    }

    fn append(&mut self, entry: &Entry) -> Result<()> {
        let line = serde_json::to_string(entry).expect("plain data") + "\n";
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(Error::io(&self.path))
    }
}

fn read(path: &Path) -> Result<Found> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::default()),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let mut found = Found::default();
    for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
        if !line.ends_with(b"\n") {
            break;
        }
        match serde_json::from_slice(line) {
            Ok(Entry::Page(page)) => found.answers.add(&page),
            Ok(Entry::Refresh { .. }) => {
                found.answers.forget();
                found.refreshing = true;
            }
            Err(_) => return Err(Error::line(path, number, "not a page of answers; was the journal edited?")),
        }
        found.whole += line.len();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::hydrate::Retweets;
    use serde_json::json;

    fn page(id: &str, text: Option<&str>) -> Page {
        let data = text.map(|text| json!({"id": id, "text": text})).into_iter().collect();
        Page { asked: vec![id.into()], data, includes: json!({}), errors: vec![], at: 0 }
    }

    #[test]
    fn a_torn_line_is_cut_off_and_the_rest_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("flu.tsv");
        let mut journal = Journal::open(&out).unwrap();
        journal.add(page("1", Some("a"))).unwrap();
        journal.add(page("2", None)).unwrap();
        let path = journal.path.clone();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let line = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        for end in line..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let journal = Journal::open(&out).unwrap();
            assert_eq!((journal.answers.has("1"), journal.answers.has("2")), (true, false));
            assert_eq!(fs::read(&path).unwrap(), whole[..line]);
        }
        fs::write(&path, b"x\n").unwrap();
        assert!(Journal::open(&out).unwrap_err().to_string().contains("pages.jsonl:1: not a page"));
    }

    #[test]
    fn one_process_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("flu.tsv");
        let _first = Journal::open(&out).unwrap();
        assert!(Journal::open(&out).unwrap_err().to_string().ends_with("another process is fetching its posts"));
    }

    /// What the author has deleted is gone from the disk too.
    #[test]
    fn refreshing_goes_on_after_a_stop_and_forgets_deleted_texts() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("flu.tsv");
        let mut journal = Journal::open(&out).unwrap();
        journal.add(page("1", Some("first"))).unwrap();
        journal.add(page("2", Some("second"))).unwrap();
        journal.refresh().unwrap();
        journal.add(page("1", None)).unwrap();
        drop(journal);
        let mut journal = Journal::open(&out).unwrap();
        journal.refresh().unwrap();
        assert_eq!((journal.answers.has("1"), journal.answers.has("2")), (true, false), "it went on");
        journal.add(page("2", Some("second"))).unwrap();
        journal.forget_earlier().unwrap();
        let text = fs::read_to_string(&journal.path).unwrap();
        assert!(!text.contains("first") && text.contains("second"), "{text}");
        drop(journal);
        let answers = Journal::peek(&out).unwrap();
        assert_eq!(
            (answers.text("1", Retweets::Full), answers.text("2", Retweets::Full)),
            (None, Some("second".into()))
        );
    }
}
