//! The programs of `examples` run, and show what the course says of them.

// Some parts only the programs themselves use.
#![allow(dead_code)]

#[path = "../../examples/custom_op.rs"]
mod custom_op;
#[path = "../../examples/does_it_help.rs"]
mod does_it_help;
#[path = "../../examples/fused_lstm.rs"]
mod fused_lstm;
#[path = "../../examples/mlp.rs"]
mod mlp;
#[path = "../../examples/paper_model.rs"]
mod paper_model;
#[path = "../../examples/scalar_tape.rs"]
mod scalar_tape;
#[path = "../../examples/two_pulls.rs"]
mod two_pulls;
#[path = "../../examples/valley.rs"]
mod valley;

#[test]
fn the_programs_that_take_no_time_run() {
    scalar_tape::main();
    custom_op::main();
    fused_lstm::main();
    valley::main();
}

#[test]
fn the_fused_lstm_computes_the_same_on_fewer_lines() {
    let ((fused_lines, fused), (lines, composed)) = (fused_lstm::run(3, true), fused_lstm::run(3, false));
    assert!(fused_lines == 5 && lines > 200, "{fused_lines} and {lines} lines");
    for (a, b) in fused.data().iter().zip(composed.data()) {
        approx::assert_relative_eq!(a, b, max_relative = 1e-3, epsilon = 1e-4);
    }
}

#[test]
fn the_engine_alone_learns_a_circle() {
    let (before, after) = (mlp::accuracy(0), mlp::accuracy(1000));
    assert!(before < 0.7 && after > 0.95, "{before} and {after}");
}

#[test]
fn adam_goes_down_both_sides_of_the_valley_alike() {
    let [x, y] = valley::adam(0.018, 100)[99];
    assert!((x - y).abs() < 1e-3 * x.abs().max(1e-3), "{x} and {y}");
    let [x, y] = valley::descent(0.018, 100)[99];
    assert!(x > 0.1 && y.abs() < 1e-8, "{x} and {y}");
}

#[test]
fn the_pulls_of_related_tasks_agree_and_those_of_opposed_ones_fight() {
    let first_epoch = |relatedness| {
        let cosines = two_pulls::angles(relatedness, 1).unwrap().remove(0);
        cosines.iter().sum::<f64>() / cosines.len() as f64
    };
    let (same, unrelated, opposed) = (first_epoch(1.0), first_epoch(0.0), first_epoch(-1.0));
    assert!(same > 0.9 && unrelated.abs() < 0.5 && opposed < -0.9, "{same}, {unrelated}, {opposed}");
}

#[test]
fn a_small_study_compares_every_fold() {
    let pairs = does_it_help::study(0.02, 1).unwrap().pairs;
    assert_eq!(pairs.len(), 3);
    assert!(pairs.iter().all(|pair| pair.layers[0].tasks.iter().all(|task| task.f1.differences.len() == 3)));
}

#[test]
fn the_papers_model_learns_both_tasks() {
    let losses = paper_model::train(4).unwrap();
    for task in 0..2 {
        assert!(losses[3][task] < 0.9 * losses[0][task], "{losses:?}");
    }
}
