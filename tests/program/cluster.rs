//! `mtlcore study` as many processes: one directory, shards, kills, stops, a scheduler's environment.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::common::{Output, Place, finished, output};

/// A study of 45 units, of which each takes a moment.
const SMALL: &str = "study --scale 0.02 --folds 3 --seeds 1 --epochs 2 --units 5 --shared conv --threads 1 --out";

/// One whose units take long enough to be stopped in.
const LONG: &str = "study --scale 0.02 --folds 3 --seeds 1 --epochs 3000 --units 5 --shared conv --threads 1 --out";

/// What a study is, to the byte, whoever did it.
const TABLES: [&str; 5] = ["results.json", "results.csv", "tables.tex", "report.md", "report.html"];

fn tables(place: &Place, out: &str) -> BTreeMap<&'static str, Vec<u8>> {
    TABLES.iter().map(|name| (*name, fs::read(place.path(out).join(name)).unwrap())).collect()
}

fn command(place: &Place, words: &str) -> Command {
    let mut command = place.command(words);
    for name in ["SLURM_ARRAY_TASK_ID", "SLURM_JOB_ID", "SLURM_CPUS_PER_TASK", "MTLCORE_LEASE"] {
        command.env_remove(name);
    }
    command
}

#[track_caller]
fn success(output: &Output) -> &Output {
    assert_eq!(output.code, Some(0), "{output:?}");
    output
}

