//! Relatedness from outside: what must hold whatever the texts, and a relation that was put into simulated ones.

use approx::assert_abs_diff_eq;
use mtlcore::{
    autograd::{Mode, ParamStore, Tape},
    mtl::{
        data::{Dataset, Padding, Simulation, Tokenizer},
        evaluation::interval::{Measure, Verdict},
        model::{Batch, EmbeddingInit, Model, Packer},
        relatedness::{
            Extent, MEASURES, Measured, Outlook, PairRelatedness, Relatedness, TaskFacts,
            against::{Against, CONTEXT_COLUMNS, CellReport, SIZE_COLUMNS, against},
            context::Context,
            gains::{Gain, Gains},
            prediction::{Advice, open_tasks, predict},
            relate,
        },
        settings::{HeadStart, LossNormaliser, Preset, Settings, Shared},
    },
    tensor::Pool,
};

fn cheap(simulation: &Simulation) -> Relatedness {
    let settings = Settings { tokenizer: Tokenizer::Plain, ..Settings::preset(Preset::Default) };
    relate(&settings, &simulation.generate().unwrap(), Extent::Cheap, &|_, _| ()).unwrap()
}

fn value(found: &Relatedness, measure: &str) -> f64 {
    found.pair("task_a", "task_b").unwrap().measures[measure].value.unwrap()
}

/// The axis of the phase map: ρ̂ finds the cosine with which the words' weights were made.
#[test]
fn the_word_weight_cosine_finds_the_relatedness_that_was_put_in() {
    for relatedness in [-0.8, 0.0, 0.8] {
        let simulation =
            Simulation { relatedness, overlap: 1.0, rows: [1000, 1000], words: 100, ..Simulation::default() };
        let found = value(&cheap(&simulation), "word_weight_cosine");
        assert!((found - relatedness).abs() < 0.2, "{relatedness}: {found}");
    }
}

#[test]
fn a_model_of_a_related_task_transfers_and_of_an_opposite_one_ranks_the_other_way_round() {
    let found = |relatedness| {
        let simulation = Simulation { relatedness, overlap: 1.0, rows: [800, 800], ..Simulation::default() };
        value(&cheap(&simulation), "zero_shot_ratio")
    };
    assert!(found(1.0) > 0.7, "{}", found(1.0));
    assert!(found(-1.0) < -0.7, "{}", found(-1.0));
}

#[test]
fn texts_of_one_law_diverge_no_more_than_chance() {
    let found = cheap(&Simulation { overlap: 1.0, ..Simulation::default() });
    assert!(value(&found, "excess_jsd").abs() < 0.01);
    let apart = cheap(&Simulation { overlap: 0.0, relatedness: 0.0, ..Simulation::default() });
    assert!(value(&apart, "excess_jsd") > 0.85);
    assert!(!apart.pair("task_a", "task_b").unwrap().measures["word_weight_cosine"].is_above_floor());
}

/// With one head a task the sign of the relation cannot matter: all labels of the partner flipped and its head negated, the gradient of
/// what is shared is the same. So the gain over ρ is a U, and only the pooled control, with one head, tells the sign.
#[test]
fn flipped_labels_and_a_negated_head_change_no_shared_gradient() {
    let corpus = Simulation { rows: [40, 40], ..Simulation::default() }.generate().unwrap();
    let dataset = Dataset::new(&corpus, Tokenizer::Plain, None, Padding::None);
    for shared in [Shared::Conv, Shared::Bilstm, Shared::BilstmConv] {
        let settings = Settings { shared, embedding_dim: 6, units: 3, filters: 4, ..Settings::preset(Preset::Default) };
        let table = EmbeddingInit::new(&settings, &dataset.encoder.vocabulary, None);
        let mut params = ParamStore::<f64>::new();
        let model = Model::new(&settings, &dataset.tasks, &table, &mut params);
        let texts = dataset.examples.iter().map(|example| (&example.tokens[..], &example.labels[..]));
        let batch = Packer::new(dataset.encoder.vocabulary.len()).pack_labelled(texts, 2);
        let gradients = |params: &ParamStore<f64>, batch: &Batch| {
            let mut pool = Pool::new();
            let mut tape = Tape::new(params, &mut pool, Mode::Evaluate);
            let logits = model.forward(&mut tape, batch);
            let losses = model.losses(&mut tape, &logits, batch, LossNormaliser::Labelled);
            let total = losses.total.unwrap();
            let gradients = tape.backward(total);
            let dense = |id| gradients.dense(id).unwrap().into_data();
            model.shared_params(params).into_iter().flat_map(dense).collect::<Vec<f64>>()
        };
        let before = gradients(&params, &batch);
        let head = &model.heads()[1].dense;
        for id in [head.kernel, head.bias] {
            params.value_mut(id).data_mut().iter_mut().for_each(|weight| *weight = -*weight);
        }
        let mut flipped = batch.clone();
        flipped.labels[1] = batch.labels[1].iter().map(|label| label.map(|label| !label)).collect();
        let after = gradients(&params, &flipped);
        assert!(before.iter().any(|g| g.abs() > 1e-6));
        let largest = before.iter().zip(&after).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(largest <= 1e-12, "{shared:?}: {largest}");
    }
}

