//! `mtlcore curve` as a user meets it.

use std::{collections::BTreeMap, fs};

use crate::common::{Output, Place};
use mtlcore::mtl::study::{CurveFold, Curves, Results, TaskCurve};

const SMALL: &str = "--scale 0.02 --folds 3 --seeds 2 --epochs 2 --units 5 --shared conv --embedding-dim 8";

fn succeed(place: &Place, words: &str) -> Output {
    let output = place.run(words);
    assert_eq!(output.code, Some(0), "{words}\n{}", output.stderr);
    output
}

fn curves(place: &Place, directory: &str) -> Curves {
    Curves::read(&place.path(directory)).unwrap().unwrap()
}

/// The names of the units' files.
fn units(place: &Place, study: &str) -> Vec<String> {
    place.files(&format!("{study}/units")).into_keys().collect()
}

fn all(curves: &Curves) -> impl Iterator<Item = &TaskCurve> {
    curves.pairs.iter().flat_map(|pair| &pair.curves)
}

#[test]
fn the_curves_of_a_study_begin_with_its_stl_and_end_with_its_mtl() {
    let place = Place::new(&[]);
    succeed(&place, &format!("study {SMALL} --out s"));
    let (results, before) = (fs::read(place.path("s/results.json")).unwrap(), units(&place, "s"));
    let settings = fs::read(place.path("s/study.toml")).unwrap();
    assert!(!fs::read_to_string(place.path("s/report.html")).unwrap().contains("Figure 3"));

    let output = succeed(&place, "curve --out s --fractions 0,40,100");
    for word in ["simulated-1", "influenza", "accuracy", "f1", "average precision", "40 %", "100 %", "s/report.html"] {
        assert!(output.stdout.contains(word), "{word}\n{}", output.stdout);
    }
    // STL and MTL are there already; each point between is a unit a task, fold and training.
    let new: Vec<String> = units(&place, "s").into_iter().filter(|unit| !before.contains(unit)).collect();
    assert!(new.len() == 3 * 2 * 3 * 2 && new.iter().all(|unit| unit.contains(".share-40.")), "{new:?}");
    assert!(before.iter().all(|unit| place.path("s/units").join(unit).exists()));
    assert_eq!(results, fs::read(place.path("s/results.json")).unwrap());
    assert_eq!(settings, fs::read(place.path("s/study.toml")).unwrap());

    let (curves, results) = (curves(&place, "s"), Results::read(&place.path("s")).unwrap());
    let tasks: BTreeMap<_, _> =
        results.pairs.iter().flat_map(|pair| &pair.layers[0].tasks).map(|task| (&task.task, task)).collect();
    assert_eq!(all(&curves).count(), 6);
    for curve in all(&curves) {
        let task = tasks[&curve.task];
        assert_eq!(curve.points.iter().map(|point| point.percent).collect::<Vec<_>>(), [0, 40, 100]);
        for (point, arm) in [(&curve.points[0], &task.stl), (&curve.points[2], &task.mtl)] {
            assert_eq!(point.folds.len(), arm.folds.len());
            for (of_curve, of_study) in point.folds.iter().zip(&arm.folds) {
                assert_eq!((&of_curve.metrics, of_curve.steps), (&of_study.metrics, of_study.steps));
            }
            for (name, band) in &point.metrics {
                assert!((band.mean - arm.summary.metrics[name].mean).abs() < 1e-12);
                assert!(band.low <= band.mean && band.mean <= band.high);
            }
        }
        // The corrected interval of the folds' means over their two trainings: t(.975, 2) = 4.302653, Var·(1/3 + 1/2).
        for point in &curve.points {
            let of_fold = |fold: &[CurveFold]| (fold[0].metrics.accuracy + fold[1].metrics.accuracy) / 2.0;
            let folds: Vec<f64> = point.folds.chunks(2).map(of_fold).collect();
            let mean = folds.iter().sum::<f64>() / 3.0;
            let variance = folds.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2.0;
            let (half, band) = (4.302_653 * (variance * (1.0 / 3.0 + 0.5)).sqrt(), point.metrics["accuracy"]);
            assert!((band.low - (mean - half).max(0.0)).abs() < 1e-6, "{band:?} of {folds:?}");
            assert!((band.high - (mean + half).min(1.0)).abs() < 1e-6, "{band:?} of {folds:?}");
        }
        let steps = |point: usize| curve.points[point].folds.iter().map(|fold| fold.steps).sum::<usize>();
        assert!(steps(0) <= steps(1) && steps(1) <= steps(2), "more rows, more steps");
    }

    // 3 pairs of 2 tasks, 3 points, 3 folds, 2 trainings.
    let table = fs::read_to_string(place.path("s/curve.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 3 * 2 * 3 * 3 * 2);
    assert!(table.starts_with("pair,task,shared,percent,repeat,fold,seed,steps,accuracy,"), "{table}");
    assert!(fs::read_to_string(place.path("s/report.html")).unwrap().contains("id=\"curves\""));
    assert!(fs::read_to_string(place.path("s/report.md")).unwrap().contains("## Figure 3 curves"));
    fs::remove_file(place.path("s/report.html")).unwrap();
    succeed(&place, "report s");
    assert!(fs::read_to_string(place.path("s/report.html")).unwrap().contains("id=\"curves\""));
}

#[test]
fn without_a_study_it_makes_one_and_json_is_what_the_file_says() {
    let place = Place::new(&[]);
    let words = format!("curve {SMALL} --fractions 50 --out c --threads 2");
    let output = succeed(&place, &format!("{words} --format json"));
    // The file has a checksum besides.
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let mut file = json(&fs::read_to_string(place.path("c/curve.json")).unwrap());
    assert!(file.as_object_mut().unwrap().remove("sha256").is_some());
    assert_eq!(json(&output.stdout), file);
    for file in ["study.toml", "manifest.json", "results.json", "report.html", "curve.csv"] {
        assert!(place.path("c").join(file).exists(), "{file}");
    }
    assert!(fs::read_to_string(place.path("c/study.toml")).unwrap().contains("\nfractions = [50]\n"));
    assert!(output.stderr.starts_with("No pair is named"), "{}", output.stderr);

    // Again, with a unit lost and one thread: the same bits. More points are added, and the settings need not be said.
    let before = fs::read(place.path("c/curve.json")).unwrap();
    let lost = units(&place, "c").into_iter().find(|unit| unit.contains(".share-50.")).unwrap();
    fs::remove_file(place.path("c/units").join(lost)).unwrap();
    succeed(&place, "curve --out c --threads 1");
    assert_eq!(before, fs::read(place.path("c/curve.json")).unwrap());
    succeed(&place, "curve c/study.toml --out c --fractions 50,100");
    assert_eq!(curves(&place, "c").fractions, [50, 100]);
}

/// Where every row has both labels, a share of the other labels is not a share of the rows.
#[test]
fn doubly_labelled_rows_stay_without_the_other_label() {
    let place = Place::new(&[]);
    succeed(&place, "data simulate --doubly-labelled --rows 200,200 --out d");
    let tasks = "--task a=d/pair.tsv:task_a --task b=d/pair.tsv:task_b";
    let rest = "--folds 3 --epochs 2 --units 5 --shared conv --embedding-dim 8 --fractions 0,50,100 --out c";
    succeed(&place, &format!("curve {tasks} {rest}"));
    for curve in all(&curves(&place, "c")) {
        for fold in 0..3 {
            let [none, half, full] = [0, 1, 2].map(|point| &curve.points[point].folds[fold]);
            assert_eq!((none.steps, half.steps), (full.steps, full.steps), "the same rows");
            assert_ne!(half.metrics, none.metrics);
            assert_ne!(half.metrics, full.metrics);
        }
    }
}

#[test]
fn a_group_column_holds_rows_together_or_is_missed() {
    let rows = |named: bool| -> Vec<u8> {
        let head = if named { "text\tlabel\tauthor\n" } else { "text\tlabel\tautor\n" };
        let word = |i: usize| ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"][i % 8];
        let row = |i: usize| format!("{} {}\t{}\tperson{}\n", word(i), word(i / 8), i % 2, i / 4);
        (head.to_owned() + &(0..60).map(row).collect::<String>()).into_bytes()
    };
    let place = Place::new(&[("a.tsv", &rows(true)), ("b.tsv", &rows(true)), ("c.tsv", &rows(false))]);
    let small = "--folds 3 --epochs 1 --units 5 --shared conv --embedding-dim 8";
    succeed(&place, &format!("study --task a=a.tsv --task b=b.tsv {small} --group author --out g"));
    assert!(fs::read_to_string(place.path("g/study.toml")).unwrap().contains("\ngroup = \"author\"\n"));
    for (words, message) in [
        (
            format!("study --task a=a.tsv --task b=b.tsv {small} --out g"),
            "error: g/study.toml: a study of other settings: `group` is \"author\" there and nothing here; choose another --out, \
             or replace it with --force",
        ),
        (
            format!("study --task a=a.tsv --task c=c.tsv {small} --group author --out h"),
            "error: c.tsv: no column \"author\"; the columns are: text, label, autor; did you mean \"autor\"? say --group NAME",
        ),
        (
            format!("curve {small} --group author --out h"),
            "error: `group`: the simulated pairs have no such column; name files of your own with --task or [[pair.task]]",
        ),
    ] {
        let output = place.run(&words);
        assert_eq!((output.code, output.stderr.lines().last()), (Some(1), Some(message)));
    }
    let output = place.run("curve --fractions 0.5");
    assert!(output.code == Some(2) && output.stderr.contains("expected whole percentages"), "{}", output.stderr);
}
