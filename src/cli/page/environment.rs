//! The templates' environment: number formats, words and escaping.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};
use mtlcore::{mtl::evaluation::interval::Measure, printable::printable};

use super::{
    escape, numbers,
    words::{self, Words, said},
};

/// The names of our own ways of escaping.
const MARKDOWN: &str = "markdown";
const LATEX: &str = "latex";

/// An environment with what all pages share. Text from outside is escaped as the ending of the template's name asks for; a name that
/// does not exist is an error.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    // A line that holds nothing but a block leaves no trace.
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build().expect("the usual delimiters"));
    environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
        Some("html") => AutoEscape::Html,
        Some("md") => AutoEscape::Custom(MARKDOWN.into()),
        _ => AutoEscape::Custom(LATEX.into()),
    });
    environment.set_formatter(|output, state, value| {
        let escape = match state.auto_escape() {
            _ if value.is_safe() => str::to_owned,
            AutoEscape::Custom(format) if format == MARKDOWN => escape::markdown,
            AutoEscape::Custom(_) => escape::latex,
            _ => escape::html,
        };
        Ok(output.write_str(&escape(&value.to_string()))?)
    });
    add_filters(&mut environment);

    let style = include_str!("templates/style.css");
    environment.add_global("style", Value::from_safe_string(style.into()));
    for (name, template) in
        [("page.html", include_str!("templates/page.html")), ("macros.html", include_str!("templates/macros.html"))]
    {
        environment.add_template(name, template).expect("the templates are valid");
    }
    environment
}

fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("percent", numbers::percent);
    environment.add_filter("rounded_percent", numbers::rounded_percent);
    environment.add_filter("difference", numbers::difference);
    environment.add_filter("probability", numbers::probability);
    environment.add_filter("score", numbers::score);
    environment.add_filter("points", numbers::points);
    environment.add_filter("decimals", numbers::decimals);
    environment.add_filter("signed", numbers::signed);
    environment.add_filter("metric", numbers::metric);
    environment.add_filter("plain", numbers::plain);
    environment.add_filter("scientific", numbers::scientific);
    let words: [(&'static str, Words); 10] = [
        ("layer_name", words::LAYERS),
        ("layer_letter", words::LAYERS_SHORT),
        ("verdict_name", words::VERDICTS),
        ("mark", words::MARKS),
        ("baseline_name", words::BASELINES),
        ("control_name", words::CONTROLS),
        ("control_meaning", words::CONTROL_MEANINGS),
        ("metric_name", words::METRICS),
        ("feature_name", words::FEATURES),
        ("kind_name", words::ERROR_KINDS),
    ];
    for (name, words) in words {
        environment.add_filter(name, move |word: &str| said(words, word).to_owned());
    }
    environment.add_filter("measure_name", |word: &str| {
        let measure = Measure::ALL.iter().find(|measure| measure.word() == word);
        measure.map_or(word, |measure| measure.name()).to_owned()
    });
    environment.add_filter("latex_mark", |word: &str| Value::from_safe_string(said(words::MARKS_LATEX, word).into()));
    // Four spaces before each line make it code in Markdown, whatever it holds.
    environment.add_filter("as_code", |text: &str| {
        let lines: Vec<String> = text.lines().map(|line| format!("    {}", printable(line))).collect();
        Value::from_safe_string(lines.join("\n"))
    });
}
