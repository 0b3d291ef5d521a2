//! `mtlcore audit`: what arithmetic finds in the table of Joshi et al. 2019, and what it says of files that are no table.

use std::fs;

use serde_json::Value;

const PAPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/joshi2019_tables.csv");

/// (exit code, output, errors) of `mtlcore audit` in a directory with this `table.csv`.
fn audit(table: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("table.csv"), table).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    let output = command.current_dir(&directory).arg("audit").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The lines of a section of the output, from its heading to the next empty line.
fn section<'o>(output: &'o str, heading: &str) -> Vec<&'o str> {
    let lines = output.lines().skip_while(|line| !line.starts_with(heading));
    lines.take_while(|line| !line.is_empty()).collect()
}

/// The seven cells and by how much, from F ≤ 2P / (2P + errors), done by hand; the pair from the table itself.
#[test]
fn the_papers_seven_impossible_cells_and_its_duplicate_are_found() {
    let (code, output, errors) = audit("", &[PAPER]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let impossible = section(&output, "Impossible cells: 7.");
    let expected = [
        ("relevance  B      STL", "98.80", "98.73", "+0.07"),
        ("relevance  B      MTL", "98.64", "98.56", "+0.08"),
        ("relevance  C      STL", "98.75", "98.67", "+0.08"),
        ("relevance  C      MTL", "98.58", "98.49", "+0.09"),
        ("relevance  B+C    STL", "98.73", "98.65", "+0.08"),
        ("relevance  B+C    MTL", "98.88", "98.81", "+0.07"),
        ("intent     B      STL", "75.29", "70.47", "+4.82"),
    ];
    for (row, (place, f, largest, off_by)) in impossible[2..9].iter().zip(expected) {
        assert!(row.starts_with(place) && [f, largest, off_by].iter().all(|part| row.contains(part)), "{row}");
        let over_folds = if place.starts_with("intent") { "only if folds differ wildly" } else { "impossible too" };
        assert!(row.contains(over_folds), "{row}");
    }
    assert!(!impossible[9].contains("  "), "no eighth cell: {}", impossible[9]);
    assert_eq!(section(&output, "Duplicates")[1..], ["85.62 / 75.59: vaccine use B+C MTL; intent B+C STL"]);
    assert!(output.contains("macro average (the mean of both classes' F1): impossible in 27 of 36 cells"));
    // The share predicted true, from TP = eF / (2(1 - F)): the convolution moves the operating point of influenza.
    let cells = section(&output, "All cells");
    for (place, share) in [("influenza    C      STL", "51.0 %"), ("influenza    C      MTL", "30.9 %")] {
        assert!(cells.iter().any(|row| row.starts_with(place) && row.contains(share)), "{place} {share}");
    }
}

#[test]
fn without_a_table_it_is_the_papers_and_says_so() {
    let (code, embedded, errors) = audit("", &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let (_, named, _) = audit("", &[PAPER]);
    assert!(embedded.starts_with("No table is named, so this is that of Joshi et al. 2019: 36 cells"));
    let without_first_line = |output: &str| output.split_once('\n').unwrap().1.to_owned();
    assert_eq!(without_first_line(&embedded), without_first_line(&named));
}

#[test]
fn json_has_every_bound() {
    let (_, output, _) = audit("", &["--format", "json"]);
    let audit: Value = serde_json::from_str(&output).unwrap();
    let impossible: Vec<_> =
        audit["findings"].as_array().unwrap().iter().filter(|finding| finding["possible"] == false).collect();
    assert_eq!(impossible.len(), 7);
    assert_eq!(impossible[6]["task"], "intent");
    assert_eq!(impossible[6]["possible_over_folds"], true);
    assert_eq!(audit["duplicates"][0]["cells"], serde_json::json!([17, 34]));
}

#[test]
fn a_table_without_fault_is_said_to_have_none() {
    let table = "task,layer,arm,accuracy,f,rows,positives\nflu,B,STL,76.52,75.90,2661,1304\n";
    let (code, output, _) = audit(table, &["table.csv"]);
    assert_eq!(code, Some(0));
    assert!(output.contains("Impossible cells: none.") && output.contains("Duplicates: none."), "{output}");
}

#[test]
fn what_is_no_table_is_named() {
    for (table, message) in [
        ("", "table.csv: the file is empty"),
        (
            "task,accuracy\n",
            "table.csv:1: no column `layer`; expected task, layer, arm, accuracy, f, rows, positives, found task, accuracy",
        ),
        ("task,layer,arm,accuracy,f,rows,positives\n", "table.csv: the table has no row"),
        (
            "task,layer,arm,accuracy,f,rows,positives\na,B,STL,76.5,x,9,4\n",
            "table.csv:2: f \"x\": expected a percentage from 0 to 100, such as 85.62",
        ),
    ] {
        let (code, output, errors) = audit(table, &["table.csv"]);
        assert_eq!((code, output.as_str(), errors), (Some(1), "", format!("error: {message}\n")));
    }
    let (code, _, errors) = audit("", &["absent.csv"]);
    assert_eq!(code, Some(1));
    assert!(errors.starts_with("error: absent.csv: No such file"), "{errors}");
}
