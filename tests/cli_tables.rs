//! Tables and word vectors as people have them, from training to prediction.

#[expect(dead_code, reason = "the tests of trainings need more of it")]
mod common;

use common::{Output, Place};

const SMALL: &str = "--epochs 1 --shared conv --filters 2 --embedding-dim 2 --threads 1";

/// Twelve labelled rows: a header, then lines with these fields.
fn table(header: &str, between: char, [yes, no]: [&str; 2]) -> String {
    let row = |i: u8| {
        let (text, label) = if i.is_multiple_of(2) { ("sore arm", yes) } else { ("fine day", no) };
        let word = char::from(b'a' + i); // which makes each text another one
        format!("{i}{between}{text} q{word}{between}{label}\n")
    };
    header.replace('|', &between.to_string()) + "\n" + &(0..12).map(row).collect::<String>()
}

fn trained(place: &Place, words: &str) -> Output {
    let output = place.run(&format!("train --out run {SMALL} {words}"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output
}

fn refused(place: &Place, words: &str) -> String {
    let output = place.run(words);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{}", output.stderr);
    output.stderr.lines().last().unwrap().strip_prefix("error: ").unwrap().to_owned()
}

#[test]
fn prediction_and_evaluation_read_tables_as_the_run_did() {
    let labelled = table("id|tweet|label", '|', ["Positive", "Negative"]);
    let place = Place::new(&[
        ("a.txt", labelled.as_bytes()),
        ("b.txt", b"id|tweet\n7|sore, very\n"),
        ("b.tsv", b"id\ttweet\n7\tsore\n"),
        ("c.csv", b"id;post\n7;sore, very\n"),
        ("d.csv", b"id,post\n7,\"sore, very\"\n"),
    ]);
    let flags = "--input-format csv --delimiter | --text-column tweet --positive Positive --negative Negative";
    trained(&place, &format!("--task flu=a.txt {flags}"));
    let rows = |words: &str| {
        let output = place.run(words);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    };
    let predicted = rows("predict run b.txt");
    assert!(predicted.starts_with("id|tweet|flu_probability|flu_prediction\n7|sore, very|0."), "{predicted}");
    assert!(rows("predict run b.tsv").starts_with("id\ttweet\tflu_probability"));
    // What is said wins, and a file's own header tells what is not.
    let predicted = rows("predict run c.csv --text-column post --delimiter ;");
    assert!(predicted.contains("\n7;sore, very;0."), "{predicted}");
    let predicted = rows("predict run d.csv --text-column post --delimiter ,");
    assert!(predicted.contains("\n7,\"sore, very\",0."), "{predicted}");
    let message = refused(&place, "predict run d.csv --delimiter ,");
    assert_eq!(message, "d.csv: no column \"tweet\"; the columns are: id, post; say --text-column NAME");

    assert_eq!(place.run("evaluate run --task flu=a.txt").code, Some(0));
    let other = table("id|text|label", ',', ["Y", "N"]);
    std::fs::write(place.path("e.csv"), other).unwrap();
    let words = "evaluate run --task flu=e.csv --text-column text --delimiter , --positive Y --negative N";
    let output = place.run(words);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[test]
fn a_study_reads_them_too() {
    let file = table("id|tweet|label", ';', ["Y", "N"]);
    let place = Place::new(&[("a.csv", file.as_bytes()), ("b.csv", file.replace("sore", "bad").as_bytes())]);
    let words = "--text-column tweet --positive Y --negative N --folds 2 --inner 0";
    let output = place.run(&format!("study --task a=a.csv --task b=b.csv --out s {SMALL} {words}"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[test]
fn lines_that_end_in_cr_alone_are_never_lost() {
    let place = Place::new(&[
        ("a.tsv", table("id|text|label", '\t', ["1", "0"]).as_bytes()),
        ("b.csv", b"text,id\rhi,1\rho,2\r"),
        ("b.tsv", b"text\tid\rhi\t1\rho\t2\r"),
        ("b.jsonl", b"{\"text\":\"hi\"}\r{\"text\":\"ho\"}\r"),
    ]);
    trained(&place, "--task flu=a.tsv");
    for name in ["b.csv", "b.tsv", "b.jsonl"] {
        let message = refused(&place, &format!("predict run {name}"));
        assert!(message.starts_with(&format!("{name}:1: ")) && message.contains("end in CR alone"), "{message}");
    }
}

/// As Python's `json` keeps the integers; everything else keeps its spelling.
#[test]
fn numbers_of_json_lines_stay_as_they_are() {
    let rows = [
        r#"{"text":"a","id":123456789012345678901234567890,"x":1E5,"y":[1.50,-9223372036854775809]}"#,
        r#"{"text":"a","id":1e400,"s":"\ud83d","z":{"k":1,"k":2}}"#,
    ];
    let place = Place::new(&[
        ("a.tsv", table("id|text|label", '\t', ["1", "0"]).as_bytes()),
        ("b.jsonl", rows.join("\n").as_bytes()),
        ("c.jsonl", b"{\"text\":\"a\",\"id\":1,\"id\":2}\n"),
        ("d.jsonl", b"{\"text\":\"\\ud83d\"}\n"),
    ]);
    trained(&place, "--task flu=a.tsv");
    let predicted = place.run("predict run b.jsonl").stdout;
    let lines: Vec<&str> = predicted.lines().collect();
    for (line, row) in lines.iter().zip(rows) {
        assert!(
            line.starts_with(&(row.trim_end_matches('}').to_owned() + if row.ends_with("}}") { "}" } else { "" })),
            "{line}"
        );
    }
    assert_eq!(lines.len(), 2);
    assert_eq!(refused(&place, "predict run c.jsonl"), "c.jsonl:1: the key \"id\" occurs twice");
    assert!(refused(&place, "predict run d.jsonl").contains("half of a surrogate pair, expected a text"));
}

/// Linear in the number of columns: the square would take a minute.
#[test]
fn wide_tables_are_predicted_in_time() {
    let names: Vec<String> = (0..60_000).map(|i| format!("c{i}")).collect();
    let csv = format!("text,{}\nhi{}\n", names.join(","), ",1".repeat(names.len()));
    let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":1")).collect();
    let json = format!("{{\"text\":\"hi\",{}}}\n", members.join(","));
    let place = Place::new(&[
        ("a.tsv", table("id|text|label", '\t', ["1", "0"]).as_bytes()),
        ("b.csv", csv.as_bytes()),
        ("b.jsonl", json.repeat(5).as_bytes()),
        ("long.toml", format!("{} = 1\n", "k".repeat(5_000_000)).as_bytes()),
    ]);
    trained(&place, "--task flu=a.tsv");
    let begun = std::time::Instant::now();
    assert_eq!(place.run("predict run b.csv").stdout.lines().count(), 2);
    assert_eq!(place.run("predict run b.jsonl").stdout.lines().count(), 5);
    let message = refused(&place, "config long.toml");
    assert!(message.len() < 200 && message.ends_with("unknown field"), "{message}");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn training_says_how_far_vectors_reach_and_refuses_those_of_other_texts() {
    let place = Place::new(&[
        ("a.tsv", table("id|text|label", '\t', ["1", "0"]).as_bytes()),
        ("b.tsv", table("id|text|label", '\t', ["1", "0"]).replace("sore", "bad").as_bytes()),
        ("v.txt", "sore 1 2\narm 3 4\nfine 5 6\n".as_bytes()),
        ("other.txt", b"zzz 1 2\nyyy 3 4\n"),
    ]);
    let train = "train --task flu=a.tsv --epochs 1 --shared conv --filters 2 --force";
    // Of 36 tokens sore, arm, fine, day are six each, and twelve words occur once.
    let said = place.run(&format!("{train} --vectors v.txt")).stderr;
    assert!(
        said.contains("Word vectors: vectors for 50.0 % of the tokens and 18.8 % of the different words, but none for day, qa, qb."),
        "{said}"
    );
    let message = refused(&place, &format!("{train} --vectors other.txt"));
    assert!(message.starts_with("other.txt: vectors for 0.0 % of the tokens"), "{message}");
    assert_eq!(place.run(&format!("{train} --vectors other.txt --embedding random")).code, Some(1), "both flags");

    let study = "study --task a=a.tsv --task b=b.tsv --folds 2 --inner 0 --shared conv --epochs 1 --filters 2";
    let said = place.run(&format!("{study} --vectors v.txt")).stderr;
    // Of 72: sore is six, arm and fine are twelve each.
    assert!(said.contains("Word vectors of a-b: vectors for 41.7 % of the tokens and 17.6 % of"), "{said}");
    let message = refused(&place, &format!("{study} --vectors other.txt --out t"));
    assert!(message.starts_with("other.txt: vectors for 0.0 % of the tokens"), "{message}");

    for (flags, expected) in [
        ("--embedding frozen", "`embedding`: it is about word vectors, and there are none"),
        ("--unknown mean", "`unknown`: it is about word vectors, and there are none"),
        ("--vectors v.txt --embedding-dim 50", "`embedding-dim`: found 50, but the vectors of v.txt have 2 numbers"),
        ("--vectors v.txt --embedding random", "`vectors`: --embedding random makes no use of them"),
    ] {
        for command in [train, study] {
            let message = refused(&place, &format!("{command} {flags}"));
            assert!(message.starts_with(expected), "{message}");
        }
    }
    assert_eq!(place.run(&format!("{train} --vectors v.txt --embedding-dim 2")).code, Some(0));
}

/// A run keeps the rules it began with: a configuration from before there were two versions says `glove`.
#[test]
fn runs_of_the_first_rules_go_on_by_them() {
    let place = Place::new(&[("a.tsv", table("id|text|label", '\t', ["1", "0"]).as_bytes())]);
    let tokens = |flags: &str| {
        trained(&place, &format!("--task flu=a.tsv --force {flags}"));
        let path = place.path("run/config.toml");
        let later = ["text-column", "positive", "negative", "delimiter", "input-format"];
        let is_later = |line: &str| later.iter().any(|field| line.trim_start_matches("# ").starts_with(field));
        let config = std::fs::read_to_string(&path).unwrap();
        let then: String = config.lines().filter(|line| !is_later(line)).map(|line| line.to_owned() + "\n").collect();
        std::fs::write(path, then).unwrap();
        let mut command = place.command("trace run --format json");
        command.arg("so\u{ad}re &lt;3");
        let trace: serde_json::Value = serde_json::from_str(&common::finished(command).stdout).unwrap();
        let words = trace["tokens"].as_array().unwrap().iter().map(|token| token["text"].as_str().unwrap().to_owned());
        words.collect::<Vec<_>>()
    };
    assert_eq!(tokens(""), ["sore", "<heart>"]);
    assert_eq!(tokens("--tokenizer glove"), ["so", "re", "&", "lt", ";", "<number>"]);
}

/// The control sequence that sets a terminal's title.
#[test]
fn data_have_no_power_over_a_terminal() {
    let title = "\u{1b}]0;x\u{7}";
    let table = table("id|text|label", '\t', ["1", "0"]).replace("sore", &format!("sore{title}"));
    let place = Place::new(&[
        ("a.tsv", table.as_bytes()),
        ("b.tsv", format!("te{title}xt\tlabel\nx\t1\n").as_bytes()),
        ("c.tsv", format!("text\tlabel\nx\t{title}\n").as_bytes()),
    ]);
    trained(&place, "--task flu=a.tsv --tokenizer plain");
    for words in [
        "data check --task flu=a.tsv --tokenizer plain",
        "data check --task flu=a.tsv --tokenizer plain --format json",
        "data check --task flu=b.tsv",
        "data check --task flu=c.tsv",
        "predict run b.tsv",
    ] {
        let output = place.run(words);
        assert!(!(output.stdout + &output.stderr).contains(['\u{1b}', '\u{7}']), "{words}");
    }
    for format in ["table", "svg", "json"] {
        let mut command = place.command(&format!("trace run --format {format}"));
        command.arg(format!("a{title} sore"));
        let output = common::finished(command);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert!(!output.stdout.contains(['\u{1b}', '\u{7}']), "{format}");
    }
}

/// A pipe would be waited for without end, or be empty when it is read again.
#[cfg(unix)]
#[test]
fn pipes_are_refused_at_once() {
    let place = Place::new(&[("a.tsv", table("id|text|label", '\t', ["1", "0"]).as_bytes())]);
    assert!(std::process::Command::new("mkfifo").arg(place.path("p.tsv")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/stdin", place.path("in.tsv")).unwrap();
    for words in [
        "train --task a=p.tsv",
        "data check --task a=p.tsv",
        "train --task a=in.tsv",
        "train --task a=a.tsv --vectors p.tsv",
    ] {
        let mut child = place.command(words);
        let child = child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let output = common::output(child.stderr(std::process::Stdio::piped()).spawn().unwrap());
        assert_eq!(output.code, Some(1));
        assert!(output.stderr.contains("can be read only once; save it to a file"), "{}", output.stderr);
    }
}
