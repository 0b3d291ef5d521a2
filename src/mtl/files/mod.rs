//! Files: atomic writes, tensors, JSON with checksums, hashes, and what operating systems do differently.
//!
//! What a file means is its owner's business: runs, studies and data know their own formats.

mod atomic;
mod hash;
mod json;
pub(in crate::mtl) mod system;
mod tensors;

pub use atomic::write_atomically;
pub(in crate::mtl) use atomic::{clear_asides, is_aside, remove_if_there, write_new};
pub(in crate::mtl) use hash::{hexadecimal, sha256_of};
pub(in crate::mtl) use json::{read_json, write_json};
pub(in crate::mtl) use tensors::{NamedTensors, read_tensors, sha256, write_tensors};
