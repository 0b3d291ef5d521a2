//! `mtlcore predict`: what goes in comes out, with every task's probability and decision, whatever the company.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::common::edit_json;
use mtlcore::mtl::run::RunDirectory;
use tempfile::TempDir;

/// A run on the embedded pair, trained once for all tests.
fn run() -> &'static Path {
    static RUN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = RUN.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run");
        let mut train = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
        train.arg("train").args(["--epochs", "2", "--out"]).arg(&path).assert().success();
        (directory, path)
    });
    path
}

/// What `mtlcore predict RUN` with further arguments makes of standard input: exit code, output, errors.
fn predict_with(run: &Path, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    let output = command.arg("predict").arg(run).args(arguments).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn predict(arguments: &[&str], input: &str) -> String {
    let (code, output, errors) = predict_with(run(), arguments, input.as_bytes());
    assert_eq!((code, errors.as_str()), (0, ""));
    output
}

/// The error line of a prediction that fails, and what was written before.
fn failure(arguments: &[&str], input: &str) -> (String, String) {
    let (code, output, errors) = predict_with(run(), arguments, input.as_bytes());
    assert_eq!(code, 1, "{errors}");
    (errors, output)
}

/// The four added values of one text in a table: seven digits of each probability.
fn expected(text: &str) -> Vec<String> {
    let rounded = |value: String| format!("{:.6e}", value.parse::<f64>().unwrap()).parse::<f64>().unwrap().to_string();
    expected_in_json(text).into_iter().map(rounded).collect()
}

/// The four added values of one text, predicted by the library on its own, with all digits.
fn expected_in_json(text: &str) -> Vec<String> {
    static TRAINED: OnceLock<mtlcore::mtl::run::Trained> = OnceLock::new();
    let trained = TRAINED.get_or_init(|| RunDirectory::open(run()).unwrap().trained().unwrap());
    let probabilities = trained.probabilities([text]).remove(0);
    probabilities.iter().flat_map(|p| [serde_json::to_string(p).unwrap(), u8::from(*p > 0.5).to_string()]).collect()
}

const ADDED: [&str; 4] = ["task_a_probability", "task_a_prediction", "task_b_probability", "task_b_prediction"];

#[test]
fn tsv_keeps_columns_and_appends_four() {
    let output = predict(&["-"], "id\ttext\tnote\n7\thello there, \"you\"\t\n8\t\tempty\n");
    let lines: Vec<Vec<&str>> = output.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines[0], [&["id", "text", "note"][..], &ADDED].concat());
    assert_eq!(lines[1][..3], ["7", "hello there, \"you\"", ""]);
    assert_eq!(lines[1][3..], expected("hello there, \"you\""));
    assert_eq!(lines[2][..3], ["8", "", "empty"]);
    assert_eq!(lines[2][3..], expected(""));
    assert_eq!(lines.len(), 3);
}

