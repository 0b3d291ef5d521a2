//! A course in ten short chapters: what automatic differentiation is, what the network of this crate does, and how to tell whether
//! learning two tasks together helps. It is meant for people who can program and know what a derivative is; no Rust is assumed.
//!
//! Every listing compiles, runs and checks the numbers that its text tells. The exercises, each a gap and a test that fails until
//! it is filled, lie beside the chapters in `docs/course`, where the first page says how to work through them.

/// A chapter as a module: its text is the module's documentation. The targets of links that come first are those that count, so
/// these replace the chapters' own, which lead from file to file.
macro_rules! chapters {
    ($($module:ident $file:literal)+) => { $(
        #[doc = "[course]: super"]
        #[doc = ""]
        #[doc = include_str!(concat!("../docs/course/", $file))]
        pub mod $module {}
    )+ };
}

chapters! {
    scalar_tape "01-scalar-tape.md"
}