/// Tasks t0, t1, … of 200 texts with these areas under the ROC curve, without measures.
fn tasks(own_auroc: &[f64]) -> Relatedness {
    let names: Vec<String> = (0..own_auroc.len()).map(|i| format!("t{i}")).collect();
    let context = Context {
        main_texts: 200,
        partner_texts: 200,
        main_prevalence: 0.5,
        partner_prevalence: 0.5,
        main_entropy: 1.0,
        partner_entropy: 1.0,
        main_length: 10.0,
        partner_length: 10.0,
        unknown_words: 0.0,
    };
    let pair = |main: &String, partner: &String| PairRelatedness {
        main: main.clone(),
        partner: partner.clone(),
        shared_texts: 0.0,
        measures: Default::default(),
        context,
        labels: None,
    };
    let facts =
        |(name, &own_auroc): (&String, &f64)| TaskFacts { name: name.clone(), texts: 200, positives: 100, own_auroc };
    let others = |main: &String| names.iter().filter(move |&partner| partner != main).cloned().collect::<Vec<_>>();
    Relatedness {
        version: String::new(),
        measures: Extent::Cheap,
        seed: 1,
        most_texts: 200,
        tasks: names.iter().zip(own_auroc).map(facts).collect(),
        pairs: names.iter().flat_map(|main| others(main).iter().map(|p| pair(main, p)).collect::<Vec<_>>()).collect(),
    }
}

/// Equally precise gains of all pairs of some tasks.
fn gains(relatedness: &Relatedness, gain: impl Fn(usize, usize) -> f64) -> Gains {
    let names: Vec<String> = relatedness.tasks.iter().map(|task| task.name.clone()).collect();
    let place = |name: &String| names.iter().position(|other| other == name).unwrap();
    let of_pair = |pair: &PairRelatedness| Gain {
        main: pair.main.clone(),
        partner: pair.partner.clone(),
        shared: Shared::Conv,
        size: 200,
        requested_size: "200".into(),
        partner_size: 200,
        difference: gain(place(&pair.main), place(&pair.partner)),
        low: 0.0,
        high: 0.0,
        standard_error: 1.0,
        verdict: Verdict::Undecided,
        alone: 0.7,
        together: 0.7,
        auroc: 0.0,
        halves: None,
        auroc_halves: None,
    };
    Gains {
        version: String::new(),
        measure: Measure::F1Tuned,
        rope: 1.0,
        folds: 4,
        repeats: 1,
        seeds: 1,
        epochs: [1, 0],
        heads: HeadStart::Alike,
        partner_size: "all".into(),
        tasks: names.clone(),
        finished: true,
        gains: relatedness.pairs.iter().map(of_pair).collect(),
        ceilings: Vec::new(),
        left_out: Vec::new(),
    }
}

fn in_f(found: &Against) -> &CellReport {
    found.cells.iter().find(|cell| cell.measure == Measure::F1Tuned).unwrap()
}

/// Task i gains 2^i of any partner, and no column tells the tasks apart. Then every model can but predict the mean gain of the pairs it
/// was fitted on: for (i, j) the mean of 2^k over all other tasks k, if no pair of i or j was among them.
#[test]
fn predictions_come_from_pairs_of_other_tasks_only() {
    let n = 7;
    let relatedness = tasks(&[0.8; 7]);
    let effect = |i: usize| f64::from(1 << i);
    let found = against(&relatedness, &gains(&relatedness, |main, _| effect(main))).unwrap();
    let of_pair = |i: usize, j: usize| {
        let others = (0..n).filter(|&k| k != i && k != j).map(effect);
        (effect(i) - others.sum::<f64>() / (n - 2) as f64).abs()
    };
    let errors: Vec<f64> = (0..n).flat_map(|i| (0..n).filter(move |&j| j != i).map(move |j| of_pair(i, j))).collect();
    let expected = errors.iter().sum::<f64>() / errors.len() as f64;
    let models = &in_f(&found).predictions;
    assert_eq!(models.len(), 4);
    for model in models {
        assert_abs_diff_eq!(model.mean_absolute_error, expected, epsilon = 1e-9);
    }
}