/// A decision is a probability above the threshold: of the run, of the user, or for each task that of the held-out rows.
#[test]
fn decisions_follow_the_threshold() {
    let manifest = fs::read_to_string(run().join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let tuned = ["task_a", "task_b"].map(|task| manifest["tasks"][task]["tuned_threshold"].as_f64().unwrap());
    let words = fs::read_to_string(run().join("vocab.txt")).unwrap();
    let words: Vec<&str> = words.lines().skip(2).collect();
    let input = format!("text\n{}\n", words.chunks(3).map(|three| three.join(" ")).collect::<Vec<_>>().join("\n"));
    for (word, thresholds) in [("tuned", tuned), ("0.3", [0.3; 2]), ("1", [1.0; 2])] {
        let output = predict(&["--threshold", word], &input);
        for line in output.lines().skip(1) {
            let fields: Vec<f64> = line.split('\t').skip(1).map(|field| field.parse().unwrap()).collect();
            let decided =
                [fields[0] > thresholds[0], fields[2] > thresholds[1]].map(|is_true| f64::from(u8::from(is_true)));
            assert_eq!([fields[1], fields[3]], decided, "{word}: {line}");
        }
    }
    let (code, _, errors) = predict_with(run(), &["--threshold", "best"], b"");
    assert!(code == 2 && errors.contains("expected a number from 0 to 1, or `tuned`"), "{errors}");
}

#[test]
fn csv_keeps_quotes_and_line_breaks() {
    let output = predict(&["--input-format", "csv"], "text,id\r\n\"a, \"\"b\"\"\nc\",1\r\nd,2\r\n");
    let [first, second] = ["a, \"b\"\nc", "d"].map(|text| expected(text).join(","));
    assert_eq!(output, format!("text,id,{}\n\"a, \"\"b\"\"\nc\",1,{first}\nd,2,{second}\n", ADDED.join(",")));
}

#[test]
fn json_lines_keep_the_order_of_keys_and_values_of_any_kind() {
    let input = "{\"z\":[1,null],\"text\":\"hello\",\"a\":{\"b\":0.10}}\n\n{\"text\":\"\",\"later\":true}\n";
    let output = predict(&["--input-format", "jsonl"], input);
    let added = |text| {
        let pairs = ADDED.iter().zip(expected_in_json(text)).map(|(name, value)| format!("\"{name}\":{value}"));
        pairs.collect::<Vec<_>>().join(",")
    };
    let first = format!("{{\"z\":[1,null],\"text\":\"hello\",\"a\":{{\"b\":0.10}},{}}}\n", added("hello"));
    assert_eq!(output, format!("{first}{{\"text\":\"\",\"later\":true,{}}}\n", added("")));
}

#[test]
fn formats_convert() {
    let values = expected("a b");
    for (from, input) in
        [("tsv", "id\ttext\n1\ta b\n"), ("csv", "id,text\n1,a b\n"), ("jsonl", "{\"id\":\"1\",\"text\":\"a b\"}\n")]
    {
        for (to, row) in [
            ("tsv", format!("\n1\ta b\t{}\n", values.join("\t"))),
            ("csv", format!("\n1,a b,{}\n", values.join(","))),
            (
                "jsonl",
                format!("{{\"id\":\"1\",\"text\":\"a b\",\"task_a_probability\":{},", expected_in_json("a b")[0]),
            ),
        ] {
            let output = predict(&["-", "--input-format", from, "--format", to], input);
            assert!(output.contains(&row), "{from} to {to}: {output}");
        }
    }
}

#[test]
fn files_are_read_by_extension_and_gzip_by_content_also_on_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let content = "post,id\nflu shot,1\n";
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    packed.write_all(content.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let [plain, gzip] = ["a.csv", "b.csv.gz"].map(|name| directory.path().join(name).display().to_string());
    fs::write(&plain, content).unwrap();
    fs::write(&gzip, &packed).unwrap();
    let from_plain = predict(&[&plain, "--text-column", "post"], "");
    assert_eq!(from_plain.lines().nth(1).unwrap(), format!("flu shot,1,{}", expected("flu shot").join(",")));
    assert_eq!(predict(&[&gzip, "--text-column", "post"], ""), from_plain);
    let arguments = ["--text-column", "post", "--input-format", "csv"];
    assert_eq!(predict_with(run(), &arguments, &packed).1, from_plain);
}

/// Many texts of many lengths through the pipeline, on one thread and on three, against each text alone in the library.
#[test]
fn a_prediction_does_not_depend_on_the_rows_around_it_nor_on_threads() {
    let words: Vec<String> =
        fs::read_to_string(run().join("vocab.txt")).unwrap().lines().skip(2).map(str::to_owned).collect();
    let text = |i: usize| -> String {
        let pick = |t: usize| words[(i * 31 + t * 17 + t * t) % words.len()].as_str();
        (0..i * i % 60).map(pick).collect::<Vec<_>>().join(" ")
    };
    let texts: Vec<String> = (0..2_500).map(text).collect();
    let input = format!("text\n{}\n", texts.join("\n"));
    let output = predict(&["--threads", "1"], &input);
    assert_eq!(output, predict(&["--threads", "3"], &input));
    assert_eq!(output.lines().count(), 2_501);
    for (i, line) in output.lines().skip(1).enumerate().step_by(37) {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields[0], texts[i]);
        assert_eq!(fields[1..], expected(&texts[i]), "row {i}");
    }
}

