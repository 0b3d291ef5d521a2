//! Files that are written whole or not at all, and tensors in them.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::tensor::{Shape, Tensor};
use crate::{Error, Result};

/// Tensors with their names.
pub(super) type NamedTensors<'t> = Vec<(String, &'t Tensor<f32>)>;

/// Replaces the file by what `write` writes: aside, synced, then renamed, so that a reader finds the old content or the new, even
/// after a power cut. Where a link stands, the file that it leads to is replaced. What is no file, such as a terminal or a pipe, is
/// written as it is.
///
/// # Errors
/// [`Error::Io`] with `path`; the old content is then still there.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => write_through(path, write).map_err(Error::io(path)),
        Ok(_) => {
            let target = fs::canonicalize(path).map_err(Error::io(path))?;
            replace(&target, write).map_err(Error::io(path))
        }
        Err(_) => replace(path, write).map_err(Error::io(path)),
    }
}

/// Makes the file with this content, unless there is one already: of several who try at once, one succeeds. `false` if it was there.
///
/// # Errors
/// [`Error::Io`] with `path`.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    let written = (|| {
        let mut aside = aside(path)?;
        aside.write_all(content)?;
        aside.as_file().sync_all()?;
        match aside.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    })();
    written.map_err(Error::io(path))
}

fn write_through(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut output = io::BufWriter::new(OpenOptions::new().write(true).open(path)?);
    write(&mut output)?;
    output.flush()
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut aside = aside(path)?;
    let mut buffered = io::BufWriter::new(aside.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    aside.as_file().sync_all()?;
    aside.persist(path)?;
    // The new name is safe once the directory is.
    if cfg!(unix) { File::open(directory_of(path))?.sync_all() } else { Ok(()) }
}

/// A file beside `path` that becomes it.
fn aside(path: &Path) -> io::Result<NamedTempFile> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ASIDE);
    let mut aside = tempfile::Builder::new();
    // A temporary file is its owner's alone; a result is for all whom the umask lets read.
    #[cfg(unix)]
    aside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    aside.prefix(&name).tempfile_in(directory_of(path))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What follows the name of a file that is being written; then come random letters, so that two processes that write the same
/// file do not meet.
const ASIDE: &str = ".writing-";

/// Whether a path is that of a file which is being written, or was when its process was killed.
pub(super) fn is_aside(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(ASIDE))
}

/// Removes what killed processes were writing in a directory that is ours alone.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be read or a file cannot be removed.
pub(super) fn clear_asides(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(Error::io(directory))? {
        let path = entry.map_err(Error::io(directory))?.path();
        if is_aside(&path) {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

/// What stands before the checksum in a file of [`write_json`].
const CHECKSUM: &str = ",\n  \"sha256\": \"";

/// Writes a struct as JSON, whole or not at all, with a last field `sha256`: that of all the text before it.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
///
/// # Panics
/// If the value is no struct with fields, or JSON cannot express it.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).expect("plain data");
    let content = text.strip_suffix("\n}").expect("a struct with fields");
    let checksum = sha256_of(content.as_bytes());
    write_whole(path, |output| output.write_all(format!("{content}{CHECKSUM}{checksum}\"\n}}\n").as_bytes()))
}

/// Reads what [`write_json`] wrote, which errors call `what`. Files of versions that wrote no checksum are taken as they are.
///
/// # Errors
/// [`Error::File`] if the text is not that of its checksum, [`Error::Line`] if it is something else, [`Error::Io`] if it cannot be
/// read.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    let value = serde_json::from_str(&text)
        .map_err(|error| Error::line(path, error.line() as u64, format!("not {what}: {error}")))?;
    match text.rsplit_once(CHECKSUM) {
        Some((content, end)) if end != format!("{}\"\n}}\n", sha256_of(content.as_bytes())) => {
            Err(Error::file(path, "it is damaged or was changed: its content is not that of the SHA-256 at its end"))
        }
        _ => Ok(value),
    }
}

/// Writes a safetensors file with at most one entry of metadata (the order of several would vary), and returns its SHA-256.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
pub(super) fn write_tensors(path: &Path, tensors: &NamedTensors, metadata: Option<(&str, String)>) -> Result<String> {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, tensor)| little_endian(tensor)).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape().dims().to_vec(), bytes);
        (name, view.expect("four bytes an element"))
    });
    let metadata = metadata.map(|(key, value)| HashMap::from([(key.to_owned(), value)]));
    let file = safetensors::serialize(views, metadata).expect("names and shapes are valid");
    write_whole(path, |output| output.write_all(&file))?;
    Ok(sha256_of(&file))
}

