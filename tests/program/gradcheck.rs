//! `mtlcore gradcheck`: all is proved, all known bugs are caught, and scripts can read both.

use serde_json::Value;

/// Runs `mtlcore gradcheck`; (exit code, output, errors).
fn gradcheck(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    let output = command.arg("gradcheck").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json(arguments: &[&str]) -> Value {
    let (code, output, errors) = gradcheck(&[arguments, &["--format", "json"]].concat());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    serde_json::from_str(&output).unwrap()
}

#[test]
fn the_table_shows_every_input_and_all_pass() {
    let (code, output, errors) = gradcheck(&[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(output.contains("all below 1e-6") && !output.contains("FAIL"), "{output}");
    for name in ["lstm (both directions)", "forward recurrent kernel", "model B+C, one task", "heads.a.kernel"] {
        assert!(output.contains(name), "{name}");
    }
}

#[test]
fn a_name_chooses_the_checks_that_contain_it() {
    let report = json(&["LSTM"]);
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.len() > 1 && report["passed"] == true);
    assert!(checks.iter().all(|check| check["name"].as_str().unwrap().contains("lstm")), "{report}");
    let (code, _, errors) = gradcheck(&["lsmt"]);
    assert!(
        code == Some(1) && errors.starts_with("error: no check has \"lsmt\" in its name; did you mean one of: lstm"),
        "{errors}"
    );
    let (code, _, errors) = gradcheck(&["zzz"]);
    assert!(code == Some(1) && errors.contains("the checks are: "), "{errors}");
    assert_eq!(gradcheck(&["lstm", "--mutate"]).0, Some(2));
}

#[test]
fn every_error_is_below_a_millionth_in_every_section() {
    let report = json(&[]);
    assert_eq!((report["tolerance"].as_f64(), report["passed"].as_bool()), (Some(1e-6), Some(true)));
    let checks = report["checks"].as_array().unwrap();
    for section in ["operations", "layers", "models", "initial values", "optimiser"] {
        assert!(checks.iter().any(|check| check["section"] == section), "{section}");
    }
    for check in checks {
        assert!(check["worst"].as_f64().unwrap() < 1e-6, "{check}");
        for line in check["lines"].as_array().unwrap() {
            let errors = [&line["against_differences"], &line["against_reference"]].map(Value::as_f64);
            assert!(errors.iter().any(Option::is_some), "{line}");
            assert!(errors.into_iter().flatten().all(|error| error < 1e-6), "{line}");
        }
    }
}

/// A gradient of 0 everywhere proves little: it is due only where no label asks for it or no second token leads to it.
#[test]
fn gradients_flow_everywhere() {
    let report = json(&[]);
    for check in report["checks"].as_array().unwrap() {
        let name = check["name"].as_str().unwrap();
        if ["one token", "no label", "a task absent"].iter().any(|case| name.contains(case)) {
            continue;
        }
        assert!(check["lines"].as_array().unwrap().iter().all(|line| line["flat"] == false), "{check}");
    }
}

/// Those whose computation is not written as plainly as their mathematics.
#[test]
fn every_fused_operation_is_held_against_a_reference() {
    let report = json(&[]);
    for name in ["lstm", "conv", "dropout", "masked_bce", "gather_rows", "layer: embedding"] {
        let checks = report["checks"].as_array().unwrap().iter();
        let referenced = checks
            .filter(|check| check["name"].as_str().unwrap().starts_with(name))
            .any(|check| check["lines"].as_array().unwrap().iter().all(|line| line["against_reference"].is_f64()));
        assert!(referenced, "{name}");
    }
}

#[test]
fn every_planted_bug_is_caught() {
    let (code, output, errors) = gradcheck(&["--mutate"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    assert!(output.contains("all caught") && !output.contains("NOT CAUGHT"), "{output}");

    let report = json(&["--mutate"]);
    let mutations = report["mutations"].as_array().unwrap();
    assert!(mutations.len() >= 20);
    for mutation in mutations {
        assert!(mutation["caught"]["error"].as_f64().is_none_or(|error| error >= 1e-6), "{mutation}");
        assert!(mutation["caught"]["check"].is_string(), "{mutation}");
    }
    // Differences are blind to a bug on which forward and backward computation agree: only a reference tells.
    let agreed = |mutation: &&Value| mutation["description"].as_str().unwrap().ends_with("forwards and backwards");
    assert!(mutations.iter().filter(agreed).count() >= 5);
    for mutation in mutations.iter().filter(agreed) {
        assert_eq!(mutation["caught"]["evidence"], "reference", "{mutation}");
    }
}
