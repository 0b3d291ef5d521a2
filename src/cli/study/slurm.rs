//! `mtlcore study --slurm`: a batch script that runs the same study as a job array.

use anyhow::Result;
use mtlcore::mtl::study::StudySettings;

use crate::output;

pub fn print(settings: &StudySettings) -> Result<()> {
    let words = std::env::args().skip(1).filter(|word| word != "--slurm");
    let command = words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ");
    output::print(&script(&command, &quoted(&settings.base.out.display().to_string())))
}

fn script(command: &str, out: &str) -> String {
    format!(
        "\
#!/bin/bash
# A study as a job array: its elements share the units of one directory, and any number of them may come, go or be killed.
# Change what follows to your cluster; then submit it with the job that reports when all elements have ended:
#   J=$(sbatch --parsable study.sbatch) && sbatch --dependency=afterany:$J --wrap {wrap}
# Submitted again, it goes on where it was stopped.
#SBATCH --job-name=mtlcore-study
#SBATCH --array=0-9
# Units worked on at a time by each element; a unit takes one processor.
#SBATCH --cpus-per-task=8
# A unit that is longer than this goes on in the next job.
#SBATCH --time=04:00:00
# An element that is preempted comes back, and its log goes on.
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x.%A_%a.log
# Two minutes before the end, to save what is begun.
#SBATCH --signal=TERM@120

# By exec or srun, so that the signal reaches mtlcore and not the shell. The directory is to be one that all nodes see.
exec mtlcore {command}
",
        wrap = quoted(&format!("mtlcore report {out}")),
    )
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        let words = ["study", "a b", "it's", "", "$HOME", "a=b.tsv:c"];
        assert_eq!(words.map(quoted), ["study", "'a b'", "'it'\\''s'", "''", "'$HOME'", "a=b.tsv:c"]);
    }
}
