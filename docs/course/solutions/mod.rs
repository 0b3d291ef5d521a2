//! One file a chapter.

pub mod chapter_01;
