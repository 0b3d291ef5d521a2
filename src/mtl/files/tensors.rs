//! Tensors in safetensors files, and their checksum.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use sha2::{Digest, Sha256};

use super::{
    atomic::write_atomically,
    hash::{hexadecimal, sha256_of},
};
use crate::tensor::{Shape, Tensor};
use crate::{Error, Result};

/// Tensors with their names.
pub(in crate::mtl) type NamedTensors<'t> = Vec<(String, &'t Tensor<f32>)>;

/// Writes a safetensors file with at most one entry of metadata (the order of several would vary), and returns its SHA-256.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
pub(in crate::mtl) fn write_tensors(
    path: &Path,
    tensors: &NamedTensors,
    metadata: Option<(&str, String)>,
) -> Result<String> {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, tensor)| little_endian(tensor)).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape().dims().to_vec(), bytes);
        (name, view.expect("four bytes an element"))
    });
    let metadata = metadata.map(|(key, value)| HashMap::from([(key.to_owned(), value)]));
    let file = safetensors::serialize(views, metadata).expect("names and shapes are valid");
    write_atomically(path, |output| output.write_all(&file))?;
    Ok(sha256_of(&file))
}

/// The tensors of a safetensors file by name.
///
/// # Errors
/// [`Error::File`] if it is not one, or holds something else than 32-bit numbers of up to three axes.
pub(in crate::mtl) fn read_tensors(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, Tensor<f32>>> {
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
pub(in crate::mtl) fn sha256(text: &str, tensors: &NamedTensors) -> String {
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

fn little_endian(tensor: &Tensor<f32>) -> Vec<u8> {
    tensor.data().iter().flat_map(|x| x.to_le_bytes()).collect()
}
