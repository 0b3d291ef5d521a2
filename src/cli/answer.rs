//! What a study answers, in sentences: the same on the terminal, on the page and in Markdown.

use mtlcore::mtl::{
    evaluation::{
        interval::{Measure, NothingLearnt, Verdict},
        statistics::Pooled,
    },
    study::results::{Claims, Difference, Narrowing, NotLearnt, PairResult, Results, TaskAnswer, TaskFacts},
};

use crate::{
    output::count,
    page::{
        numbers::{decimals, signed},
        words::{self, said},
    },
};

/// The answer for one task: what to do first, then what it rests on.
pub fn sentences(results: &Results, pair: &PairResult, answer: &TaskAnswer) -> Vec<String> {
    let facts =
        pair.tasks.iter().find(|facts| facts.name == answer.task).expect("an answer is about a task of the pair");
    let mut said = vec![what_to_do(results, answer)];
    said.extend(operating_point(results, pair, answer));
    said.extend(against_n_grams(results, answer));
    said.extend(not_converged(results, answer));
    said.push(rests_on(results, answer, facts));
    said.extend(answer.narrowing.as_ref().and_then(|narrowing| narrowing_sentence(answer, narrowing)));
    said
}

/// One sentence to act on.
pub fn what_to_do(results: &Results, answer: &TaskAnswer) -> String {
    let rope = decimals(results.rope, 1);
    let measure = measure(answer.measure);
    let (together, alone) = (layer(answer.shared_together.word()), alone_word(answer));
    let [score_together, score_alone] = [answer.together, answer.alone].map(percent);
    let interval = interval(answer.difference, answer.low, answer.high);
    match answer.verdict {
        Verdict::Helps => format!(
            "learn it together with the others, with {together}: {measure} {score_together}, where {alone} has {score_alone} ({interval})."
        ),
        Verdict::Hurts => format!(
            "learn it alone: {alone} has {measure} {score_alone}, learning together with {together} only {score_together} ({interval})."
        ),
        Verdict::Equivalent => format!(
            "it makes no difference: together with {together} {measure} {score_together}, {alone} {score_alone} \
             ({interval}, within ±{rope}), so one model may serve all tasks."
        ),
        Verdict::DoesNotHurt => format!(
            "one model may serve all tasks: learning together with {together} costs no more than {rope} \
             ({measure} {score_together}, {alone} {score_alone}; {interval}). Whether it gains more is open."
        ),
        Verdict::DoesNotHelp => format!(
            "learn it alone: learning together with {together} gains no more than {rope} \
             ({measure} {score_together}, {alone} {score_alone}; {interval}). Whether it costs more is open."
        ),
        Verdict::Undecided => format!(
            "these data do not tell: together with {together} {measure} {score_together}, {alone} {score_alone} ({interval})."
        ),
        Verdict::NotLearnt => not_learnt(answer.not_learnt.as_ref()),
    }
}

/// What can be said of all comparisons together.
pub fn claims(claims: &Claims) -> String {
    let Claims { comparisons, helps, hurts, pooled } = *claims;
    if comparisons == 0 {
        return "Nothing was learnt in any comparison, so nothing can be claimed.".into();
    }
    let all = match comparisons {
        1 => "In the one comparison".to_owned(),
        all => format!("Over all {all} comparisons, allowing for their number (Holm)"),
    };
    let of = |number: usize, verb: &str| match number {
        0 => format!("{verb} in none"),
        number if number == comparisons => format!("{verb} in every one"),
        number => format!("{verb} in {number}"),
    };
    let summary = pooled.map_or(String::new(), |Pooled { mean, sd }| {
        let differing = match sd {
            0.0 => "their intervals explain all that they differ by".to_owned(),
            sd => format!("beyond their intervals they differ by an SD of {}", decimals(sd, 1)),
        };
        format!(" On average it changes the measure by {} points; {differing}.", signed(mean, 1))
    });
    format!("{all}, learning together {} and {}.{summary}", of(helps, "helps"), of(hurts, "hurts"))
}

/// Why there is no verdict.
fn not_learnt(found: Option<&NotLearnt>) -> String {
    let how = |how: NothingLearnt| match how {
        NothingLearnt::OneClass => "it predicts one class",
        NothingLearnt::NoBetterThanAlwaysTrue => "it does no better than always true",
        NothingLearnt::RanksByChance => "it ranks no better than chance",
    };
    let remedy = "train longer, or with more texts";
    match found.map(|found| (found.alone, found.together)) {
        Some((Some(alone), None)) => {
            format!(
                "learning together has learnt it, learning alone has not ({} in most trainings): {remedy}.",
                how(alone)
            )
        }
        Some((None, Some(together))) => {
            format!(
                "learning alone has learnt it, learning together has not ({} in most trainings): {remedy}.",
                how(together)
            )
        }
        Some((Some(alone), Some(_))) => format!("not learnt either way ({} in most trainings): {remedy}.", how(alone)),
        _ => format!("not learnt: {remedy}."),
    }
}

