use std::io::Write;

use super::*;

fn load(text: &str, overrides: &str) -> std::result::Result<StudySettings, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let loaded = StudySettings::load(Some(file.path()), overrides.parse().unwrap());
    loaded.map_err(|error| error.to_string().replace(file.path().to_str().unwrap(), "FILE"))
}

const PAIR: &str = "[[pair]]\nname = 'p'\n[[pair.task]]\nname = 'a'\nfile = 'a.tsv'\n";
const SECOND: &str = "[[pair.task]]\nname = 'b'\nfile = 'b.tsv'\n";

#[test]
fn lists_are_arrays_or_words_between_commas() {
    for shared in ["shared = ['conv', 'bilstm']", "shared = 'conv, bilstm,conv'"] {
        assert_eq!(load(shared, "").unwrap().shared, [Shared::Conv, Shared::Bilstm]);
    }
    assert_eq!(load("", "controls = 'pooled'").unwrap().controls, [Control::Pooled]);
    assert_eq!(load("fractions = [100, 5, 0, 5]", "").unwrap().fractions, [0, 5, 100]);
    assert_eq!(load("", "fractions = '50, 100'").unwrap().fractions, [50, 100]);
}

#[test]
fn the_fields_of_a_run_hold_for_every_unit() {
    let study = load("preset = 'paper'\nepochs = 3\ninner = 0.2", "folds = 5").unwrap();
    assert_eq!((study.base.epochs, study.base.validation, study.folds), (3, 0.2, 5));
    assert_eq!(study.base.preset, Preset::Paper);
}

#[test]
fn tasks_of_the_command_line_are_one_pair() {
    let tasks = "task = [{ name = 'x', file = 'x.tsv' }, { name = 'y', file = 'y.tsv' }]";
    let pairs = load(&format!("{PAIR}{SECOND}"), tasks).unwrap().pairs;
    assert_eq!((pairs.len(), pairs[0].name.as_str(), pairs[0].tasks.len()), (1, "x-y", 2));
}

#[test]
fn simulated_words_need_few_columns() {
    let columns = |text: &str| load(text, "").unwrap().base.embedding_dim;
    assert_eq!([columns(""), columns("embedding-dim = 60"), columns(&format!("{PAIR}{SECOND}"))], [25, 60, 200]);
}

#[test]
fn settings_survive_their_file() {
    let text = "seed = 7\npatience = 2\ncontrols = ['masked']\nbalance = 'pcgrad,mgda'\ngroup = 'author'\n";
    let study = load(&format!("{text}{PAIR}{SECOND}"), "").unwrap();
    assert_eq!(load(&study.to_toml(), "").unwrap(), study);
}

#[test]
fn errors_name_the_line_the_field_and_what_was_expected() {
    for (text, message) in [
        ("fold = 3", "FILE:1: `fold`: unknown field; the nearest known one is `folds`"),
        ("folds = 1", "FILE:1: `folds`: found 1, expected a whole number from 2 to 1000"),
        (
            "shared = 'conv,,bilstm'",
            "FILE:1: `shared`: found \"conv,,bilstm\", expected some of: bilstm, conv, bilstm-conv",
        ),
        (
            "fractions = '0,50,'",
            "FILE:1: `fractions`: found \"0,50,\", expected whole percentages from 0 to 100, such as 0,50,100",
        ),
        ("shared = 'lstm'", "FILE:1: `shared`: found \"lstm\", expected some of: bilstm, conv, bilstm-conv"),
        (
            "fractions = '0,50%'",
            "FILE:1: `fractions`: found \"0,50%\", expected whole percentages from 0 to 100, such as 0,50,100",
        ),
        (
            "fractions = [0, 101]",
            "FILE:1: `fractions`: found an array, expected whole percentages from 0 to 100, such as 0,50,100",
        ),
        ("fractions = []", "`fractions`: found none, expected whole percentages from 0 to 100, such as 0,50,100"),
        (
            "group = 'author'",
            "`group`: the simulated pairs have no such column; name files of your own with --task or [[pair.task]]",
        ),
        ("shared = []", "`shared`: found none, expected some of: bilstm, conv, bilstm-conv"),
        ("patience = 1\ninner = 0", "`patience`: stopping early needs inner rows, and `inner` is 0"),
        (PAIR, "`pair`: `p` has one task, `a`; to learn together takes two or more"),
        ("[[pair]]\nname = 'p'", "`pair`: `p` has no task; it needs two or more, each a [[pair.task]]"),
    ] {
        assert_eq!(load(text, "").unwrap_err(), message);
    }
    let twice = format!("{PAIR}{}", SECOND.replace("'b'", "'a'"));
    assert_eq!(load(&twice, "").unwrap_err(), "task `a`: two tasks of the pair `p` have this name");
    let unknown = load(&format!("{PAIR}labels = 'x'\n"), "").unwrap_err();
    assert!(unknown.starts_with("FILE:6: `pair`: ") && unknown.contains("`labels`"), "{unknown}");
}
