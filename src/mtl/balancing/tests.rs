//! Published values, and the properties that hold for several methods.

use approx::{assert_abs_diff_eq, assert_relative_eq};
use proptest::prelude::*;

use super::*;
use crate::mtl::streams::Streams;

type Method = (&'static str, fn(&Gram) -> Vec<f64>);

fn pcgrad_seeded(gram: &Gram) -> Vec<f64> {
    pcgrad::weights(gram, &mut Streams::new(1).rng("test", 0))
}

/// All that look at the gradients of one step alone.
const METHODS: [Method; 7] = [
    ("mgda", mgda::weights),
    ("pcgrad", pcgrad_seeded),
    ("cagrad", cagrad::weights),
    ("imtl-g", imtl_g::weights),
    ("upgrad", upgrad::weights),
    ("nash-mtl", nash_mtl::weights),
    ("aligned-mtl", aligned_mtl::weights),
];

fn combined(gradients: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let element = |at: usize| gradients.iter().zip(weights).map(|(gradient, weight)| weight * gradient[at]).sum();
    (0..gradients[0].len()).map(element).collect()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], epsilon: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_abs_diff_eq!(found, expected, epsilon = epsilon);
    }
}

/// Expected: TorchJD on [[−4, 1, 1], [6, 1, 1]].
#[test]
fn two_gradients_are_combined_as_torchjd_does() {
    let gradients = vec![vec![-4.0, 1.0, 1.0], vec![6.0, 1.0, 1.0]];
    let gram = Gram::of(&gradients);
    type Case = (Vec<f64>, [f64; 3], Option<[f64; 2]>);
    let cases: [Case; 8] = [
        (equal::weights(2), [2.0, 2.0, 2.0], Some([1.0, 1.0])),
        (mgda::weights(&gram), [0.0, 1.0, 1.0], Some([0.6, 0.4])),
        (pcgrad_seeded(&gram), [0.5848, 3.8012, 3.8012], Some([2.2222, 1.5789])),
        (upgrad::weights(&gram), [0.2929, 1.9004, 1.9004], Some([1.1109, 0.7894])),
        (imtl_g::weights(&gram), [0.0767, 1.0, 1.0], Some([0.5923, 0.4077])),
        (cagrad::weights(&gram), [0.1835, 1.2041, 1.2041], None),
        (nash_mtl::weights(&gram), [0.0542, 0.7061, 0.7061], None),
        (aligned_mtl::weights(&gram), [0.2133, 0.9673, 0.9673], Some([0.5591, 0.4083])),
    ];
    for (weights, direction, expected) in cases {
        assert_close(&combined(&gradients, &weights), &direction, 1e-4);
        if let Some(expected) = expected {
            assert_close(&weights, &expected, 1e-4);
        }
    }
}

/// Three gradients that conflict in pairs.
fn three() -> Vec<Vec<f64>> {
    vec![vec![-4.0, 1.0, 1.0, 0.3], vec![6.0, 1.0, 1.0, -2.0], vec![-1.0, -2.0, 0.5, 1.0]]
}

/// The optimum of each method on three gradients, by brute force over a grid of its own problem.
#[test]
fn three_gradients_are_combined_at_the_optimum() {
    let gradients = three();
    let gram = Gram::of(&gradients);
    let steps = 200;
    let simplex: Vec<[f64; 3]> = (0..=steps)
        .flat_map(|i| (0..=steps - i).map(move |j| [i, j, steps - i - j].map(|n| n as f64 / steps as f64)))
        .collect();
    let shortest = simplex.iter().map(|w| gram.combined_norm(w)).fold(f64::INFINITY, f64::min);
    let found = gram.combined_norm(&mgda::weights(&gram));
    assert!(found <= shortest + 1e-12 && found > shortest - 0.02, "{found} {shortest}");

    // CAGrad's dual, whose value is that of the primal at the optimum.
    let mean = [1.0 / 3.0; 3];
    let (along, radius) = (gram.times(&mean), cagrad::RADIUS * gram.combined_norm(&mean));
    let dual = |w: &[f64; 3]| w.iter().zip(&along).map(|(w, p)| w * p).sum::<f64>() + radius * gram.combined_norm(w);
    let best = simplex.iter().map(dual).fold(f64::INFINITY, f64::min);
    let weights = cagrad::weights(&gram);
    let worst = gram.times(&weights).into_iter().fold(f64::INFINITY, f64::min);
    assert!(worst <= best + 1e-9 && worst > best - 0.02, "{worst} {best}");
    let shift: Vec<f64> = weights.iter().map(|weight| weight - 1.0 / 3.0).collect();
    assert_relative_eq!(gram.combined_norm(&shift), radius, max_relative = 1e-6);

    // Nash-MTL's condition, up to the scale: ⟨gᵢ, d⟩ ∝ 1/αᵢ.
    let alpha = nash_mtl::weights(&gram);
    let gains: Vec<f64> = gram.times(&alpha).iter().zip(&alpha).map(|(gain, alpha)| gain * alpha).collect();
    assert_relative_eq!(gains[0], gains[1], max_relative = 1e-9);
    assert_relative_eq!(gains[0], gains[2], max_relative = 1e-9);
    assert!(gram.combined_norm(&alpha) <= 1.0 + 1e-9);

    // IMTL-G: equal projections.
    let projections = gram.times(&imtl_g::weights(&gram));
    let projections: Vec<f64> = projections.iter().enumerate().map(|(i, p)| p / gram.norm(i)).collect();
    assert_close(&projections[1..], &[projections[0]; 2], 1e-9);
}

