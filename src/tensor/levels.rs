//! Every level of vector instructions gives the same bits: each runs the kernels in a process of its own. Tests only.

use std::process::{Command, Output};

use super::{Simd, Tensor, matmul, pointwise};

/// This program's tests of a name, in a process of their own at one level.
fn tests_at(level: &str, arguments: &[&str]) -> Output {
    let program = std::env::current_exe().unwrap();
    Command::new(program).args(arguments).env(Simd::VARIABLE, level).output().unwrap()
}

fn levels() -> impl Iterator<Item = &'static str> {
    Simd::ALL.into_iter().filter(|(_, level)| *level <= Simd::of_machine()).map(|(word, _)| word)
}

#[test]
fn every_level_of_the_machine_passes_the_tests_of_the_kernels() {
    for level in levels() {
        let output = tests_at(level, &["tensor::", "autograd::ops", "--skip", "tensor::levels"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("a_nan_stays_one ... ok"), "{level}: {text}");
    }
}

/// Kernels over slices at every level, and products where they are ours.
#[test]
fn levels_give_the_same_bits() {
    let bits: Vec<(String, String)> = levels()
        .map(|level| {
            let name = "tensor::levels::tell_bits";
            let output = tests_at(level, &["--exact", name, "--include-ignored", "--nocapture"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let line = text.lines().find_map(|line| line.split_once("bits: ")).expect("the test tells them").1;
            let (slices, products) = line.split_once(' ').unwrap();
            (slices.to_owned(), products.to_owned())
        })
        .collect();
    assert!(bits.iter().all(|(slices, _)| *slices == bits[0].0), "{bits:?}");
    assert!(bits[1..].iter().all(|(_, products)| *products == bits[1].1), "{bits:?}");
}

#[test]
#[ignore = "a part of `levels_give_the_same_bits`"]
fn tell_bits() {
    let wave = |len: usize| (0..len).map(|i| (i as f32 * 0.7).sin() * 3.0).collect::<Vec<f32>>();
    let hash = |numbers: &[f32]| {
        numbers.iter().fold(0_u64, |hash, x| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x100_0000_01b3))
    };
    let mut slices = 0;
    for kernel in [pointwise::sigmoid::<f32> as fn(&mut [f32]), pointwise::tanh, pointwise::relu] {
        let mut y = wave(1_003);
        kernel(&mut y);
        slices ^= hash(&y);
    }
    let mut sum = wave(29);
    pointwise::add_column_sums(&mut sum, &wave(29 * 17));
    pointwise::axpy(&mut sum, 0.3, &wave(29));
    slices ^= hash(&sum) ^ pointwise::dot(&wave(1_003), &wave(1_003)).to_bits();
    let mut products = 0;
    for [m, k, n] in [[1, 1, 1], [13, 25, 100], [70, 600, 31], [5, 0, 7]] {
        let (a, b) = (Tensor::new([m, k], wave(m * k)), Tensor::new([k, n], wave(k * n)));
        let mut c = Tensor::zeros([m, n]);
        matmul(a.matrix(), b.matrix(), c.matrix_mut());
        products ^= hash(c.data());
    }
    println!("bits: {slices:x} {products:x}");
}

#[test]
fn an_unknown_word_is_refused_with_those_that_are_known() {
    let output = tests_at("sse", &["tensor::pointwise"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("MTLCORE_SIMD=sse: expected portable, avx2 or avx512"), "{text}");
}
