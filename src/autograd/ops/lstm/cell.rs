//! One time step of the cells of all live texts.

use super::GateActivation;
use crate::tensor::{Real, vectorised};

/// Units of a block: the compiler vectorises over them.
const BLOCK: usize = 16;

/// The outputs of a forward step.
pub(super) struct Step<'s, F> {
    pub gates: &'s mut [F],      // [n, 4H], after activation
    pub cells: &'s mut [F],      // [n, H]
    pub tanh_cells: &'s mut [F], // [n, H]
    pub states: &'s mut [F],     // [n, H]
}

vectorised! {
    /// The forward step, from the gates' arguments `[n, 4H]` and the previous cells `[n, H]` (`None`: zeros).
    pub(super) fn forward<F: Real>(
        arguments: &[F],
        before: Option<&[F]>,
        step: Step<'_, F>,
        units: usize,
        gate: GateActivation,
    ) {
        let Step { gates, cells, tanh_cells, states } = step;
        for row in 0..cells.len().checked_div(units).unwrap_or(0) {
            for at in Place::singles(row, units) {
                forward_block::<F, 1>(arguments, before, gates, cells, tanh_cells, states, at, gate);
            }
            for at in Place::blocks(row, units) {
                forward_block::<F, BLOCK>(arguments, before, gates, cells, tanh_cells, states, at, gate);
            }
        }
    }
}

/// `N` units of one text.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn forward_block<F: Real, const N: usize>(
    arguments: &[F],
    before: Option<&[F]>,
    gates: &mut [F],
    cells: &mut [F],
    tanh_cells: &mut [F],
    states: &mut [F],
    at: Place,
    gate: GateActivation,
) {
    let (mut i, mut f): ([F; N], [F; N]) = (load(arguments, at.of_gate(0)), load(arguments, at.of_gate(1)));
    let (mut g, mut o): ([F; N], [F; N]) = (load(arguments, at.of_gate(2)), load(arguments, at.of_gate(3)));
    let before: [F; N] = load_or_zeros(before, at.of_unit());
    let (mut c, mut tanh_c, mut h) = ([F::ZERO; N], [F::ZERO; N], [F::ZERO; N]);
    activate(&mut i, gate);
    activate(&mut f, gate);
    activate(&mut o, gate);
    for j in 0..N {
        g[j] = g[j].tanh();
        c[j] = i[j] * g[j] + f[j] * before[j];
        tanh_c[j] = c[j].tanh();
        h[j] = o[j] * tanh_c[j];
    }
    store(gates, at.of_gate(0), i);
    store(gates, at.of_gate(1), f);
    store(gates, at.of_gate(2), g);
    store(gates, at.of_gate(3), o);
    store(cells, at.of_unit(), c);
    store(tanh_cells, at.of_unit(), tanh_c);
    store(states, at.of_unit(), h);
}

/// The upstream gradient of a time step.
pub(super) struct Upstream<'a, F> {
    /// The cotangent of the states `[n, H]` from the following time step.
    pub states: &'a [F],
    /// The cotangent of the cells `[n, H]`, likewise.
    pub cells: &'a [F],
    /// The cotangent of the outputs of all tokens `[N, stride]`: row n of the step is token `tokens[n]`, whose H columns begin at
    /// `column`.
    pub outputs: &'a [F],
    pub tokens: &'a [u32],
    pub stride: usize,
    pub column: usize,
}

/// The values of [`Step`] that the forward step saved, and the cells of the previous time step (`None`: zeros).
pub(super) struct Saved<'l, F> {
    pub gates: &'l [F],
    pub before: Option<&'l [F]>,
    pub tanh_cells: &'l [F],
}

vectorised! {
    /// The backward step: the cotangents of the gates' arguments `[n, 4H]` and of the previous cells `[n, H]`.
    pub(super) fn backward<F: Real>(
        upstream: Upstream<'_, F>,
        saved: Saved<'_, F>,
        dgates: &mut [F],
        dcells: &mut [F],
        units: usize,
        gate: GateActivation,
    ) {
        for row in 0..upstream.states.len().checked_div(units).unwrap_or(0) {
            for at in Place::singles(row, units) {
                backward_block::<F, 1>(&upstream, &saved, dgates, dcells, at, gate);
            }
            for at in Place::blocks(row, units) {
                backward_block::<F, BLOCK>(&upstream, &saved, dgates, dcells, at, gate);
            }
        }
    }
}

