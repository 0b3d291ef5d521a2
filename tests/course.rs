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
chapter!(chapter_02: product_gradients bias_gradient squared_error);
chapter!(chapter_03: central_difference cube blind_cotangent);
chapter!(chapter_04: lstm_forward lstm_backward half_life);
chapter!(chapter_05: best_window window_gradient count_windows);
chapter!(chapter_06: cross_entropy masked_loss task_share);
chapter!(chapter_07: running_mean adam_update bound_of_a_step);
chapter!(chapter_08: gradient_cosine pull_on_shared lookahead_affinity);
chapter!(chapter_09: project_conflicts shortest_mixture equal_projections);
chapter!(chapter_10: t_statistic sign_flip say_verdict);
