//! Solutions of chapter 4.

/// The equations of the chapter for one unit.
pub fn lstm_forward(a: [f64; 4], c: f64) -> (f64, f64) {
    let [i, f, g, o] = gates(a);
    let c = f * c + i * g;
    (o * c.tanh(), c)
}

/// The right-hand column; the new c is computed again, where the fused kernel has kept it.
pub fn lstm_backward(a: [f64; 4], c: f64, dh: f64, dc: f64) -> ([f64; 4], f64) {
    let [i, f, g, o] = gates(a);
    let tanh_c = (f * c + i * g).tanh();
    let dc = dc + dh * o * (1.0 - tanh_c * tanh_c);
    let da = [dc * g * i * (1.0 - i), dc * c * f * (1.0 - f), dc * i * (1.0 - g * g), dh * tanh_c * o * (1.0 - o)];
    (da, dc * f)
}

/// n = ln ½ / ln σ(bias): 2.2 words for the usual bias of 1, which is a start and not a limit, since the gate learns.
pub fn half_life(bias: f64) -> f64 {
    0.5_f64.ln() / sigmoid(bias).ln()
}

fn gates(a: [f64; 4]) -> [f64; 4] {
    [sigmoid(a[0]), sigmoid(a[1]), a[2].tanh(), sigmoid(a[3])]
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
