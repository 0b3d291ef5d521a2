//! The engine, the model and the training step against values from PyTorch and Keras: see `tests/parity/README.md`.
//!
//! Everything goes through what training itself uses: the settings, the model, the packer, the step.

use std::{collections::BTreeMap, fs, path::Path};

use mtlcore::{
    autograd::{Adam, Gradients, Mode, ParamStore, Tape, Var},
    mtl::{
        model::{Batch, EmbeddingInit, Model, Packer},
        settings::Settings,
        training::{optimiser, step},
    },
    tensor::{Pool, Real, Tensor},
};
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Deserialize)]
struct Case {
    config: Config,
    parameters: BTreeMap<String, Array>,
    batches: Vec<Texts>,
    first: First,
    losses: Vec<f64>,
    r#final: BTreeMap<String, Array>,
}

#[derive(Deserialize)]
struct Config {
    tasks: Vec<String>,
    vocabulary: usize,
    /// Every other field; those with a table of their own are below.
    #[serde(flatten)]
    fields: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

#[derive(Deserialize)]
struct Texts {
    texts: Vec<Vec<u32>>,
    labels: BTreeMap<String, Vec<Option<u8>>>,
}

#[derive(Deserialize)]
struct First {
    hidden: Option<Array>,
    sentence: Array,
    logits: BTreeMap<String, Vec<f64>>,
    loss: Losses,
    gradients: BTreeMap<String, Array>,
}

#[derive(Deserialize)]
struct Losses {
    total: f64,
    tasks: BTreeMap<String, f64>,
}

impl Config {
    /// What the case calls `embedding_rows` or `hard_sigmoid`, the settings call `embedding-updates` and `hard-sigmoid`.
    fn settings(&self) -> Settings {
        let mut fields = toml::Table::from_iter([("dropout".to_owned(), 0.into())]);
        let mut set = |name: &str, value: &serde_json::Value| {
            let name = match name {
                "embeddings" => "embedding",
                "embedding" => "embedding-dim",
                "embedding_rows" => "embedding-updates",
                "normaliser" => "loss-normaliser",
                "absent_task" => "absent-head",
                "form" => "adam",
                same => same,
            };
            let value = match value.as_str() {
                Some(word) => word.replace('_', "-").into(),
                None => toml::Value::try_from(value).unwrap(),
            };
            assert!(fields.insert(name.replace('_', "-"), value).is_none(), "{name} is set twice");
        };
        for (name, value) in &self.fields {
            match value.as_object() {
                Some(adam) => adam.iter().for_each(|(name, value)| set(name, value)),
                None => set(name, value),
            }
        }
        Settings::load(None, fields).unwrap()
    }
}

impl Array {
    fn tensor<F: Real>(&self) -> Tensor<F> {
        Tensor::new(self.shape.as_slice(), self.data.iter().map(|&x| F::from_f64(x)).collect())
    }
}

/// A model in training, with the parameters of a case.
struct Training<F: Real> {
    settings: Settings,
    model: Model,
    params: ParamStore<F>,
    adam: Adam<F>,
    pool: Pool<F>,
}

impl<F: Real> Training<F> {
    fn of(case: &Case) -> Self {
        let settings = case.config.settings();
        let weight = &case.parameters["embedding.weight"];
        let table = EmbeddingInit::of_weight(&settings, weight.tensor(), true);
        let mut params = ParamStore::new();
        let model = Model::new(&settings, &case.config.tasks, &table, &mut params);
        assert_eq!(params.len(), case.parameters.len());
        for (name, array) in &case.parameters {
            let id = params.find(name).unwrap_or_else(|| panic!("the model has no parameter {name}"));
            assert_eq!(params.value(id).shape().dims(), array.shape, "{name}");
            *params.value_mut(id) = array.tensor();
        }
        let adam = optimiser(&settings, case.config.vocabulary);
        Self { settings, model, params, adam, pool: Pool::new() }
    }

    fn step(&mut self, batch: &Batch) -> f64 {
        let Self { settings, model, params, adam, pool } = self;
        let keys = vec![0; batch.segments.iter().count()];
        step(settings, model, params, adam, pool, batch, &keys).into_iter().flatten().sum()
    }
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn cases() -> Vec<(String, Case)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity");
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".json") && name != "adam.json").collect();
    names.sort();
    assert_eq!(names.len(), 14, "{names:?}");
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

fn pack(case: &Case, packer: &mut Packer, batch: &Texts) -> Batch {
    let label = |task: &String, text: usize| batch.labels[task][text].map(|label| label == 1);
    let labels: Vec<Vec<Option<bool>>> =
        (0..batch.texts.len()).map(|text| case.config.tasks.iter().map(|task| label(task, text)).collect()).collect();
    let texts = batch.texts.iter().map(Vec::as_slice).zip(labels.iter().map(Vec::as_slice));
    packer.pack_labelled(texts, case.config.tasks.len())
}

/// Relative to the largest number of the array, so that sums that cancel are judged by their terms.
fn assert_close<F: Real>(what: &str, found: &[F], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-3_f64, |scale, x| scale.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found.to_f64() - expected).abs() / scale;
        assert!(error <= tolerance, "{what}[{i}]: found {found}, expected {expected}, error {error:e}");
    }
}

const TOLERANCE: f64 = 1e-10;