#[test]
fn errors_name_the_line_and_the_rows_before_are_written() {
    let (errors, output) = failure(&[], "text\tid\na\t1\nb\t2\nc\nd\t4\n");
    assert_eq!(errors, "error: <stdin>:4: found 1 fields, expected 2\n");
    assert_eq!(output.lines().map(|line| &line[..1]).collect::<Vec<_>>(), ["t", "a", "b"]);

    let json = ["--input-format", "jsonl"];
    for (input, message) in [
        ("{\"text\":\"x\"}\n{\"txt\":\"x\"}\n", "error: <stdin>:2: no \"text\", expected a text\n"),
        ("{\"text\":\"x\"}\n{\"text\":null}\n", "error: <stdin>:2: \"text\" is null, expected a text\n"),
        ("{\"text\":\"x\"}\n{\"text\":3\n", "error: <stdin>:2: not JSON: "),
        (
            "{\"text\":\"x\"}\n{\"text\":\"y\",\"task_b_prediction\":1}\n",
            "error: <stdin>:2: there is a column \"task_b_prediction\" already",
        ),
    ] {
        let (errors, output) = failure(&json, input);
        assert!(errors.starts_with(message), "{errors}");
        assert_eq!(output.lines().count(), 1);
    }
    let (errors, _) =
        failure(&["--input-format", "jsonl", "--format", "csv"], "{\"text\":\"x\"}\n{\"text\":\"y\",\"new\":1}\n");
    let expected = "error: <stdin>:2: \"new\" is no key of the first row, so --format csv has no column for it\n";
    assert_eq!(errors, expected);
}

#[test]
fn columns_that_do_not_fit_are_refused_before_anything_is_written() {
    for (arguments, input, message) in [
        (
            &[][..],
            "id\tpost\n1\tx\n",
            "error: <stdin>: no column \"text\"; the columns are: id, post; say --text-column NAME\n",
        ),
        (
            &["--text-column", "txt"],
            "id\ttext\n1\tx\n",
            "error: <stdin>: no column \"txt\"; the columns are: id, text; did you mean \"text\"? say --text-column NAME\n",
        ),
        (
            &[],
            "text\ttask_a_probability\nx\t1\n",
            "error: <stdin>: there is a column \"task_a_probability\" already, where the prediction would be written; \
             rename or remove it\n",
        ),
        (
            &["--format", "jsonl"],
            "text\tid\tid\nx\t1\t2\n",
            "error: <stdin>: two columns are called \"id\", which --format jsonl cannot keep\n",
        ),
        (&[], "", "error: <stdin>: the file is empty\n"),
    ] {
        assert_eq!(failure(arguments, input), (message.to_owned(), String::new()));
    }
    let (errors, _) = failure(&["no-such.tsv"], "");
    assert!(errors.starts_with("error: no-such.tsv: No such file"), "{errors}");
    let (errors, _) = failure(&["posts.xlsx"], "");
    assert!(errors.starts_with("error: posts.xlsx: unknown file format"), "{errors}");
}

#[test]
fn a_header_alone_gives_a_header() {
    assert_eq!(predict(&[], "text\n"), format!("text\t{}\n", ADDED.join("\t")));
}

/// A row is answered while the input is still open, and the program ends when nobody reads on.
#[test]
fn rows_are_answered_as_they_come_and_a_closed_output_ends_quietly() {
    let program = assert_cmd::cargo::cargo_bin("mtlcore");
    let mut child = Command::new(program)
        .arg("predict")
        .arg(run())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    input.write_all(b"text\nhello\n").unwrap();
    assert!(output.next().unwrap().unwrap().starts_with("text\ttask_a_probability"));
    assert!(output.next().unwrap().unwrap().starts_with("hello\t"));
    drop(output);
    // The input stays open: the program must notice by its output alone.
    input.write_all(b"more\n").unwrap();
    let status = child.wait().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
}

