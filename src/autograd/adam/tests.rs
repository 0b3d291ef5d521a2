use super::*;
use crate::tensor::{Pool, Shape};
use serde_json::Value;

/// Made by PyTorch and Keras: see tests/parity/README.md.
fn golden(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../tests/parity/adam.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn tensor(array: &Value) -> Tensor<f64> {
    let dims: Vec<usize> = numbers(&array["shape"]).iter().map(|&extent| extent as usize).collect();
    Tensor::new(Shape::from(&dims[..]), numbers(&array["data"]))
}

fn adam(settings: &Value, row_updates: RowUpdates) -> Adam<f64> {
    let number = |name: &str| settings[name].as_f64().unwrap();
    Adam::new(AdamSettings {
        learning_rate: number("learning_rate"),
        beta1: number("beta1"),
        beta2: number("beta2"),
        epsilon: number("epsilon"),
        form: match settings["form"].as_str() {
            Some("kingma") => AdamForm::Kingma,
            Some("keras") => AdamForm::Keras,
            other => panic!("no form of Adam: {other:?}"),
        },
        row_updates,
    })
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        approx::assert_relative_eq!(found, expected, max_relative = 1e-12);
    }
}

/// Moves one parameter by dense gradients and returns it after each step.
fn walk(mut adam: Adam<f64>, start: f64, gradients: &[f64]) -> Vec<f64> {
    let mut params = ParamStore::new();
    let id = params.add("x", Tensor::scalar(start));
    let step = |&g: &f64| {
        let mut gradients = Gradients::none(1);
        gradients.add(id, Tensor::scalar(g), &mut Pool::new());
        adam.step(&mut params, &gradients);
        params.value(id).item()
    };
    gradients.iter().map(step).collect()
}

/// Values: the closed form of the first step, lr·g/(g + ε) and with ε/√(1 − β₂) for Keras.
#[test]
fn the_first_step_shows_where_epsilon_stands() {
    let keras = AdamSettings { form: AdamForm::Keras, epsilon: 1e-7, ..AdamSettings::default() };
    approx::assert_relative_eq!(walk(Adam::new(keras), 0.0, &[0.5])[0], -9.999_936_75e-4, max_relative = 1e-9);
    approx::assert_relative_eq!(
        walk(Adam::new(AdamSettings::default()), 0.0, &[0.5])[0],
        -9.999_999_8e-4,
        max_relative = 1e-10
    );
}

#[test]
fn five_steps_are_those_of_pytorch_and_keras() {
    for case in golden("scalar") {
        let adam = adam(&case["adam"], RowUpdates::Dense);
        let values = walk(adam, case["start"].as_f64().unwrap(), &numbers(&case["gradients"]));
        assert_close(&values, &numbers(&case["values"]));
    }
}

#[test]
fn lazily_updated_rows_are_those_of_the_peers() {
    for case in golden("lazy_rows") {
        let mut adam = adam(&case["adam"], RowUpdates::Lazy);
        let mut params = ParamStore::new();
        let id = params.add("table", tensor(&case["start"]));
        let shape = params.value(id).shape();
        for (step, expected) in case["steps"].as_array().unwrap().iter().zip(case["values"].as_array().unwrap()) {
            let ids: Vec<u32> = numbers(&step["rows"]).iter().map(|&row| row as u32).collect();
            let mut gradients = Gradients::none(1);
            gradients.add_rows(id, shape, &ids, &tensor(&step["gradient"]), &mut Pool::new());
            adam.step(&mut params, &gradients);
            assert_close(params.value(id).data(), tensor(expected).data());
        }
    }
}

#[test]
fn a_row_without_a_gradient_decays_and_moves_only_if_updates_are_dense() {
    let moves = |row_updates| {
        let mut adam = Adam::<f64>::new(AdamSettings { row_updates, ..AdamSettings::default() });
        let mut params = ParamStore::new();
        let id = params.add("table", Tensor::zeros([2, 1]));
        let shape = params.value(id).shape();
        let mut step = |row: u32| {
            let mut gradients = Gradients::none(1);
            gradients.add_rows(id, shape, &[row], &Tensor::new([1, 1], vec![1.0]), &mut Pool::new());
            adam.step(&mut params, &gradients);
            (params.value(id).data()[0], adam.moments(id).unwrap().first.data()[0])
        };
        (step(0), step(1))
    };
    let (before, after) = moves(RowUpdates::Lazy);
    assert_eq!(before, after);
    let (before, after) = moves(RowUpdates::Dense);
    assert!(after.0 < before.0, "the parameter goes on falling");
    approx::assert_relative_eq!(after.1, 0.9 * before.1, max_relative = 1e-15);
}

