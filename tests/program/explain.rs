//! `mtlcore explain`: the page and its data say what the training engine computes, to the bit, and what they cannot show.

use std::fs;

use crate::common::{Output, Place, assert_keeps_to_itself, edit_json, finished};
use mtlcore::{
    autograd::{Mode, Tape},
    mtl::{
        explain::{Explanation, GradientOf, TokenKind, explain},
        model::Packer,
        run::{RunDirectory, Trained},
        settings::LossNormaliser,
    },
    tensor::Pool,
};
use serde_json::Value;

/// A place with a small finished run.
fn place(settings: &str) -> Place {
    let place = Place::new(&[]);
    let output = place.run(&format!("train --epochs 1 --out run --units 5 --filters 6 {settings}"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    place
}

fn trained(place: &Place) -> Trained {
    RunDirectory::open(&place.path("run")).unwrap().trained().unwrap()
}

/// Some words of the run, one of them twice, and one that it does not know.
fn text(trained: &Trained) -> String {
    let word = |rank: usize| trained.encoder.vocabulary.word(2 + rank);
    [word(0), word(7), "zzzzq", word(3), word(0), word(11), word(5)].join(" ")
}

fn explained(place: &Place, text: &str, words: &str) -> Output {
    let mut command = place.command("explain run");
    command.arg(text).args(words.split_whitespace());
    finished(command)
}

fn labels() -> [(String, bool); 2] {
    [("task_a".into(), true), ("task_b".into(), false)]
}

fn place_of<'e>(explanation: &'e Explanation, name: &str) -> &'e mtlcore::mtl::explain::Place {
    explanation.places.iter().find(|place| place.name == name).unwrap_or_else(|| panic!("no place {name}"))
}

const LAYERS: [&str; 6] = [
    "--shared bilstm",
    "--shared bilstm --sentence max",
    "--shared conv",
    "--shared conv --conv-pooling mean --conv-activation tanh",
    "--shared bilstm-conv",
    "--preset paper --shared bilstm-conv",
];

/// The training engine: the batch as training packs it, an ordinary tape and ordinary sweeps.
#[test]
fn values_and_gradients_are_those_of_the_training_engine_to_the_bit() {
    for settings in LAYERS {
        let place = place(settings);
        let trained = trained(&place);
        let text = text(&trained);
        let explanation = explain(&trained, &text, &labels()).unwrap();
        let ids = trained.encoder.encode(&text);
        assert_eq!(explanation.tokens.len(), ids.len());

        let slots = [Some(true), Some(false)];
        let batch =
            Packer::new(trained.encoder.vocabulary.len()).pack_labelled(std::iter::once((&ids[..], &slots[..])), 2);
        let mut pool = Pool::new();
        let mut tape = Tape::new(&trained.params, &mut pool, Mode::Evaluate);
        let recorded = trained.model.record(&mut tape, &batch);
        let losses = trained.model.losses(&mut tape, &recorded.logits, &batch, LossNormaliser::Labelled);
        let probabilities = trained.probabilities([text.as_str()]).remove(0);
        for (slot, task) in explanation.tasks.iter().enumerate() {
            assert_eq!(task.gradient_of, GradientOf::Loss);
            assert_eq!(task.logit.to_bits(), tape.value(recorded.logits[slot]).item().to_bits(), "{settings}");
            assert_eq!(task.loss, Some(tape.value(losses.tasks[slot].unwrap()).item()), "{settings}");
            assert_eq!(task.probability, probabilities[slot], "{settings}");
        }
        assert_eq!(place_of(&explanation, "sentence").value.concat(), tape.value(recorded.sentence).data());
        if let Some(states) = recorded.states {
            let [forward, backward] = ["forward", "backward"].map(|d| place_of(&explanation, &format!("{d}.states")));
            let side_by_side = forward.value.iter().zip(&backward.value).flat_map(|(f, b)| [&f[..], b].concat());
            assert_eq!(side_by_side.collect::<Vec<f32>>(), tape.value(states).data(), "{settings}");
        }
        let objectives: Vec<_> = losses.tasks.iter().map(|loss| loss.unwrap()).collect();
        let gradients = tape.backward_each(&objectives);
        for (slot, gradients) in gradients.iter().enumerate() {
            // Each shared parameter by its norm, which the page shows.
            for pull in &explanation.pulls {
                let gradient = gradients.dense(trained.params.find(&pull.name).unwrap()).unwrap();
                let squares: f64 = gradient.data().iter().map(|&x| f64::from(x) * f64::from(x)).sum();
                assert_eq!(pull.norms[slot], squares.sqrt(), "{settings}: {}", pull.name);
            }
            // A bias' gradient is the sum of the gates' arguments' over the words, in the order of reading.
            if recorded.states.is_some() {
                for direction in ["forward", "backward"] {
                    let id = trained.params.find(&format!("shared.bilstm.{direction}.bias")).unwrap();
                    let expected = gradients.dense(id).unwrap();
                    let units = expected.data().len() / 4;
                    for (quarter, gate) in ["input-gate", "forget-gate", "candidate", "output-gate"].iter().enumerate()
                    {
                        let mut rows = place_of(&explanation, &format!("{direction}.{gate}")).gradients[slot].clone();
                        if direction == "backward" {
                            rows.reverse();
                        }
                        for unit in 0..units {
                            let sum = rows.iter().fold(0.0_f32, |sum, row| sum + row[unit]);
                            assert_eq!(sum, expected.data()[quarter * units + unit], "{settings}: {direction} {gate}");
                        }
                    }
                }
            }
        }
    }
}