/// The peak of resident memory after 100,000 rows is that after 10,000.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_depend_on_the_number_of_rows() {
    let peak = |rows: usize| -> u64 {
        let program = assert_cmd::cargo::cargo_bin("mtlcore");
        let mut child = Command::new(program)
            .args(["predict", "--threads", "1"])
            .arg(run())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let status = format!("/proc/{}/status", child.id());
        let note = "x".repeat(500);
        let writer = std::thread::spawn(move || {
            input.write_all(b"text\tnote\n").unwrap();
            for i in 0..rows {
                writeln!(input, "flu shot number {i}\t{note}").unwrap();
            }
            input // closed once the peak has been read
        });
        let mut lines = output.lines();
        assert_eq!(lines.by_ref().take(rows + 1).count(), rows + 1);
        let peak = fs::read_to_string(status).unwrap();
        let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        drop(writer.join().unwrap());
        assert!(child.wait().unwrap().success());
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    };
    let (few, many) = (peak(10_000), peak(100_000));
    // 90,000 further rows are 50 MB.
    assert!(many < few + 10_000, "{few} kB for 10,000 rows, {many} kB for 100,000");
}

/// A copy of the run with some files changed.
fn damaged(change: impl FnOnce(&Path)) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("run");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(run()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    change(&copy);
    (directory, copy)
}

fn edit_manifest(run: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    edit_json(&run.join("manifest.json"), change);
}

/// As a version without checksums left it.
fn forget_checksums(run: &Path) {
    edit_manifest(run, |manifest| drop(manifest.as_object_mut().unwrap().remove("checksums").unwrap()));
}

#[test]
fn a_run_that_is_none_or_damaged_is_refused() {
    let replace = |path: PathBuf, from: &str, to: &str| {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    let model = |run: &Path| run.join("model.safetensors");
    type Change<'c> = Box<dyn FnOnce(&Path) + 'c>;
    let cases: [(Change, &str); 8] = [
        (
            Box::new(|run| fs::remove_file(run.join("manifest.json")).unwrap()),
            "RUN: it is no run: it has no manifest.json",
        ),
        (
            Box::new(|run| replace(run.join("manifest.json"), "\"finished\": true", "\"finished\": false")),
            "RUN: its training is not finished; finish it with `mtlcore train --resume RUN`",
        ),
        (Box::new(|run| fs::write(run.join("manifest.json"), "{").unwrap()), "RUN/manifest.json:1: not a manifest: "),
        (
            Box::new(|run| fs::write(model(run), &fs::read(model(run)).unwrap()[..1000]).unwrap()),
            "RUN/model.safetensors: it is damaged or no safetensors file: ",
        ),
        (
            Box::new(|run| replace(run.join("config.toml"), "\nunits = 25", "\nunits = 24")),
            "RUN/model.safetensors: `shared.bilstm.forward.kernel` has shape [25, 100], expected [25, 96]",
        ),
        (
            Box::new(|run| replace(run.join("config.toml"), "\nshared = \"bilstm\"", "\nshared = \"conv\"")),
            "RUN/model.safetensors: `shared.conv.kernel` is missing",
        ),
        (
            Box::new(|run| {
                fs::OpenOptions::new().append(true).open(run.join("vocab.txt")).unwrap().write_all(b"new\n").unwrap()
            }),
            "RUN/model.safetensors: `embedding.weight` has ",
        ),
        (
            Box::new(|run| {
                let foreign = [1_f32; 6].map(f32::to_le_bytes).concat();
                let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![6], &foreign).unwrap();
                fs::write(model(run), safetensors::serialize([("embedding.weight", view)], None).unwrap()).unwrap();
            }),
            "RUN/model.safetensors: `embedding.weight` has shape [6], expected two axes",
        ),
    ];
    for (change, message) in cases {
        let (_directory, path) = damaged(|run| {
            forget_checksums(run);
            change(run);
        });
        let (code, output, errors) = predict_with(&path, &[], b"text\nx\n");
        assert_eq!((code, output.as_str()), (1, ""), "{errors}");
        let errors = errors.replace(&path.display().to_string(), "RUN");
        assert!(errors.starts_with(&format!("error: {message}")), "{errors}");
    }
    let (_, _, errors) = predict_with(Path::new("no-such-run"), &[], b"");
    assert_eq!(errors, "error: no-such-run: there is no such run: it has no manifest.json\n");
}

