//! What shells and people ask of the command line itself.

use crate::common::Place;

#[test]
fn completions_know_commands_and_words() {
    let place = Place::new(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = place.run(&format!("completions {shell}"));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        for word in ["evaluate", "bilstm-conv", "patience"] {
            assert!(output.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(place.run("completions dos").code, Some(2));
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::new(&[]);
    assert_eq!(place.run("man pages").code, Some(0));
    let pages = place.files("pages");
    for name in ["mtlcore.1", "mtlcore-train.1", "mtlcore-data-check.1"] {
        let page = String::from_utf8_lossy(&pages[name]);
        assert!(page.contains(".TH ") && page.contains("Examples:"), "{name}");
    }
    assert!(pages.keys().all(|name| !name.contains("help") && !name.contains("writing")), "{:?}", pages.keys());
}

/// `-h` is for a first look; `--help` has everything.
#[test]
fn short_help_is_short() {
    let place = Place::new(&[]);
    let lines = |words: &str| {
        let output = place.run(words);
        assert_eq!(output.code, Some(0), "{output:?}");
        output.stdout.lines().count()
    };
    for (command, most) in [("train", 80), ("study", 115), ("data check", 45)] {
        let (short, long) = (lines(&format!("{command} -h")), lines(&format!("{command} --help")));
        assert!(short <= most && short < long, "{command}: {short} and {long} lines");
    }
    let help = place.run("data check --help").stdout;
    assert!(!help.contains("--beta1") && help.contains("--tokenizer"), "{help}");
    assert!(place.run("train --help").stdout.contains("--beta1"));
}

#[test]
fn out_has_a_short_form() {
    let place = Place::new(&[]);
    let small = "--epochs 1 --units 2 -q";
    assert_eq!(place.run(&format!("train {small} -o mine")).code, Some(0));
    assert_eq!(place.run("explain mine sore -o sore.html").code, Some(0));
    assert!(place.path("mine/manifest.json").exists() && place.path("sore.html").exists());
}
