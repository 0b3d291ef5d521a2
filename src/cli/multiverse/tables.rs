//! A multiverse on the terminal: how many universes say what, which choices decide, what flips the sign.

use mtlcore::mtl::multiverse::{Choice, Counts, Flip, Gain, Multiverse, Share, TaskMultiverse};

use crate::{
    output::{self, Column},
    page::numbers::{plain, probability, rounded_percent, signed},
};

const WIDTH: usize = 100;
/// Flips that are listed.
const FLIPS: usize = 5;

/// Everything for people.
pub fn all(found: &Multiverse) -> String {
    let mut text = String::new();
    for task in &found.tasks {
        text += &wrapped(&sentence(found, task));
        text += &format!("\n{}\n", table(found, task));
        text += &wrapped(&flips(found, task));
        text.push('\n');
    }
    text + &wrapped(&format!(
        "Gain: together less alone, in points, over {} folds × {} of every universe; ±{} counts as no difference. Share: of the variance \
         of the gains over universes, what the means of a choice's levels explain; by chance: where levels are permuted ({} times). A \
         threshold, too, is a choice: it decides at which threshold F is taken.",
        found.folds,
        match found.seeds {
            1 => "1 training".to_owned(),
            seeds => format!("{seeds} trainings"),
        },
        plain(found.rope),
        found.draws
    ))
}

/// How many universes help, and how many hurt.
pub fn sentence(found: &Multiverse, task: &TaskMultiverse) -> String {
    let Counts { helps, hurts, equivalent, open } = task.counts;
    let all = task.universes.len();
    let gains = || task.universes.iter().map(|universe| universe.gain.difference);
    let positive = gains().filter(|gain| *gain > 0.0).count();
    let middle = (gains().nth((all - 1) / 2).unwrap_or(0.0) + gains().nth(all / 2).unwrap_or(0.0)) / 2.0;
    format!(
        "{}: of {all} universes {helps} help, {hurts} hurt, {equivalent} are equivalent and {open} cannot tell; {positive} have a gain above \
         0. The gains reach from {} to {} points, {} in the middle; the starting point has {}. {} of their variance is the error of single \
         universes{}.",
        task.task,
        signed(gains().next().unwrap_or(0.0), 1),
        signed(gains().next_back().unwrap_or(0.0), 1),
        signed(middle, 1),
        with_interval(&task.start),
        rounded_percent(task.noise),
        if found.seeds == 1 { ", each of which was trained once a fold" } else { "" }
    )
}

pub fn with_interval(gain: &Gain) -> String {
    format!("{} ({} to {})", signed(gain.difference, 1), signed(gain.low, 1), signed(gain.high, 1))
}

fn table(found: &Multiverse, task: &TaskMultiverse) -> String {
    let columns = [
        Column::Text("choice"),
        Column::Number("share"),
        Column::Number("by chance"),
        Column::Number("p"),
        Column::Text("mean gain of each level"),
    ];
    let row = |share: &Share| {
        vec![
            share.choice.clone(),
            rounded_percent(share.share),
            rounded_percent(share.by_chance),
            probability(share.p),
            levels(found, share),
        ]
    };
    output::table(&columns, task.shares.iter().map(row))
}

/// The levels of a choice with their mean gains; the starting point's is marked.
pub fn levels(found: &Multiverse, share: &Share) -> String {
    let choice = choice(found, share);
    let level = |(place, level): (usize, &mtlcore::mtl::multiverse::Level)| {
        let mean = share.means.get(place).copied().flatten();
        let mark = if place == choice.start { "*" } else { "" };
        format!("{}{mark} {}", level.label, mean.map_or("–".into(), |mean| signed(mean, 1)))
    };
    choice.levels.iter().enumerate().map(level).collect::<Vec<_>>().join(", ")
}

fn choice<'m>(found: &'m Multiverse, share: &Share) -> &'m Choice {
    found.choices.iter().find(|choice| choice.name == share.choice).expect("shares are of the choices")
}

/// The smallest changes of the starting point that flip the sign.
pub fn flips(found: &Multiverse, task: &TaskMultiverse) -> String {
    let [singles, pairs] = task.tried;
    let tried = match pairs {
        0 => format!("{singles} single swaps"),
        _ => format!("{singles} single swaps and {pairs} of two choices"),
    };
    if task.flips.is_empty() {
        return format!("No swap of the starting point flips the sign of the gain ({tried} were tried).");
    }
    let listed: Vec<String> = task.flips.iter().take(FLIPS).map(|flip| said(found, flip)).collect();
    let rest = match task.flips.len().saturating_sub(FLIPS) {
        0 => String::new(),
        rest => format!("; and {rest} more"),
    };
    let clear = task.flips.iter().filter(|flip| flip.is_clear).count();
    let clear = match clear {
        0 => "In none of them do both intervals leave 0 out.".to_owned(),
        clear => format!("In {clear} both intervals leave 0 out."),
    };
    format!("The sign flips with {} ({tried} were tried){rest}. {clear}", listed.join("; "))
}

/// A flip, with its gain.
pub fn said(found: &Multiverse, flip: &Flip) -> String {
    let swap = |&(choice, level): &(usize, usize)| {
        let choice = &found.choices[choice];
        format!("{}: {} → {}", choice.name, choice.levels[choice.start].label, choice.levels[level].label)
    };
    let swaps: Vec<String> = flip.swaps.iter().map(swap).collect();
    format!("{}, {}", swaps.join(" and "), with_interval(&flip.gain))
}

fn wrapped(text: &str) -> String {
    textwrap::fill(text, WIDTH) + "\n"
}