#[test]
fn a_run_without_tuned_thresholds_says_so() {
    let (_directory, path) = damaged(|run| {
        edit_manifest(run, |manifest| {
            drop(manifest["tasks"]["task_b"].as_object_mut().unwrap().remove("tuned_threshold").unwrap());
        });
    });
    let (code, output, errors) = predict_with(&path, &["--threshold", "tuned"], b"text\nx\n");
    let errors = errors.replace(&path.display().to_string(), "RUN");
    assert_eq!((code, output.as_str()), (1, ""));
    assert!(
        errors.starts_with("error: RUN: it has no tuned threshold for task `task_b`: no rows of it were held"),
        "{errors}"
    );
    assert_eq!(predict_with(&path, &["--threshold", "0.3"], b"text\nx\n").0, 0);
}

/// Numbers that are a little wrong look like numbers: only a checksum tells.
#[test]
fn files_that_are_not_as_they_were_written_are_refused() {
    let flip = |path: PathBuf| {
        let mut content = fs::read(&path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        fs::write(path, content).unwrap();
    };
    let swap = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(5, 6);
        fs::write(path, lines.join("\n") + "\n").unwrap();
    };
    for (file, change) in [
        ("model.safetensors", &flip as &dyn Fn(PathBuf)),
        ("vocab.txt", &swap),
        ("config.toml", &|path| fs::write(path, "threshold = 0.6").unwrap()),
    ] {
        let (_directory, path) = damaged(|run| change(run.join(file)));
        let (code, output, errors) = predict_with(&path, &[], b"text\nx\n");
        assert_eq!((code, output.as_str()), (1, ""));
        let expected =
            "it is damaged or was changed: its SHA-256 is not that in manifest.json; train again, or restore it";
        assert_eq!(errors, format!("error: {}: {expected}\n", path.join(file).display()));
    }
}

#[test]
fn a_run_without_checksums_is_read_with_a_word() {
    let (_directory, path) = damaged(forget_checksums);
    let (code, output, errors) = predict_with(&path, &[], b"text\nx\n");
    assert_eq!((code, output), (0, predict(&[], "text\nx\n")));
    let expected = "noted no checksums of this run, so damage to its files may go unseen\n";
    assert!(errors.starts_with("Note: ") && errors.ends_with(expected), "{errors}");
}

