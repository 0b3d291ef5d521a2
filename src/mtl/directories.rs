//! What tells a study's directory from a run's: each refuses the other's, so neither can name the other's files.

use std::path::Path;

/// The settings of a study, the first file of its directory.
pub(super) const STUDY_SETTINGS: &str = "study.toml";

/// Whether a directory is a study's.
pub(super) fn is_study(directory: &Path) -> bool {
    directory.join(STUDY_SETTINGS).exists()
}