/// With all word vectors trained, the embedding's gradient is that of the words; a word that occurs twice has the sum.
#[test]
fn word_gradients_are_those_of_the_embedding() {
    for shared in ["bilstm", "conv", "bilstm-conv"] {
        let place = place(&format!("--embedding fine-tuned --shared {shared}"));
        let trained = trained(&place);
        let text = text(&trained);
        let ids = trained.encoder.encode(&text);
        let explanation = explain(&trained, &text, &labels()).unwrap();
        let table = trained.model.embedding().weight;
        assert!(trained.params.is_trainable(table));
        assert_eq!(explanation.pulls[0].name, "embedding.weight");
        for (slot, pull) in explanation.pulls[0].norms.iter().enumerate() {
            let mut sums = std::collections::BTreeMap::<u32, Vec<f32>>::new();
            for (id, row) in ids.iter().zip(&place_of(&explanation, "words").gradients[slot]) {
                let sum = sums.entry(*id).or_insert_with(|| vec![0.0; row.len()]);
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            let norm = sums.values().flatten().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            assert!((norm - pull).abs() <= 1e-5 * pull, "{shared}: {norm} for {pull}");
        }
    }
}

#[test]
fn integrated_gradients_add_up_to_the_change_of_the_logit() {
    let more = ["--shared bilstm --gate-activation hard-sigmoid", "--shared bilstm-conv --conv-pooling mean"];
    let settings = LAYERS.into_iter().chain(more);
    for settings in settings {
        let place = place(settings);
        let trained = trained(&place);
        let known = text(&trained);
        for text in [known.as_str(), "zzzzq", trained.encoder.vocabulary.word(9)] {
            for task in explain(&trained, text, &[]).unwrap().tasks {
                let attribution = &task.attribution;
                let sum: f64 = attribution.integrated_gradients.iter().sum();
                let change = attribution.logit - attribution.baseline_logit;
                assert!((sum - change).abs() <= 1e-6, "{settings}: {sum} for {change}");
                assert!((attribution.logit - f64::from(task.logit)).abs() < 1e-5);
            }
        }
    }
}

/// The convolution of one window is linear in the words wherever ReLU is open, so both attributions agree there.
#[test]
fn a_linear_network_has_equal_attributions() {
    let place = place("--shared conv --conv-activation linear --conv-pooling mean");
    let trained = trained(&place);
    for task in explain(&trained, &text(&trained), &[]).unwrap().tasks {
        let a = &task.attribution;
        for (integrated, product) in a.integrated_gradients.iter().zip(&a.gradient_times_input) {
            assert!((integrated - product).abs() < 1e-9);
        }
        assert!(a.integrated_gradients.iter().any(|x| x.abs() > 1e-3));
    }
}

#[test]
fn winning_windows_lie_in_the_text() {
    let place = place("--shared conv");
    let trained = trained(&place);
    let explanation = explain(&trained, &text(&trained), &[]).unwrap();
    let windows = place_of(&explanation, "sentence").windows.as_ref().unwrap();
    assert_eq!((windows.width, windows.first.len()), (3, 6));
    assert!(windows.first.iter().all(|&first| first + 3 <= explanation.tokens.len() as u32));
}

#[test]
fn without_labels_the_gradients_are_those_of_the_logits() {
    let place = place("--shared bilstm");
    let trained = trained(&place);
    let text = text(&trained);
    let [without, with] = [&[][..], &labels()[..1]].map(|labels| explain(&trained, &text, labels).unwrap());
    assert_eq!(
        with.tasks.iter().map(|task| task.gradient_of).collect::<Vec<_>>(),
        [GradientOf::Loss, GradientOf::Logit]
    );
    assert_eq!((with.tasks[0].label, with.tasks[1].label), (Some(true), None));
    // ∂z/∂s is the head's weights, and dloss/ds = (p − 1)·w for a true label.
    let sentence = |e: &Explanation, slot: usize| place_of(e, "sentence").gradients[slot].concat();
    assert_eq!(sentence(&without, 0), without.tasks[0].head.weights);
    assert_eq!(sentence(&with, 1), with.tasks[1].head.weights);
    for (loss, w) in sentence(&with, 0).iter().zip(&with.tasks[0].head.weights) {
        let expected = (with.tasks[0].probability - 1.0) * f64::from(*w);
        assert!((f64::from(*loss) - expected).abs() < 1e-6);
    }
}

#[test]
fn json_and_page_hold_the_librarys_numbers() {
    let place = place("--shared bilstm-conv");
    let text = text(&trained(&place)) + " </script><b>&\u{1b}\u{9b}";
    // By way of text, which has as many digits of a number as single precision needs.
    let expected = serde_json::to_string(&explain(&trained(&place), &text, &labels()).unwrap()).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let flags = "--label task_a=1 --label task_b=0";
    let json = explained(&place, &text, &format!("{flags} --format json"));
    assert_eq!((json.code, json.stderr.as_str()), (Some(0), ""));
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&json[key], value, "{key}");
    }
    assert_eq!(json["version"], json["run"]["version"]);

    let page = explained(&place, &text, flags);
    assert_eq!((page.code, page.stdout.as_str()), (Some(0), "explain.html\n"), "{}", page.stderr);
    let html = fs::read_to_string(place.path("explain.html")).unwrap();
    let data =
        html.split("<script type=\"application/json\" id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), json);
    // Nothing is fetched: there is no address, and the text cannot smuggle one in.
    let shown = html.replace(data, "");
    assert_keeps_to_itself(&html, 1);
    assert!(!shown.contains("http://") && !shown.contains("https://") && !shown.contains("<b>&"));
    // Every link leads to something in the page.
    let links = html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    for link in links {
        assert!(html.contains(&format!("id=\"{link}\"")), "#{link}");
    }
    assert!(html.contains("id=\"src&#x2f;autograd&#x2f;ops&#x2f;lstm&#x2f;cell.rs\""));
    let other = explained(&place, &text, "--out other.html");
    assert_eq!(other.stdout, "other.html\n");
    assert!(fs::read_to_string(place.path("other.html")).unwrap().contains("Without a label there is no loss"));
}