/// `N` units of one text.
#[inline(always)]
fn backward_block<F: Real, const N: usize>(
    upstream: &Upstream<'_, F>,
    saved: &Saved<'_, F>,
    dgates: &mut [F],
    dcells: &mut [F],
    at: Place,
    gate: GateActivation,
) {
    let (i, f): ([F; N], [F; N]) = (load(saved.gates, at.of_gate(0)), load(saved.gates, at.of_gate(1)));
    let (g, o): ([F; N], [F; N]) = (load(saved.gates, at.of_gate(2)), load(saved.gates, at.of_gate(3)));
    let tanh_c: [F; N] = load(saved.tanh_cells, at.of_unit());
    let before: [F; N] = load_or_zeros(saved.before, at.of_unit());
    let output = upstream.tokens[at.row] as usize * upstream.stride + upstream.column + at.first;
    let dy: [F; N] = load(upstream.outputs, output);
    let (mut dh, mut dc): ([F; N], [F; N]) = (load(upstream.states, at.of_unit()), load(upstream.cells, at.of_unit()));
    let (mut di, mut df, mut dg, mut do_) = ([F::ZERO; N], [F::ZERO; N], [F::ZERO; N], [F::ZERO; N]);
    for j in 0..N {
        dh[j] += dy[j];
        do_[j] = dh[j] * tanh_c[j] * slope(o[j], gate);
        dc[j] += dh[j] * o[j] * (F::ONE - tanh_c[j] * tanh_c[j]);
        di[j] = dc[j] * g[j] * slope(i[j], gate);
        df[j] = dc[j] * before[j] * slope(f[j], gate);
        dg[j] = dc[j] * i[j] * (F::ONE - g[j] * g[j]);
        dc[j] *= f[j];
    }
    store(dgates, at.of_gate(0), di);
    store(dgates, at.of_gate(1), df);
    store(dgates, at.of_gate(2), dg);
    store(dgates, at.of_gate(3), do_);
    store(dcells, at.of_unit(), dc);
}

/// The position of a block of units of a text.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    /// The first of them among the `units` of the row.
    first: usize,
    units: usize,
}

impl Place {
    /// Covers a row by blocks. The last block ends with the last unit and may overlap the one before, which is harmless: units are
    /// independent.
    #[inline(always)]
    fn blocks(row: usize, units: usize) -> impl Iterator<Item = Self> {
        let count = if units < BLOCK { 0 } else { units.div_ceil(BLOCK) };
        (0..count).map(move |block| Self { row, first: (block * BLOCK).min(units - BLOCK), units })
    }

    /// Covers a row that is shorter than a block.
    #[inline(always)]
    fn singles(row: usize, units: usize) -> impl Iterator<Item = Self> {
        let count = if units < BLOCK { units } else { 0 };
        (0..count).map(move |first| Self { row, first, units })
    }

    /// The first of them in a buffer `[n, H]`.
    #[inline(always)]
    fn of_unit(self) -> usize {
        self.row * self.units + self.first
    }

    /// The first of them in a buffer `[n, 4H]`.
    #[inline(always)]
    fn of_gate(self, quarter: usize) -> usize {
        (4 * self.row + quarter) * self.units + self.first
    }
}

#[inline(always)]
fn load<F: Real, const N: usize>(from: &[F], at: usize) -> [F; N] {
    from[at..at + N].try_into().expect("the range holds N numbers")
}

#[inline(always)]
fn load_or_zeros<F: Real, const N: usize>(from: Option<&[F]>, at: usize) -> [F; N] {
    match from {
        Some(from) => load(from, at),
        None => [F::ZERO; N],
    }
}

#[inline(always)]
fn store<F: Real, const N: usize>(to: &mut [F], at: usize, values: [F; N]) {
    to[at..at + N].copy_from_slice(&values);
}

#[inline(always)]
fn activate<F: Real, const N: usize>(gates: &mut [F; N], gate: GateActivation) {
    match gate {
        GateActivation::Sigmoid => gates.iter_mut().for_each(|a| *a = a.sigmoid()),
        GateActivation::HardSigmoid => gates.iter_mut().for_each(|a| {
            *a = (*a * F::from_f64(0.2) + F::from_f64(0.5)).at_least(F::ZERO).at_most(F::ONE);
        }),
    }
}

/// γ′ from the gate's value.
#[inline(always)]
fn slope<F: Real>(value: F, gate: GateActivation) -> F {
    match gate {
        GateActivation::Sigmoid => value * (F::ONE - value),
        GateActivation::HardSigmoid if value > F::ZERO && value < F::ONE => F::from_f64(0.2),
        GateActivation::HardSigmoid => F::ZERO,
    }
}