/// Holm 1979: of m measures, the i-th smallest p times m − i + 1, and no less than the one before.
#[test]
fn p_is_corrected_over_the_measures_that_were_tested() {
    let mut relatedness = tasks(&[0.7, 0.75, 0.8, 0.85, 0.9]);
    let noise = |i: usize, k: usize| ((i * i * (3 + k) + 7 * i) as f64).sin();
    for (i, pair) in relatedness.pairs.iter_mut().enumerate() {
        for (k, measure) in MEASURES.iter().take(4).enumerate() {
            // The last one is constant, so that it has no correlation and no p.
            let value = if k < 3 { noise(i, k) } else { 1.0 };
            pair.measures.insert(measure.word.into(), Measured { value: Some(value), ..Measured::default() });
        }
    }
    let found = against(&relatedness, &gains(&relatedness, |main, partner| noise(5 * main + partner, 0))).unwrap();
    let reports = &in_f(&found).measures;
    let mut tested: Vec<_> = reports.iter().filter(|report| report.holm_p.is_some()).collect();
    let words: Vec<&str> = tested.iter().map(|report| report.measure.as_str()).collect();
    assert_eq!(words, MEASURES.iter().take(3).map(|measure| measure.word).collect::<Vec<_>>());
    tested.sort_by(|a, b| a.p.unwrap().total_cmp(&b.p.unwrap()));
    let mut least: f64 = 0.0;
    for (rank, report) in tested.iter().enumerate() {
        least = least.max((3 - rank) as f64 * report.p.unwrap()).min(1.0);
        assert_abs_diff_eq!(report.holm_p.unwrap(), least, epsilon = 1e-12);
    }
}

const COLUMNS: usize = SIZE_COLUMNS.len() + MEASURES.len() + CONTEXT_COLUMNS.len();

/// The models that ship, replaced by one: a task gains 100 points for each point of its own area beyond .8, with an error of 2 points.
fn by_own_auroc() -> Against {
    let own_auroc = SIZE_COLUMNS.iter().position(|column| *column == "own AUROC").unwrap();
    let mut models = open_tasks();
    models.cells.truncate(1);
    let model = models.cells[0].model.as_mut().unwrap();
    let column = |value: f64| (0..COLUMNS).map(|i| if i == own_auroc { value } else { 0.0 }).collect::<Vec<f64>>();
    (model.ridge.means, model.ridge.deviations, model.ridge.weights) = (column(0.8), column(1.0), column(100.0));
    model.ridge.intercept = 0.0;
    model.validation.root_mean_squared_error = 2.0;
    models.rope = 1.0;
    models
}

/// Of a normal distribution 95 % lie within 1.96 deviations, and 84.13 % above one deviation below the mean.
#[test]
fn an_expected_gain_has_the_interval_of_the_errors_and_says_what_is_likelier_than_not() {
    let models = by_own_auroc();
    let found = predict(&models, &tasks(&[0.83, 0.77, 0.805]), Shared::Conv);
    assert_eq!(found.len(), 6);
    let [helps, hurts, unclear] = ["t0", "t1", "t2"].map(|main| found.iter().find(|p| p.main == main).unwrap());
    assert_eq!([helps, hurts, unclear].map(|p| p.says), [Outlook::Helps, Outlook::Hurts, Outlook::CannotTell]);
    assert_abs_diff_eq!(helps.gain, 3.0, epsilon = 1e-9);
    assert_abs_diff_eq!(helps.low, 3.0 - 3.92, epsilon = 1e-3);
    assert_abs_diff_eq!(helps.high, 3.0 + 3.92, epsilon = 1e-3);
    assert_abs_diff_eq!(helps.helps, 0.8413, epsilon = 1e-4);
    assert_abs_diff_eq!(hurts.gain, -3.0, epsilon = 1e-9);
    assert!(predict(&models, &tasks(&[0.8, 0.8]), Shared::Bilstm).is_empty(), "no model is of this layer");
}

#[test]
fn the_model_of_the_nearest_size_predicts() {
    let mut models = by_own_auroc();
    models.cells.push(models.cells[0].clone());
    models.cells[0].requested_size = "100".into();
    models.cells[1].requested_size = "2000".into();
    let mut relatedness = tasks(&[0.8, 0.8]);
    // Nearest on the scale of ratios: the middle of 100 and 2,000 is 447.
    for (texts, expected) in [(50, "100"), (400, "100"), (500, "2000"), (10_000, "2000")] {
        relatedness.pairs[0].context.main_texts = texts;
        assert_eq!(predict(&models, &relatedness, Shared::Conv)[0].fitted_at, expected, "{texts}");
    }
}

#[test]
fn a_task_that_expects_no_gain_is_given_no_partner() {
    let found = predict(&by_own_auroc(), &tasks(&[0.83, 0.77, 0.805]), Shared::Conv);
    let advice = Advice::of(&["t0", "t1", "t2"], &found, 1.0);
    let has_partner: Vec<bool> = advice.partners.iter().map(|best| best.partner.is_some()).collect();
    assert_eq!(has_partner, [true, false, false]);
    // With any partner t0 gains 3 points and t2 half a point, t1 loses 3.
    assert_eq!(advice.groups.unwrap(), [vec!["t0", "t2"], vec!["t1"]]);
}

#[test]
fn the_models_that_ship_have_a_weight_for_every_column() {
    let models = open_tasks();
    assert!(models.fitted(Shared::Conv).count() > 0);
    for (cell, model) in models.fitted(Shared::Conv) {
        assert!(cell.pairs >= 30 && cell.tasks.len() >= 6 && model.validation.root_mean_squared_error > 0.0);
        for numbers in [&model.ridge.means, &model.ridge.deviations, &model.ridge.weights] {
            assert_eq!(numbers.len(), COLUMNS);
        }
    }
}