#[test]
fn gradients_that_agree_are_left_alone_by_projections() {
    // Without conflict there is nothing to project.
    let agreeing = Gram::of(&[[1.0, 0.2], [0.5, 0.5], [0.1, 0.9]]);
    assert_close(&upgrad::weights(&agreeing), &[1.0 / 3.0; 3], 1e-12);
    assert_close(&pcgrad_seeded(&agreeing), &[1.0; 3], 1e-12);
}

/// Orthonormal gradients are left as they are, but for the length.
#[test]
fn orthonormal_gradients_are_weighed_alike() {
    let gram = Gram::of(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    for (name, weights) in METHODS {
        let weights = weights(&gram);
        assert!(weights.iter().all(|w| *w > 0.0 && (w / weights[0] - 1.0).abs() < 1e-6), "{name}: {weights:?}");
    }
}

#[test]
fn one_task_keeps_its_direction() {
    let gram = Gram::of(&[[3.0, -4.0]]);
    for (name, weights) in METHODS {
        let weights = weights(&gram);
        // CAGrad goes as far as its radius allows, and Nash-MTL as far as its length of 1 does.
        let expected = match name {
            "cagrad" => 1.0 + cagrad::RADIUS,
            "nash-mtl" => 1.0 / 5.0,
            _ => 1.0,
        };
        assert_close(&weights, &[expected], 1e-6);
    }
}

#[test]
fn weights_are_finite_for_gradients_of_any_size() {
    for scale in [0.0, 1e-30, 1e-15, 1.0, 1e15, 1e30] {
        for other in [0.0, 1e-30, 1.0, 1e30] {
            for cosine in [-1.0, -0.999_999_9, -0.3, 0.0, 0.5, 1.0_f64] {
                let sine = (1.0 - cosine * cosine).sqrt();
                let gradients =
                    [vec![scale, 0.0, 0.0], vec![other * cosine, other * sine, 0.0], vec![0.0, -other, scale]];
                for k in 1..=3 {
                    let gram = Gram::of(&gradients[..k]);
                    for (name, weights) in METHODS {
                        let weights = weights(&gram);
                        assert_eq!(weights.len(), k);
                        assert!(weights.iter().all(|w| w.is_finite()), "{name} {scale} {other} {cosine}: {weights:?}");
                    }
                    let (tasks, losses): (Vec<usize>, Vec<f64>) =
                        (0..k).map(|i| (i, 1e30_f64.powi(i as i32 - 1))).unzip();
                    let mut gradnorm = gradnorm::GradNorm::new(k);
                    for _ in 0..3 {
                        assert!(gradnorm.weights(&tasks, &losses, &gram).iter().all(|w| w.is_finite()));
                    }
                    assert!(geometric::weights(&losses).iter().all(|w| w.is_finite()));
                }
            }
        }
    }
}

fn gradients(tasks: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec(-3.0..3.0, 6), tasks)
}