#[test]
fn the_first_batch_gives_the_values_and_gradients_of_pytorch_and_keras() {
    for (name, case) in cases() {
        let Training { settings, model, params, mut pool, .. } = Training::<f64>::of(&case);
        let batch = pack(&case, &mut Packer::new(case.config.vocabulary), &case.batches[0]);
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let logits = model.forward(&mut tape, &batch);
        let close = |what: &str, found: &[f64], expected: &[f64]| {
            assert_close(&format!("{name}: {what}"), found, expected, TOLERANCE);
        };

        let hidden: Vec<Var> = tape.vars().filter(|&var| tape.op_name(var) == "lstm").collect();
        assert_eq!(hidden.len(), usize::from(case.first.hidden.is_some()), "{name}");
        for (var, expected) in hidden.iter().zip(&case.first.hidden) {
            close("hidden", tape.value(*var).data(), &expected.data);
        }
        // logits = sentence · kernel + bias
        let product = tape.inputs(logits[0])[0];
        close("sentence", tape.value(tape.inputs(product)[0]).data(), &case.first.sentence.data);

        let losses = model.losses(&mut tape, &logits, &batch, settings.loss_normaliser);
        for ((task, &logits), loss) in case.config.tasks.iter().zip(&logits).zip(&losses.tasks) {
            close(&format!("logits of {task}"), tape.value(logits).data(), &case.first.logits[task]);
            let loss = tape.value(loss.expect("both tasks are in the first batch")).item();
            close(&format!("loss of {task}"), &[loss], &[case.first.loss.tasks[task]]);
        }
        let total = losses.total.unwrap();
        close("total loss", &[tape.value(total).item()], &[case.first.loss.total]);

        let gradients = tape.backward(total);
        for id in params.ids() {
            let found = gradients.dense(id);
            let expected = case.first.gradients.get(params.name(id));
            assert_eq!(found.is_some(), expected.is_some(), "{name}: gradient of {}", params.name(id));
            if let (Some(found), Some(expected)) = (found, expected) {
                close(&format!("gradient of {}", params.name(id)), found.data(), &expected.data);
            }
        }
    }
}

/// Ten steps as training makes them: the loss of each, and all parameters in the end.
fn assert_ten_steps<F: Real>(tolerance: f64) {
    for (name, case) in cases() {
        let mut training = Training::<F>::of(&case);
        let mut packer = Packer::new(case.config.vocabulary);
        let losses: Vec<f64> =
            case.batches.iter().map(|batch| training.step(&pack(&case, &mut packer, batch))).collect();
        assert_close(&format!("{name}: losses"), &losses, &case.losses, tolerance);
        for id in training.params.ids() {
            let parameter = training.params.name(id);
            let found = training.params.value(id).data();
            assert_close(&format!("{name}: final {parameter}"), found, &case.r#final[parameter].data, tolerance);
        }
    }
}

#[test]
fn ten_steps_end_where_those_of_pytorch_and_keras_do() {
    assert_ten_steps::<f64>(TOLERANCE);
}

/// Adam divides by the gradient's own size, so rounding errors of small gradients become errors of whole steps (0.01).
#[test]
fn ten_steps_in_single_precision_end_close_by() {
    assert_ten_steps::<f32>(1e-4);
}

#[derive(Deserialize)]
struct AdamCases {
    scalar: Vec<ScalarCase>,
    lazy_rows: Vec<RowsCase>,
}

#[derive(Deserialize)]
struct ScalarCase {
    adam: serde_json::Value,
    start: f64,
    gradients: Vec<f64>,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct RowsCase {
    adam: serde_json::Value,
    start: Array,
    steps: Vec<RowsStep>,
    values: Vec<Array>,
}

#[derive(Deserialize)]
struct RowsStep {
    rows: Vec<u32>,
    gradient: Array,
}

fn adam(settings: &serde_json::Value, embedding_rows: &str) -> Adam<f64> {
    let fields = [("adam", settings.clone()), ("embedding_rows", embedding_rows.into())];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
    optimiser(&Config { tasks: Vec::new(), vocabulary: 0, fields }.settings(), 0)
}

#[test]
fn both_forms_of_adam_take_the_steps_of_pytorch_and_keras() {
    let cases: AdamCases = read("adam.json");
    assert_eq!((cases.scalar.len(), cases.lazy_rows.len()), (2, 2));
    for case in &cases.scalar {
        let (mut params, mut pool) = (ParamStore::new(), Pool::new());
        let id = params.add("x", Tensor::scalar(case.start));
        let mut adam = adam(&case.adam, "dense");
        for (&gradient, &expected) in case.gradients.iter().zip(&case.values) {
            let mut gradients = Gradients::none(1);
            gradients.add(id, Tensor::scalar(gradient), &mut pool);
            adam.step(&mut params, &gradients);
            assert_close("x", params.value(id).data(), &[expected], TOLERANCE);
        }
    }
    for case in &cases.lazy_rows {
        let (mut params, mut pool) = (ParamStore::new(), Pool::new());
        let id = params.add("x", case.start.tensor());
        let mut adam = adam(&case.adam, "lazy");
        for (RowsStep { rows, gradient }, expected) in case.steps.iter().zip(&case.values) {
            let mut gradients = Gradients::none(1);
            gradients.add_rows(id, params.value(id).shape(), rows, &gradient.tensor(), &mut pool);
            adam.step(&mut params, &gradients);
            assert_close("x", params.value(id).data(), &expected.data, TOLERANCE);
        }
    }
}