/// Rows that had one gradient and no other, at several step sizes, until all moments have decayed.
#[test]
fn no_moment_ever_becomes_denormal() {
    for learning_rate in [1e-4, 1e-3, 2.0] {
        let settings = AdamSettings { learning_rate, beta2: 0.9, ..AdamSettings::default() };
        let mut adam = Adam::<f32>::new(settings);
        let mut params = ParamStore::new();
        let id = params.add("x", Tensor::zeros([1, 20]));
        let mut gradient = Tensor::from_fn([1, 20], |i| if i % 2 == 0 { 1.0 } else { -1e-3 } * (i + 1) as f32);
        let mut before = params.value(id).clone();
        for step in 1..=2_000 {
            let mut gradients = Gradients::none(1);
            gradients.add(id, gradient, &mut Pool::new());
            adam.step(&mut params, &gradients);
            gradient = Tensor::zeros([1, 20]);
            let Moments { first, second, .. } = adam.moments(id).unwrap();
            assert!(first.data().iter().chain(second.data()).all(|x| *x == 0.0 || x.is_normal()), "step {step}");
            let factors = first.data().iter().map(|m| adam.rule_at(step).rate * m);
            assert!(factors.into_iter().all(|x| x == 0.0 || x.is_normal()), "step {step}");
            if step == 900 {
                before = params.value(id).clone();
            }
        }
        let Moments { first, second, .. } = adam.moments(id).unwrap();
        assert!(first.data().iter().chain(second.data()).all(|&x| x == 0.0));
        assert_eq!(params.value(id), &before, "what is dropped had long stopped moving anything");
    }
}

/// In f32 10⁻⁵⁰ is 0, and 10⁻⁴⁴ · √0.001 too.
#[test]
fn an_epsilon_that_underflows_is_known() {
    let underflows = |epsilon, form| {
        let settings = AdamSettings { epsilon, form, ..AdamSettings::default() };
        (settings.epsilon_underflows::<f32>(), settings.epsilon_underflows::<f64>())
    };
    assert_eq!(underflows(1e-50, AdamForm::Keras), (true, false));
    assert_eq!(underflows(1e-37, AdamForm::Keras), (false, false));
    assert_eq!(underflows(1e-37, AdamForm::Kingma), (true, false));
    assert_eq!(underflows(1e-8, AdamForm::Kingma), (false, false));
    assert!(
        std::panic::catch_unwind(|| { Adam::<f32>::new(AdamSettings { epsilon: 1e-50, ..AdamSettings::default() }) })
            .is_err()
    );
}

#[test]
#[should_panic(expected = "adam: gradient and parameter `x`")]
fn a_gradient_of_another_shape_panics_with_both() {
    let mut params = ParamStore::<f64>::new();
    let id = params.add("x", Tensor::zeros([2, 3]));
    let mut gradients = Gradients::none(1);
    gradients.add(id, Tensor::zeros([3, 2]), &mut Pool::new());
    Adam::new(AdamSettings::default()).step(&mut params, &gradients);
}

#[test]
#[should_panic(expected = "adam: moments and parameter `x`")]
fn moments_of_another_shape_panic_with_both() {
    let mut params = ParamStore::<f64>::new();
    let id = params.add("x", Tensor::zeros([2]));
    let mut gradients = Gradients::none(1);
    gradients.add(id, Tensor::zeros([2]), &mut Pool::new());
    let mut adam = Adam::new(AdamSettings::default());
    adam.set_moments(id, Moments { first: Tensor::zeros([1]), second: Tensor::zeros([1]), steps: 1 });
    adam.step(&mut params, &gradients);
}

#[test]
fn a_parameter_without_a_gradient_is_left_alone() {
    let mut params = ParamStore::<f64>::new();
    let (moved, left) = (params.add("moved", Tensor::scalar(1.0)), params.add("left", Tensor::scalar(1.0)));
    let mut gradients = Gradients::none(2);
    gradients.add(moved, Tensor::scalar(1.0), &mut Pool::new());
    let mut adam = Adam::new(AdamSettings::default());
    adam.step(&mut params, &gradients);
    assert_eq!(params.value(left).item(), 1.0);
    assert_eq!((adam.moments(moved).unwrap().steps, adam.moments(left)), (1, None));
}