#[test]
fn a_manifest_that_cannot_be_is_refused() {
    let set = |pointer: &'static str, value: serde_json::Value| {
        move |run: &Path| edit_manifest(run, |manifest| *manifest.pointer_mut(pointer).unwrap() = value)
    };
    for (pointer, value, message) in [
        ("/tasks/task_a/train_positive", 65536.into(), "task `task_a` has 65536 true rows of 480 in `train`"),
        ("/tasks/task_a/train", 0.into(), "true rows of 0 in `train`"),
        ("/tasks/task_b/held_out", 1.into(), "true rows of 1 in `held_out`"),
        ("/tasks/task_b/tuned_threshold", 40.into(), "the tuned threshold of task `task_b` is no probability"),
        ("/epochs/chosen", 9.into(), "epoch 9 of 2 was chosen"),
        ("/tasks", serde_json::json!({}), "it has no task"),
        (
            "/tasks",
            serde_json::json!({"../a\nb": {"train": 1, "train_positive": 1, "held_out": 0, "held_out_positive": 0}}),
            "a task's name consists of letters, digits, `_` and `-`",
        ),
    ] {
        let (_directory, path) = damaged(set(pointer, value));
        let (code, output, errors) = predict_with(&path, &[], b"text\nx\n");
        assert_eq!((code, output.as_str()), (1, ""), "{errors}");
        assert!(errors.contains("manifest.json: it is damaged: ") && errors.contains(message), "{errors}");
    }
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let [input, output] = ["posts.tsv", "predicted.tsv"].map(|name| directory.path().join(name).display().to_string());
    let posts = "text\tid\na\t1\nb\t2\n";
    fs::write(&input, posts).unwrap();
    assert_eq!(predict(&[&input, "-o", &output], ""), "");
    assert_eq!(fs::read_to_string(&output).unwrap(), predict(&[&input], ""));

    fs::write(&input, format!("{posts}c\n")).unwrap();
    fs::write(&output, "of yesterday").unwrap();
    let (errors, _) = failure(&[&input, "--output", &output], "");
    assert_eq!(errors, format!("error: {input}:4: found 1 fields, expected 2\n"));
    assert_eq!(fs::read_to_string(&output).unwrap(), "of yesterday");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);

    // The name says in which format.
    let json = directory.path().join("predicted.jsonl").display().to_string();
    predict(&["-o", &json], posts);
    assert!(fs::read_to_string(&json).unwrap().starts_with("{\"text\":\"a\",\"id\":\"1\",\"task_a_probability\":"));
    // Its own input is as good a place as any.
    fs::write(&input, posts).unwrap();
    predict(&[&input, "-o", &input], "");
    assert_eq!(fs::read_to_string(&input).unwrap(), predict(&[], posts));
}

#[test]
fn a_text_in_the_place_of_a_file_is_told_where_to_go() {
    let (errors, _) = failure(&["my arm is sore"], "");
    let run = run().display();
    assert!(
        errors.starts_with(&format!("error: \"my arm is sore\" is no file; to see one text: mtlcore explain {run} "))
    );
}

#[test]
fn the_column_of_texts_is_that_of_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let rows: String = (0..40).map(|i| format!("{} post\t{}\n", ["fever", "sunny"][i % 2], i % 2)).collect();
    fs::write(path("flu.tsv"), format!("tweet\tflu\n{rows}")).unwrap();
    let config = format!("[[task]]\nname = 'flu'\nfile = '{}'\ntext = 'tweet'\n", path("flu.tsv"));
    fs::write(path("c.toml"), config).unwrap();
    let mut train = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    let small = ["--epochs", "1", "--units", "2", "--embedding-dim", "2", "--validation", "0"];
    train.args(["train", &path("c.toml"), "--out", &path("run")]).args(small).assert().success();
    let (code, output, errors) = predict_with(path("run").as_ref(), &[], b"tweet\tid\nfever\t1\n");
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.starts_with("tweet\tid\tflu_probability\tflu_prediction\nfever\t1\t"), "{output}");
}

/// Weights of ±10²⁰ are finite, and what the network makes of them is not.
#[test]
fn a_network_that_gives_no_number_is_an_error_with_line_and_task() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    let mut train = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    train.arg("train").args(["--shared", "conv", "--epochs", "1", "--out"]).arg(&run).assert().success();
    forget_checksums(&run);
    let path = run.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for (place, number) in bytes[header..].chunks_exact_mut(4).enumerate() {
        number.copy_from_slice(&[1e20_f32, -1e20][place % 2].to_le_bytes());
    }
    fs::write(path, bytes).unwrap();
    for threads in ["1", "2"] {
        let (code, output, errors) = predict_with(&run, &["--threads", threads], b"text\n\nfever and flu\n");
        let error = errors.lines().last().unwrap();
        let found = (code, output.lines().count(), error.contains("gives no number for task"));
        assert_eq!(found, (1, 1, true), "{output}{errors}");
        assert!(error.starts_with("error: <stdin>:"), "{errors}");
    }
    let output = assert_cmd::Command::cargo_bin("mtlcore").unwrap().arg("evaluate").arg(&run).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("gives no number for task"), "{errors}");
}
