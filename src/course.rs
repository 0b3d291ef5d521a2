//! A course in eleven short chapters: what automatic differentiation is, what the network of this crate does, and how to tell whether
//! learning two tasks together helps. It is meant for people who can program and know what a derivative is; no Rust is assumed.
//! Every listing compiles, runs and checks the numbers that its text tells.
//!
//! 1. [A scalar tape in a hundred lines](scalar_tape)
//! 2. [Tensors and the gradient of a matrix product](matrix_product)
//! 3. [Checking gradients, and why a random cotangent](checking_gradients)
//! 4. [An LSTM, derived and then fused](lstm)
//! 5. [Convolution and max](convolution_and_max)
//! 6. [A loss with missing labels](missing_labels)
//! 7. [Adam](adam)
//! 8. [One layer, two tasks: two pulls on the same weights](two_pulls)
//! 9. [Conflict and balancing](conflict_and_balancing)
//! 10. [Does it help? Reading a study](does_it_help)
//! 11. [When does it help? Relatedness](when_does_it_help)
//!
//! And for those who want to go on in the engine: [adding an operation](adding_an_op).
//!
//! # Exercises
//!
//! Three a chapter, in `docs/course/exercises` of the repository: a function with a gap, and a test that fails until it is filled.
//! `cargo exercise power` runs the one called `power`; `docs/course/README.md` says how to work through them, and
//! `docs/course/solutions` how it could be done.
//!
//! # Pictures
//!
//! Each is made by one command of `mtlcore`; `docs/course/pictures.sh` of the repository has them all.
//!
//! # Programs
//!
//! In `examples` of the repository: `cargo run --example scalar_tape` runs the one of that name.

/// A chapter as a module whose documentation is its text. Of two targets for the same link the first counts, so these replace the text's
/// own, which lead from file to file. So do those of the pictures, which become part of the page.
macro_rules! chapters {
    ($($module:ident $file:literal)+) => { $(
        #[doc = include_str!("../docs/course/pictures/links.md")]
        #[doc = "[course]: super"]
        #[doc = "[pictures]: super#pictures"]
        #[doc = "[exercises]: super#exercises"]
        #[doc = "[scalar-tape]: super#programs"]
        #[doc = "[custom-op]: super#programs"]
        #[doc = "[matmul]: crate::autograd::Tape::matmul"]
        #[doc = "[add]: crate::autograd::Tape::add"]
        #[doc = "[lstm-reference]: crate::autograd::Tape::lstm_reference"]
        #[doc = "[conv-reference]: crate::autograd::Tape::conv_reference"]
        #[doc = "[masked-bce]: crate::autograd::Tape::masked_bce"]
        #[doc = "[adam]: crate::autograd::Adam"]
        #[doc = ""]
        #[doc = include_str!(concat!("../docs/course/", $file))]
        pub mod $module {}
    )+ };
}

chapters! {
    scalar_tape "01-scalar-tape.md"
    matrix_product "02-matrix-product.md"
    checking_gradients "03-checking-gradients.md"
    lstm "04-lstm.md"
    convolution_and_max "05-convolution-and-max.md"
    missing_labels "06-missing-labels.md"
    adam "07-adam.md"
    two_pulls "08-two-pulls.md"
    conflict_and_balancing "09-conflict-and-balancing.md"
    does_it_help "10-does-it-help.md"
    when_does_it_help "11-when-does-it-help.md"
    adding_an_op "../adding-an-op.md"
}