proptest! {
    /// The order of declaring tasks does not matter. (PCGrad's own order is random, but for two tasks it has none.)
    #[test]
    fn permuted_tasks_have_permuted_weights(gradients in gradients(2..=5), turn in 1..5_usize) {
        let tasks = gradients.len();
        let order: Vec<usize> = (0..tasks).map(|i| (i + turn) % tasks).collect();
        let gram = Gram::of(&gradients);
        for (name, weights) in METHODS.iter().filter(|(name, _)| *name != "pcgrad" || tasks == 2) {
            let (plain, permuted) = (weights(&gram), weights(&gram.part(&order)));
            for (place, &task) in order.iter().enumerate() {
                let close = (permuted[place] - plain[task]).abs() <= 1e-5 * (1.0 + plain[task].abs());
                prop_assert!(close, "{}: {:?} {:?}", name, plain, permuted);
            }
        }
    }

    /// All gradients twice as long: the direction stays.
    #[test]
    fn a_common_scale_changes_no_direction(gradients in gradients(2..=4), exponent in -20..20_i32) {
        let factor = 2.0_f64.powi(exponent);
        let (gram, scaled) = (Gram::of(&gradients), Gram::of(&gradients.iter().map(|g| g.iter().map(|x| factor * x).collect()).collect::<Vec<Vec<f64>>>()));
        for (name, weights) in METHODS {
            let (plain, scaled) = (weights(&gram), weights(&scaled));
            let (length, scaled_length) = (gram.combined_norm(&plain), gram.combined_norm(&scaled));
            prop_assume!(length > 1e-3);
            for (plain, scaled) in plain.iter().zip(&scaled) {
                prop_assert!((plain / length - scaled / scaled_length).abs() < 1e-5 * (1.0 + plain.abs() / length), "{}", name);
            }
        }
    }

    /// Nash-MTL and IMTL-G do not see how a single loss is scaled: the direction is the same.
    #[test]
    fn the_scale_of_one_loss_does_not_matter_to_those_that_promise_it(gradients in gradients(2..=4), factor in 1e-3..1e3_f64) {
        let mut scaled = gradients.clone();
        scaled[0].iter_mut().for_each(|x| *x *= factor);
        for (name, weights) in [("nash-mtl", nash_mtl::weights as fn(&Gram) -> Vec<f64>), ("imtl-g", imtl_g::weights)] {
            let unit = |gradients: &[Vec<f64>]| {
                let direction = combined(gradients, &weights(&Gram::of(gradients)));
                let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
                (direction.iter().map(|x| x / length).collect::<Vec<_>>(), length)
            };
            let ((plain, length), (scaled, scaled_length)) = (unit(&gradients), unit(&scaled));
            prop_assume!(length > 1e-3 && scaled_length > 1e-6);
            // The sum of IMTL-G's weights may be negative, and then it turns round.
            let sign = if plain.iter().zip(&scaled).map(|(a, b)| a * b).sum::<f64>() < 0.0 && name == "imtl-g" { -1.0 } else { 1.0 };
            for (plain, scaled) in plain.iter().zip(scaled) {
                prop_assert!((plain - sign * scaled).abs() < 1e-4, "{}", name);
            }
        }
    }

    /// ⟨d, gᵢ⟩ ≥ 0 for every task, whatever the gradients: more tasks than dimensions, too.
    #[test]
    fn no_conflict_is_left_where_it_is_promised(gradients in prop_oneof![gradients(2..=6), gradients(7..=9)]) {
        let gram = Gram::of(&gradients);
        let trace: f64 = (0..gram.tasks()).map(|i| gram.product(i, i)).sum();
        for (name, weights) in [("mgda", mgda::weights(&gram)), ("nash-mtl", nash_mtl::weights(&gram))] {
            for product in gram.times(&weights) {
                prop_assert!(product >= -1e-6 * trace, "{}: {}", name, product);
            }
        }
        let weights = upgrad::weights(&gram);
        for (product, weight) in gram.times(&weights).iter().zip(&weights) {
            prop_assert!(*product >= -(upgrad::REGULARISATION * weight + 1e-9) * trace, "upgrad: {}", product);
        }
    }

    /// MGDA: ⟨d, gᵢ⟩ ≥ ‖d‖² for all, with equality for those that take part, is what makes d the shortest.
    #[test]
    fn mgda_finds_the_shortest_vector(gradients in gradients(2..=5)) {
        let gram = Gram::of(&gradients);
        let weights = mgda::weights(&gram);
        let square = gram.combined_norm(&weights).powi(2);
        prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (weight, product) in weights.iter().zip(gram.times(&weights)) {
            prop_assert!(*weight >= 0.0 && product >= square - 1e-6);
            prop_assert!(*weight < 1e-6 || (product - square).abs() < 1e-5, "{} {} {}", weight, product, square);
        }
    }

    #[test]
    fn two_tasks_are_left_without_conflict_by_pcgrad_and_upgrad_is_its_half(gradients in gradients(2..=2)) {
        let gram = Gram::of(&gradients);
        let least = gram.product(0, 0).min(gram.product(1, 1));
        let (pcgrad, upgrad) = (pcgrad_seeded(&gram), upgrad::weights(&gram));
        for ((pcgrad, half), product) in pcgrad.iter().zip(upgrad).zip(gram.times(&pcgrad)) {
            prop_assert!(product >= -1e-9);
            let off = upgrad::REGULARISATION * (gram.product(0, 0) + gram.product(1, 1)) / least;
            prop_assert!((pcgrad / 2.0 - half).abs() <= (off + 1e-9) * pcgrad);
        }
    }
}
