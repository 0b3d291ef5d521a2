//! SHA-256 as hexadecimal digits.

use sha2::{Digest, Sha256};

/// The SHA-256 of a file's content.
pub(in crate::mtl) fn sha256_of(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

/// Bytes as lower-case hexadecimal digits.
pub(in crate::mtl) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