/// The tensors of a safetensors file by name.
///
/// # Errors
/// [`Error::File`] if it is not one, or holds something else than 32-bit numbers of up to three axes.
pub(super) fn read_tensors(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, Tensor<f32>>> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| Error::file(path, format!("it is damaged or no safetensors file: {error}")))?;
    let read = |(name, view): (&str, TensorView)| {
        if view.dtype() != Dtype::F32 || view.shape().len() > 3 {
            let found = format!("`{name}` has type {:?} and shape {:?}", view.dtype(), view.shape());
            return Err(Error::file(path, format!("{found}, expected F32 of up to three axes")));
        }
        let numbers = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        Ok((name.to_owned(), Tensor::new(Shape::from(view.shape()), numbers.collect())))
    };
    file.iter().map(read).collect()
}

/// A checksum of a text and of names, shapes and numbers, whatever the order of the list.
pub(super) fn sha256(text: &str, tensors: &NamedTensors) -> String {
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by_key(|(name, _)| name);
    let mut hash = Sha256::new();
    hash.update(format!("{} {text}\n", text.len()));
    for (name, tensor) in sorted {
        hash.update(format!("{name} {}\n", tensor.shape()));
        hash.update(little_endian(tensor));
    }
    hexadecimal(&hash.finalize())
}

/// The SHA-256 of a file's content.
pub(super) fn sha256_of(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn little_endian(tensor: &Tensor<f32>) -> Vec<u8> {
    tensor.data().iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_fails_on_the_way_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| directory.path().join(name));
        fs::write(&old, "before").unwrap();
        for path in [&old, &new] {
            let failed = write_whole(path, |output| {
                output.write_all(&[b'x'; 100_000])?;
                Err(io::Error::other("the disk is full"))
            });
            assert_eq!(failed.unwrap_err().to_string(), format!("{}: the disk is full", path.display()));
        }
        assert_eq!(
            (fs::read_to_string(&old).unwrap().as_str(), names(directory.path())),
            ("before", vec!["old".into()])
        );
    }

    /// Every single byte of a file of JSON, flipped, cut at, or repeated.
    #[test]
    fn damaged_json_is_refused_or_means_the_same() {
        #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
        struct Example {
            share: f64,
            name: String,
            counts: Vec<u64>,
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("example.json");
        let value = Example { share: 0.1 + 0.2, name: "é \" \u{1b}".into(), counts: vec![1, 22, 333] };
        write_json(&path, &value).unwrap();
        let whole = fs::read(&path).unwrap();
        assert_eq!(read_json::<Example>(&path, "an example").unwrap(), value);
        let flipped = |at: usize, bit: u8| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            bytes
        };
        let flips = (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))).map(|(at, bit)| flipped(at, bit));
        let cuts = (0..whole.len()).map(|at| whole[..at].to_vec());
        let repeats = (1..whole.len()).map(|at| [&whole[..at], &whole[at.saturating_sub(9)..]].concat());
        let mut taken = 0;
        for bytes in flips.chain(cuts).chain(repeats) {
            fs::write(&path, &bytes).unwrap();
            if let Ok(read) = read_json::<Example>(&path, "an example") {
                assert_eq!(read, value, "{}", String::from_utf8_lossy(&bytes));
                taken += 1;
            }
        }
        // Where the field's own name is damaged there is no checksum, but then everything else is as it was.
        assert!(taken < 8 * CHECKSUM.len(), "{taken}");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_devices_stay_devices() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_whole(&link, |output| output.write_all(b"after")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"after");
        // Whoever may write to /dev must not find a file there afterwards.
        let null = directory.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &null).unwrap();
        write_whole(&null, |output| output.write_all(b"after")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
