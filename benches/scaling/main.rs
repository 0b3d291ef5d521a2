//! How the time of an epoch grows: `cargo bench --bench scaling` measures it on one thread and writes the table and the plot of
//! `docs/performance.md`.

mod plot;
mod work;

use std::{fmt::Write, fs, path::Path};

use work::{Embedding, Work};

/// The paper's sizes, where a series does not say otherwise; few texts, since only growth counts.
const USUAL: Work = Work {
    shared: work::B,
    texts: 2_000,
    length: 16,
    vocabulary: 20_000,
    tasks: 2,
    units: 25,
    embedding: Embedding::Frozen,
};

/// One line of the plot: what grows, and how long an epoch then takes.
pub struct Series {
    name: &'static str,
    /// (size, seconds of an epoch)
    points: Vec<(usize, f64)>,
}

/// The lines that share an axis.
pub struct Axis {
    name: &'static str,
    series: Vec<Series>,
}

fn measure(name: &'static str, sizes: &[usize], of: impl Fn(usize) -> Work) -> Series {
    let points = sizes.iter().map(|&size| {
        let seconds = of(size).seconds_of_an_epoch();
        eprintln!("{name} {size}: {seconds:.3} s");
        (size, seconds)
    });
    Series { name, points: points.collect() }
}

fn by_layer(name: &'static str, sizes: &[usize], of: impl Fn(usize) -> Work) -> Axis {
    let layers = [("B", work::B), ("C", work::C), ("B+C", work::B_C)];
    let series = layers.map(|(layer, shared)| measure(layer, sizes, |size| Work { shared, ..of(size) }));
    Axis { name, series: series.into() }
}

fn axes() -> Vec<Axis> {
    let vocabulary = |embedding| move |vocabulary| Work { vocabulary, embedding, ..USUAL };
    let sizes = [1_000, 10_000, 100_000, 1_000_000];
    vec![
        by_layer("texts", &sizes, |texts| Work { texts, ..USUAL }),
        by_layer("tokens a text", &[8, 32, 128, 512], |length| Work { length, ..USUAL }),
        Axis {
            name: "words in the vocabulary (B)",
            series: vec![
                measure("frozen", &sizes, vocabulary(Embedding::Frozen)),
                measure("fine-tuned, lazy", &sizes, vocabulary(Embedding::Lazy)),
                measure("fine-tuned, dense", &sizes, vocabulary(Embedding::Dense)),
            ],
        },
        by_layer("tasks", &[1, 2, 4, 8, 16], |tasks| Work { tasks, ..USUAL }),
        by_layer("units a direction, and filters", &[25, 64, 128, 256, 512], |units| Work { units, ..USUAL }),
    ]
}

/// The growth between the smallest and the largest size: 1 where time grows as size does, 0 where it does not grow.
fn exponent(series: &Series) -> f64 {
    let ((from, start), (to, end)) = (series.points[0], series.points[series.points.len() - 1]);
    (end / start).ln() / (to as f64 / from as f64).ln()
}

fn table(axis: &Axis) -> String {
    let mut text = format!("| {} |", axis.name);
    for (size, _) in &axis.series[0].points {
        write!(text, " {size} |").expect("a string takes all");
    }
    text += " grows with the power |\n|---|";
    text += &"---|".repeat(axis.series[0].points.len() + 1);
    for series in &axis.series {
        write!(text, "\n| {} |", series.name).expect("a string takes all");
        for (_, seconds) in &series.points {
            write!(text, " {seconds:.3} |").expect("a string takes all");
        }
        write!(text, " {:.2} |", exponent(series)).expect("a string takes all");
    }
    text + "\n"
}

/// What stands between the two marks of the page is replaced.
const MARKS: [&str; 2] = ["<!-- scaling: begin -->\n", "<!-- scaling: end -->\n"];

const PICTURE: &str = "\n![Seconds of an epoch against each size, both axes logarithmic](scaling.svg)\n";

fn main() {
    let axes = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread").install(axes);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    plot::write(&docs.join("scaling.svg"), &axes).expect("the plot can be written");
    let page = docs.join("performance.md");
    let text = fs::read_to_string(&page).expect("the page can be read");
    let (before, rest) = text.split_once(MARKS[0]).expect("the page has the first mark");
    let (_, after) = rest.split_once(MARKS[1]).expect("the page has the second mark");
    let tables = axes.iter().map(table).collect::<Vec<_>>().join("\n");
    fs::write(&page, [before, MARKS[0], &tables, PICTURE, MARKS[1], after].concat()).expect("the page can be written");
    println!("{tables}\nwritten: docs/performance.md, docs/scaling.svg");
}