#[test]
fn the_page_says_what_it_cannot_show() {
    let place = place("--shared bilstm --max-length 4");
    let page = |place: &Place, text: &str| {
        let output = explained(place, text, "");
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        (fs::read_to_string(place.path("explain.html")).unwrap(), output.stderr)
    };
    let (html, _) = page(&place, "zzzzq qqqqz");
    assert!(html.contains("The run knows none of these words."));
    let (html, _) = page(&place, "zzzzq qqqqz a b c d");
    assert!(html.contains("2 tokens at the end are not read"));
    let explanation = explain(&trained(&place), "zzzzq", &[]).unwrap();
    assert_eq!(explanation.tokens[0].kind, TokenKind::Unknown);

    edit_json(&place.path("run/manifest.json"), |manifest| manifest["version"] = "0.0.9".into());
    let (html, notes) = page(&place, "zzzzq");
    assert!(html.contains("trained by mtlcore 0.0.9") && notes.contains("trained by mtlcore 0.0.9"), "{notes}");

    let rows: String = (0..40).map(|i| format!("word{i} text\t{}\n", i % 2)).collect();
    let alone = Place::new(&[("a.tsv", format!("text\tlabel\n{rows}").as_bytes())]);
    let output = alone.run("train --task a=a.tsv --tokenizer plain --epochs 1 --out run");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let (html, _) = page(&alone, "word1 text");
    assert!(html.contains("The run has one task, a, so no two gradients can be compared."));
    assert!(!html.contains("opposite signs</th>"));
}

#[test]
fn what_cannot_be_explained_is_said() {
    let place = place("--shared conv");
    for (text, words, code, expected) in [
        ("", "", 1, "`text`: it has no tokens"),
        ("a", "--label flu=1", 1, "task `flu`: the run has no such task; it has task_a, task_b"),
        ("a", "--label task_a=1 --label task_a=1", 1, "two labels are given for it"),
        ("a", "--label task_a=2", 2, "expected TASK=0 or TASK=1"),
        ("a", "--out no/such/page.html", 1, "no/such/page.html"),
    ] {
        let output = explained(&place, text, words);
        assert_eq!(output.code, Some(code), "{text:?} {words}: {}", output.stderr);
        assert!(output.stderr.contains(expected), "{}", output.stderr);
    }
    assert!(!place.path("explain.html").exists());
    let output = place.run("explain");
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("mtlcore train --out run"), "{}", output.stderr);
}