/// Where F at the fixed threshold says something else than the measure: the operating point has moved.
fn operating_point(results: &Results, pair: &PairResult, answer: &TaskAnswer) -> Option<String> {
    let task = pair.layers.iter().filter(|layer| layer.shared == answer.shared_together);
    let task = task.flat_map(|layer| &layer.tasks).find(|task| task.task == answer.task)?;
    if answer.verdict == Verdict::NotLearnt || answer.measure == Measure::F1 {
        return None;
    }
    let (fixed, measured) = (task.measures.get(Measure::F1.word())?, task.measures.get(answer.measure.word())?);
    let leans = |verdict: Verdict| match verdict {
        Verdict::Helps => 1,
        Verdict::Hurts => -1,
        _ => 0,
    };
    if leans(fixed.verdict) == leans(measured.verdict) || leans(fixed.verdict) == 0 {
        return None;
    }
    let Difference { difference: points, low, high } = fixed.difference;
    Some(format!(
        "At the threshold {} F differs by {} with {}: that is a shift of the operating point, which tuning the threshold undoes.",
        decimals(results.threshold, 2),
        interval(points, low, high),
        layer(answer.shared_together.word()),
    ))
}

fn against_n_grams(results: &Results, answer: &TaskAnswer) -> Option<String> {
    let Difference { difference: points, low, high } = answer.over_ngrams?;
    let ngrams = percent(answer.ngrams);
    let interval = interval(-points, -high, -low);
    Some(if high < -results.rope {
        format!("But n-grams do better: {ngrams} ({interval}); take them.")
    } else if low > results.rope {
        format!("N-grams do worse: {ngrams} ({interval}).")
    } else if low >= -results.rope {
        format!("N-grams do no better: {ngrams} ({interval}).")
    } else if high <= results.rope {
        format!("N-grams do as well: {ngrams} ({interval}).")
    } else {
        format!("N-grams may do as well: {ngrams} ({interval}).")
    })
}

fn not_converged(results: &Results, answer: &TaskAnswer) -> Option<String> {
    let improving = answer.still_improving.filter(|improving| improving.is_notable())?;
    Some(format!(
        "Not converged: at epoch {} {} % of the trainings alone and {} % of those together were still improving; allow more --epochs.",
        results.epochs,
        decimals(100.0 * improving.alone, 0),
        decimals(100.0 * improving.together, 0)
    ))
}

fn rests_on(results: &Results, answer: &TaskAnswer, facts: &TaskFacts) -> String {
    let repeats = if results.repeats == 1 { String::new() } else { format!(" × {} repeats", results.repeats) };
    let trainings = if answer.seeds == 1 { "1 training".into() } else { format!("{} trainings", answer.seeds) };
    format!(
        "It rests on {} texts ({} true), {} folds{repeats} × {trainings}.",
        count(facts.rows),
        count(facts.positives),
        results.folds
    )
}

/// How many times as many texts somebody may want to label. An estimate that needs more lies at the edge of the region.
const WITHIN_REACH: f64 = 20.0;

/// What would narrow the interval; said where a question is open.
fn narrowing_sentence(answer: &TaskAnswer, narrowing: &Narrowing) -> Option<String> {
    if !answer.verdict.is_open() {
        return None;
    }
    let points = |half_width: f64| format!("±{}", decimals(half_width, 1));
    let now = points(narrowing.half_width);
    Some(match (narrowing.seeds_to_decide, narrowing.texts_to_decide) {
        (Some(seeds), _) if seeds > answer.seeds => format!(
            "The interval is {now}; {seeds} trainings a fold would narrow it enough if the estimate stays (--seeds {seeds}, or --until-decided)."
        ),
        (_, Some(times)) if times <= WITHIN_REACH => format!(
            "The interval is {now}, and the texts limit it: any number of trainings leaves {}. About {} times as many labelled texts{} would decide.",
            points(narrowing.any_seeds),
            decimals(times.max(1.1), if times < 9.95 { 1 } else { 0 }),
            match narrowing.seeds_with_them.filter(|&seeds| seeds > answer.seeds) {
                Some(seeds) => format!(" with {seeds} trainings a fold"),
                None => String::new(),
            }
        ),
        _ => format!(
            "The interval is {now}; any number of trainings leaves {}, twice the labelled texts {}. The difference is so near the \
             edge of the region that no design decides it soon.",
            points(narrowing.any_seeds),
            points(narrowing.twice_the_texts)
        ),
    })
}

/// Which arm is meant by learning alone.
fn alone_word(answer: &TaskAnswer) -> String {
    let steps = if answer.alone_is_matched { " and as many steps" } else { "" };
    format!("alone with {}{steps}", layer(answer.shared_alone.word()))
}

fn layer(word: &str) -> String {
    match said(words::LAYERS, word) {
        "BiLSTM" => "a BiLSTM".into(),
        "convolution" => "a convolution".into(),
        both => both.into(),
    }
}

/// What the measure is called inside a sentence.
pub fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::F1Tuned | Measure::F1 => "F",
        Measure::AveragePrecision => "average precision",
        Measure::Auroc => "AUROC",
        Measure::Accuracy => "accuracy",
    }
}

/// `+1.3, from −0.2 to +2.8`
fn interval(points: f64, low: f64, high: f64) -> String {
    let [points, low, high] = [points, low, high].map(|points| signed(points, 1));
    format!("{points}, 95 % {low} to {high}")
}

fn percent(share: f64) -> String {
    decimals(100.0 * share, 1)
}
