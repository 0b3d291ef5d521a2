//! Groups, such as authors: a split never parts them, and one that holds most rows is named.

use std::{collections::BTreeMap, fs};

use crate::common::{Output, Place};

const SMALL: &str = "--shared conv --filters 2 --embedding-dim 4 --epochs 1 --threads 1";

/// Rows of text, label and author; row i is by author `of(i)`, and every author has true and false rows.
fn posts(rows: usize, of: impl Fn(usize) -> String) -> Vec<u8> {
    let word = |i: usize| ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"][i % 8];
    let row = |i: usize| format!("{} {} of {}\t{}\t{}\n", word(i), word(i / 8), word(i / 64), i / 2 % 2, of(i));
    ("text\tlabel\tauthor\n".to_owned() + &(0..rows).map(row).collect::<String>()).into_bytes()
}

fn six_authors() -> Vec<u8> {
    posts(120, |i| format!("person{}", i % 6))
}

/// Most rows are by nobody in particular.
fn mostly_deleted() -> Vec<u8> {
    posts(120, |i| if i % 10 < 7 { "[deleted]".into() } else { format!("person{i}") })
}

fn failed(output: &Output) -> &str {
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    output.stderr.lines().last().unwrap()
}

/// The authors of the rows that a run held out and of the others, told by the rows that an evaluation of the whole file counts as
/// learnt from.
#[test]
fn a_training_holds_out_whole_groups() {
    let place = Place::new(&[("a.tsv", &six_authors())]);
    let trained = place.run(&format!("train --task flu=a.tsv --group author {SMALL}"));
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    assert!(!trained.stderr.contains("Warning"), "{}", trained.stderr);
    let of_task = &place.manifest("run")["tasks"]["flu"];
    // One of six authors is the nearest to a fifth that groups allow.
    assert_eq!((of_task["train"].as_u64(), of_task["held_out"].as_u64()), (Some(100), Some(20)));

    // Each author's posts as a file of their own: all of them were learnt from, or none.
    let text = String::from_utf8(six_authors()).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut of_author: BTreeMap<&str, String> = BTreeMap::new();
    for row in rows.lines() {
        let author = row.rsplit_once('\t').unwrap().1;
        of_author.entry(author).or_insert_with(|| format!("{header}\n")).push_str(&format!("{row}\n"));
    }
    let mut held_out = 0;
    for (author, file) in &of_author {
        fs::write(place.path(&format!("{author}.tsv")), file).unwrap();
        let output = place.run(&format!("evaluate run --task flu={author}.tsv"));
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let some_learnt = output.stdout.contains("learnt from");
        assert!(!some_learnt || output.stdout.contains("All of these 20 rows were learnt from"), "{}", output.stdout);
        held_out += usize::from(!some_learnt);
    }
    assert_eq!(held_out, 1);

    // The run remembers the column, and other files need not have it.
    assert!(fs::read_to_string(place.path("run/config.toml")).unwrap().contains("\ngroup = \"author\"\n"));
    fs::write(place.path("other.tsv"), "text\tlabel\nalpha\t1\nbeta\t0\n").unwrap();
    for words in ["evaluate run", "evaluate run --task flu=other.tsv", "predict run other.tsv"] {
        let output = place.run(words);
        assert_eq!(output.code, Some(0), "{words}: {}", output.stderr);
    }
}

#[test]
fn a_column_that_is_not_there_is_missed() {
    let place = Place::new(&[("a.tsv", &six_authors())]);
    assert_eq!(
        failed(&place.run(&format!("train --task flu=a.tsv --group autor {SMALL}"))),
        "error: a.tsv: no column \"autor\"; the columns are: text, label, author; did you mean \"author\"? say --group NAME"
    );
    assert_eq!(
        failed(&place.run("train --group author")),
        "error: `group`: the simulated pair has no such column; name files of your own with --task"
    );
}

#[test]
fn a_group_of_most_rows_is_named() {
    let place = Place::new(&[("a.tsv", &mostly_deleted()), ("b.tsv", &mostly_deleted())]);
    let group =
        "\"[deleted]\" holds 84 of 120 rows together; if it stands for many authors, leave its rows' group empty";
    let trained = place.run(&format!("train --task flu=a.tsv --group author {SMALL}"));
    assert!(trained.code == Some(0) && trained.stderr.contains(&format!("Warning: {group}.\n")), "{}", trained.stderr);

    // Both files hold the same posts, so each author's rows of both are one group.
    let group = group.replace("84 of 120", "168 of 240");
    let study = format!("study --task flu=a.tsv --task game=b.tsv --group author --seeds 1 {SMALL}");
    let done = place.run(&format!("{study} --folds 5"));
    assert!(done.code == Some(0) && done.stderr.contains(&format!("Warning: flu-game: {group}.\n")), "{}", done.stderr);
    // Where it makes a split impossible, the error names it, and the flag that asked for the split.
    let refused = place.run(&format!("{study} --folds 60 --out other"));
    let error = failed(&refused);
    assert!(error.contains("which are never parted; say fewer --folds") && error.ends_with(&group), "{error}");
}

/// Two authors alone: one of them is tested, so the other one cannot be divided.
#[test]
fn an_impossible_split_names_its_flag() {
    let two = posts(40, |i| format!("person{}", i / 20));
    let place = Place::new(&[("a.tsv", &two), ("b.tsv", &two)]);
    let study = format!("study --task flu=a.tsv --task game=b.tsv --group author --folds 2 {SMALL}");
    let refused = place.run(&study);
    assert!(failed(&refused).contains("; --inner 0 holds no rows out"), "{}", refused.stderr);
    let one = posts(40, |_| "person".into());
    fs::write(place.path("one.tsv"), one).unwrap();
    let refused = place.run(&format!("train --task flu=one.tsv --group author {SMALL}"));
    assert_eq!(
        failed(&refused),
        "error: task `flu`: no true row would be held out: found 20, in too few distinct texts (or groups), which are never parted; \
         --validation 0 holds no rows out; \"person\" holds 40 of 40 rows together; if it stands for many authors, leave its rows' \
         group empty"
    );
}