fn run(place: &Place, words: &str) -> Output {
    finished(command(place, words))
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Files in `units/` whose names hold this.
/// Files of units with this ending: not those that a killed process was writing, which are swept after a lease.
fn units(place: &Place, out: &str, ending: &str) -> usize {
    let entries = fs::read_dir(place.path(out).join("units"));
    entries.map_or(0, |entries| {
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(ending)).count()
    })
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn shards_without_a_common_directory_are_merged_into_the_study() {
    let place = Place::new(&[]);
    success(&run(&place, &format!("{SMALL} whole")));
    let whole = units(&place, "whole", ".json");
    let mut counts = Vec::new();
    for i in 1..=3 {
        let output = run(&place, &format!("{SMALL} part{i} --shard {i}/3"));
        success(&output);
        counts.push(units(&place, &format!("part{i}"), ".json"));
        let said = format!("{} of {whole} units are finished; `mtlcore report part{i}` when all are\n", counts[i - 1]);
        assert!(output.stderr.ends_with(&said), "{output:?}");
    }
    assert_eq!(counts.iter().sum::<usize>(), whole);
    assert!(counts.iter().all(|count| count.abs_diff(whole / 3) <= 1), "{counts:?}");
    let incomplete = run(&place, "study merge part1 part2");
    let missing = format!("{} of {whole} units are missing", counts[2]);
    assert!(incomplete.code == Some(1) && incomplete.stderr.contains(&missing), "{incomplete:?}");
    success(&run(&place, "study merge part1 part2 part3"));
    assert!(tables(&place, "part1") == tables(&place, "whole"));
}

#[test]
fn units_one_by_one_are_the_study() {
    let place = Place::new(&[]);
    success(&run(&place, &format!("{SMALL} whole")));
    let plan = run(&place, &format!("{SMALL} s --plan --format tsv"));
    let rows: Vec<Vec<&str>> = success(&plan).stdout.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert!(plan.stdout.starts_with("unit\tcost\tfile\tfinished\n") && rows.len() == units(&place, "whole", ".json"));
    let costs: Vec<u64> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    assert!(costs.is_sorted_by(|a, b| a >= b) && !place.path("s").exists());
    for row in &rows {
        assert_eq!(row[3], "false");
        let output = run(&place, &format!("{SMALL} s --only {}", row[0]));
        assert!(success(&output).stdout.is_empty());
        assert!(place.path(row[2]).exists(), "{}", row[2]);
    }
    success(&run(&place, &format!("{SMALL} s")));
    assert!(tables(&place, "s") == tables(&place, "whole"));
    let unknown = run(&place, &format!("{SMALL} s --only simulated-1.conv.mtl.9.9.9"));
    let message =
        "error: `only`: the study has no unit \"simulated-1.conv.mtl.9.9.9\"; --plan --format tsv lists them\n";
    assert!(unknown.code == Some(1) && unknown.stderr.ends_with(message), "{unknown:?}");
}

/// Eight at once; two are killed and two stopped on the way. Within a short lease the others take over, and nobody waits for the dead.
#[test]
#[cfg(unix)]
fn killed_and_stopped_processes_delay_nothing_beyond_the_lease() {
    let place = Place::new(&[]);
    success(&run(&place, &format!("{SMALL} whole").replace("--epochs 2", "--epochs 40")));
    let start = || {
        let mut command = command(&place, &format!("{SMALL} s").replace("--epochs 2", "--epochs 40"));
        command.env("MTLCORE_LEASE", "2").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..8).map(|_| start()).collect();
    // More are seldom seen at once where the machine is busy: units are short.
    wait_until("claims", || units(&place, "s", ".claim") >= 2);
    let mut stopped = children.split_off(6);
    let mut killed = children.split_off(4);
    stopped.iter().for_each(|child| signal(child, "-STOP"));
    for child in &mut killed {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    for child in children {
        success(&output(child));
    }
    assert!(tables(&place, "s") == tables(&place, "whole"));
    for child in &mut stopped {
        signal(child, "-CONT");
        child.wait().unwrap();
    }
    assert!(tables(&place, "s") == tables(&place, "whole"), "those that come back change nothing");
    assert_eq!(units(&place, "s", ".claim"), 0);
    assert_eq!(units(&place, "s", ".json"), units(&place, "whole", ".json"));
}

/// Jobs whose time is over again and again, in the middle of units: what is begun goes on, and nothing is left of it.
#[test]
#[cfg(unix)]
fn units_go_on_where_a_signal_stopped_them() {
    let place = Place::new(&[]);
    let [whole, s] = ["whole", "s"].map(|out| format!("{SMALL} {out}").replace("--epochs 2", "--epochs 40"));
    success(&run(&place, &whole));
    let mut begun = 0;
    for job in 0.. {
        let child = command(&place, &s).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pause = Duration::from_millis(20 + 7 * (job % 10));
        wait_until("the study", || place.path("s/study.toml").exists());
        thread::sleep(pause);
        // It may have ended.
        let _ = Command::new("kill").args([["-TERM", "-USR1"][job as usize % 2], &child.id().to_string()]).output();
        let output = output(child);
        begun += usize::from(units(&place, "s", ".partial") > 0);
        match output.code {
            Some(0) => break,
            Some(130) => assert!(output.stderr.contains("begun ones go on where they were"), "{output:?}"),
            // The signal came before the program could hear it.
            None => {}
            _ => panic!("{output:?}"),
        }
    }
    assert!(begun > 0);
    assert!(tables(&place, "s") == tables(&place, "whole"));
    assert_eq!((units(&place, "s", ".partial"), units(&place, "s", ".claim")), (0, 0));
}

/// A process of another machine, of which nothing but its files is known, has the last unit.
#[test]
fn an_element_of_an_array_leaves_when_others_have_the_rest() {
    let place = Place::new(&[]);
    success(&run(&place, &format!("{SMALL} s")));
    let (whole, all) = (tables(&place, "s"), units(&place, "s", ".json"));
    let unit = fs::read_dir(place.path("s/units")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&unit).unwrap();
    fs::remove_file(place.path("s/results.json")).unwrap();
    let stranger = r#"{"host":"node04","pid":771,"started":5,"machine":"elsewhere","job":null}"#;
    fs::write(place.path("s/units/worker.far"), stranger).unwrap();
    fs::write(unit.with_extension("claim"), "worker.far").unwrap();
    let mut element = command(&place, &format!("{SMALL} s"));
    let element = finished({
        element.env("SLURM_ARRAY_TASK_ID", "3");
        element
    });
    let said =
        format!("{} of {all} units are finished; node04.771 works on 1; `mtlcore report s` when all are\n", all - 1);
    assert!(success(&element).stderr.ends_with(&said) && element.stdout.is_empty(), "{element:?}");
    assert_eq!(run(&place, "report s").code, Some(1));
    // Whoever waits takes it over when the stranger has not been heard of for a lease.
    let mut waiting = command(&place, &format!("{SMALL} s --wait"));
    let waiting = finished({
        waiting.env("SLURM_ARRAY_TASK_ID", "3").env("MTLCORE_LEASE", "1");
        waiting
    });
    success(&waiting);
    assert!(tables(&place, "s") == whole);
}

/// The first creator's settings win; who wants others while it works is told both.
#[test]
#[cfg(unix)]
fn other_settings_are_refused_while_somebody_works() {
    let place = Place::new(&[]);
    let mut first = command(&place, &format!("{LONG} s")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("a claim", || units(&place, "s", ".claim") > 0);
    let settings = fs::read(place.path("s/study.toml")).unwrap();
    let refused = run(&place, &format!("{LONG} s").replace("--shared conv", "--shared bilstm --controls pooled"));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for words in [
        &format!(".{} works on this study now, by other settings", first.id()),
        "`controls` is [] there and [\"pooled\"] here",
        "`shared` is [\"conv\"] there and [\"bilstm\"] here",
    ] {
        assert!(refused.stderr.contains(words), "{words}\n{}", refused.stderr);
    }
    assert!(fs::read(place.path("s/study.toml")).unwrap() == settings);
    first.kill().unwrap();
    first.wait().unwrap();
    // Alone, it is an extension.
    let begun = command(&place, &format!("{LONG} s").replace("--shared conv", "--shared conv,bilstm"))
        .stderr(Stdio::null())
        .spawn();
    let mut begun = begun.unwrap();
    wait_until("other settings", || fs::read(place.path("s/study.toml")).unwrap() != settings);
    begun.kill().unwrap();
    begun.wait().unwrap();
}

/// A job's environment: processors that were promised, a line a unit, and the log in the study's own directory.
#[test]
fn a_schedulers_job_keeps_to_its_processors_and_logs_its_units() {
    let place = Place::new(&[]);
    fs::create_dir(place.path("s")).unwrap();
    fs::write(place.path("s/slurm-12.out"), "").unwrap();
    fs::write(place.path("s/study.12_3.log"), "").unwrap();
    let mut job = command(&place, &format!("{SMALL} s").replace("--threads 1", ""));
    let job = finished({
        job.env("SLURM_CPUS_PER_TASK", "1").env("SLURM_JOB_ID", "12");
        job
    });
    success(&job);
    let manifest: Value = serde_json::from_slice(&fs::read(place.path("s/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["threads"], 1);
    let all = units(&place, "s", ".json");
    let lines: Vec<&str> = job.stderr.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(lines.len(), all, "{}", job.stderr);
    let line = regex::Regex::new(r"^\[[\w-]+\.\d+\] 1/\d+ simulated-\d\S+ \d+\.\d s; .+ left$").unwrap();
    assert!(line.is_match(lines[0]), "{}", lines[0]);
    assert!(lines[all - 1].contains(&format!("] {all}/{all} ")), "{}", lines[all - 1]);
    // Drawn again, the page is the same; and who reports writes what nobody has.
    let drawn = tables(&place, "s");
    success(&run(&place, &format!("{SMALL} s")));
    assert!(tables(&place, "s") == drawn);
    fs::remove_file(place.path("s/results.json")).unwrap();
    success(&run(&place, "report s"));
    assert!(tables(&place, "s") == drawn);
}

#[test]
fn the_batch_script_is_one_and_runs_the_same_study() {
    let place = Place::new(&[]);
    let script = run(&place, "study --slurm --scale 0.02 --out s");
    assert!(success(&script).stdout.starts_with("#!/bin/bash\n") && !place.path("s").exists());
    assert!(script.stdout.ends_with("\nexec mtlcore study --scale 0.02 --out s\n"), "{}", script.stdout);
    assert!(script.stdout.contains("--wrap 'mtlcore report s'"), "{}", script.stdout);
    fs::write(place.path("study.sbatch"), &script.stdout).unwrap();
    let checked = Command::new("bash").arg("-n").arg(place.path("study.sbatch")).status();
    assert!(checked.map_or(true, |status| status.success()), "where there is a bash, it reads the script");
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let place = Place::new(&[]);
    for shard in ["0/4", "5/4", "1", "x/y"] {
        let output = run(&place, &format!("{SMALL} s --shard {shard}"));
        assert!(output.code == Some(2) && output.stderr.contains("from 1/4 to 4/4"), "{output:?}");
    }
    success(&run(&place, &format!("{SMALL} a --shard 1/30")));
    for (more, message) in [
        ("--shared bilstm", "`shared` is [\"bilstm\"] there and [\"conv\"] here"),
        ("--seed 2", "`seed` is 2 there and 1 here"),
    ] {
        let _ = fs::remove_dir_all(place.path("b"));
        let words = format!("{SMALL} b --shard 1/30 {more}");
        let words = if more.starts_with("--shared") { words.replacen("--shared conv", "", 1) } else { words };
        success(&run(&place, &words));
        let refused = run(&place, "study merge a b");
        assert_eq!(refused.code, Some(1));
        let start = "error: b/study.toml: a study of other settings than a: ";
        assert!(
            refused.stderr.lines().last().unwrap().starts_with(start) && refused.stderr.contains(message),
            "{refused:?}"
        );
    }
    fs::create_dir(place.path("empty")).unwrap();
    let refused = run(&place, "study merge a empty");
    assert!(refused.stderr.ends_with("error: empty: it is no study: it has no study.toml\n"), "{refused:?}");
    assert_eq!(run(&place, "study merge a").code, Some(2));
    let refused = run(&place, "study --format tsv --out c");
    assert!(refused.stderr.contains("add --plan") && !place.path("c").exists(), "{refused:?}");
}
