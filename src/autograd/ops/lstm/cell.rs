//! One step of the cells of all live texts.

use super::GateActivation;
use crate::tensor::{Real, vectorised};

vectorised! {
    /// Activates `gates` `[n, 4H]` in place and moves on to the new `cells`, their tanh and the new `states`, all `[n, H]`.
    /// `before` are the old cells; without them the cells start from 0.
    pub(super) fn forward<F: Real>(
        gates: &mut [F],
        before: Option<&[F]>,
        cells: &mut [F],
        tanh_cells: &mut [F],
        states: &mut [F],
        units: usize,
        gate: GateActivation,
    ) {
        let rows = gates.chunks_exact_mut(4 * units).zip(cells.chunks_exact_mut(units));
        for (n, (gates, cells)) in rows.enumerate() {
            let (input_forget, rest) = gates.split_at_mut(2 * units);
            let (candidate, output) = rest.split_at_mut(units);
            activate(input_forget, gate);
            activate(output, gate);
            for g in candidate.iter_mut() {
                *g = g.tanh();
            }
            let (input, forget) = input_forget.split_at(units);
            for ((c, &i), &g) in cells.iter_mut().zip(input).zip(candidate.iter()) {
                *c = i * g;
            }
            if let Some(before) = before {
                for ((c, &f), &c_before) in cells.iter_mut().zip(forget).zip(&before[n * units..]) {
                    *c += f * c_before;
                }
            }
            let tanh_cells = &mut tanh_cells[n * units..][..units];
            let states = &mut states[n * units..][..units];
            for (((tanh_c, h), &c), &o) in tanh_cells.iter_mut().zip(states).zip(cells.iter()).zip(output.iter()) {
                *tanh_c = c.tanh();
                *h = o * *tanh_c;
            }
        }
    }
}

vectorised! {
    /// The cotangents `dgates` `[n, 4H]` of the gates' arguments from that of the states, `dh` `[n, H]`. `dc` `[n, H]` is the
    /// cotangent of the cells as later steps ask for it, and becomes that of the cells before.
    pub(super) fn backward<F: Real>(
        dgates: &mut [F],
        gates: &[F],
        before: Option<&[F]>,
        tanh_cells: &[F],
        dh: &[F],
        dc: &mut [F],
        units: usize,
        gate: GateActivation,
    ) {
        for (n, (dgates, gates)) in dgates.chunks_exact_mut(4 * units).zip(gates.chunks_exact(4 * units)).enumerate() {
            let own = n * units..(n + 1) * units;
            let (dc, dh, tanh_c) = (&mut dc[own.clone()], &dh[own.clone()], &tanh_cells[own.clone()]);
            let [i, f, g, o] = quarters(gates, units);
            let (di, rest) = dgates.split_at_mut(units);
            let (df, rest) = rest.split_at_mut(units);
            let (dg, do_) = rest.split_at_mut(units);
            for j in 0..units {
                do_[j] = dh[j] * tanh_c[j] * slope(o[j], gate);
                let dc_j = dc[j] + dh[j] * o[j] * (F::ONE - tanh_c[j] * tanh_c[j]);
                di[j] = dc_j * g[j] * slope(i[j], gate);
                dg[j] = dc_j * i[j] * (F::ONE - g[j] * g[j]);
                df[j] = dc_j * slope(f[j], gate);
                dc[j] = dc_j * f[j];
            }
            match before {
                Some(before) => df.iter_mut().zip(&before[own]).for_each(|(df, &c_before)| *df *= c_before),
                None => df.fill(F::ZERO),
            }
        }
    }
}

fn quarters<F>(gates: &[F], units: usize) -> [&[F]; 4] {
    [0, 1, 2, 3].map(|quarter| &gates[quarter * units..][..units])
}

#[inline(always)]
fn activate<F: Real>(gates: &mut [F], gate: GateActivation) {
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
