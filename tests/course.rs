//! The course in `docs/course`: every exercise fails as it stands and passes with its solution.
//!
//! `cargo exercise NAME` runs an exercise as its student has left it; those tests are ignored otherwise.

#[path = "../docs/course/exercises/mod.rs"]
#[allow(unused)]
mod exercises;
#[path = "../examples/scalar_tape.rs"]
#[allow(unused)]
mod scalar_tape;
#[path = "../docs/course/solutions/mod.rs"]
mod solutions;

/// The tests of a chapter's exercises, which are functions of what the student writes.
macro_rules! chapter {
    ($chapter:ident: $($name:ident)+) => { $(
        mod $name {
            use crate::{exercises, solutions};

            #[test]
            #[ignore = "for the student: `cargo exercise` runs it"]
            fn exercise() {
                exercises::$chapter::check::$name(exercises::$chapter::$name);
            }

            #[test]
            fn fails_as_it_stands() {
                assert!(std::panic::catch_unwind(exercise).is_err(), "nothing is left to do");
            }

            #[test]
            fn passes_with_its_solution() {
                exercises::$chapter::check::$name(solutions::$chapter::$name);
            }
        }
    )+ };
}

chapter!(chapter_01: power logistic square_root);
