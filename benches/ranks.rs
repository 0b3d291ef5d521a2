//! What a step of many ranks would take: `cargo bench --bench ranks` measures the steps of one process on one thread, and writes the
//! table and the plot of `docs/cluster.md`.
//!
//! With a batch of b rows in S shards on P ranks, d numbers to train, and networks by their latency α and their time β for a number,
//!
//! > t(P) = (b/P)·c + (S/P)·s + A + log₂P·(2α + d·β).
//!
//! What is drawn has as many shards as ranks, and is compared with one process and one shard.
//!
//! A row costs c, a shard s and a step A, all measured here. Each doubling swaps two messages, losses and gradients, with a partner; both
//! directions at once.

use std::{error::Error, fmt::Write, fs, path::Path, time::Instant};

use mtlcore::mtl::{
    data::{Dataset, Simulation},
    model::EmbeddingInit,
    prepare,
    settings::{Preset, Settings},
    training::{Event, Flow, Trainer},
};
use mtlcore::tensor::Tensor;
use plotters::prelude::*;

/// Numbers of a word's vector.
const DIM: usize = 200;

/// Latency and time of a number, in seconds. Of the order of what vendors and users state.
const NETWORKS: [(&str, f64, f64); 3] =
    [("InfiniBand", 2e-6, 0.4e-9), ("25 GbE", 15e-6, 1.4e-9), ("10 GbE", 30e-6, 3.6e-9)];

/// Rows and shards of the batches whose steps are measured.
const MEASURED: [(usize, usize); 6] = [(32, 1), (32, 4), (128, 1), (128, 8), (256, 1), (256, 32)];

/// The fewest rows of a shard that are drawn: fewer cost more a row.
const ROWS_OF_A_SHARD: usize = 8;
const BATCHES: [usize; 4] = [128, 512, 2048, 8192];
const RANKS: [usize; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// What one network's step costs, in seconds.
struct Cost {
    units: usize,
    row: f64,
    shard: f64,
    step: f64,
    /// Numbers that are trained.
    numbers: usize,
}

impl Cost {
    fn measured(units: usize) -> Self {
        let mut numbers = 0;
        let rows = MEASURED.map(|(batch, shards)| {
            let (seconds, trained) = seconds_of_a_step(units, batch, shards);
            eprintln!("{units} units, batch {batch}, {shards} shards: {:.3} ms", 1e3 * seconds);
            numbers = trained;
            // Weighted by the inverse, so that relative errors count.
            [batch as f64, shards as f64, 1.0, seconds].map(|x| x / seconds)
        });
        let [row, shard, step] = least_squares(&rows);
        Self { units, row, shard: shard.max(0.0), step: step.max(0.0), numbers }
    }

    fn seconds(&self, batch: usize, ranks: usize, (_, alpha, beta): (&str, f64, f64)) -> f64 {
        let p = ranks as f64;
        let exchange = p.log2() * (2.0 * alpha + self.numbers as f64 * beta);
        batch as f64 / p * self.row + self.shard + self.step + exchange
    }

    /// Speed-up for every number of ranks that such a batch has rows for.
    fn speed_ups(&self, batch: usize, network: (&str, f64, f64)) -> Vec<(usize, f64)> {
        let possible = RANKS.into_iter().filter(|&ranks| ranks <= batch / ROWS_OF_A_SHARD);
        possible.map(|ranks| (ranks, self.seconds(batch, 1, network) / self.seconds(batch, ranks, network))).collect()
    }
}

/// The lower quartile of the steps of a few epochs, on texts of 16 words; and how many numbers are trained.
fn seconds_of_a_step(units: usize, batch: usize, shards: usize) -> (f64, usize) {
    let settings = Settings {
        units,
        batch,
        shards,
        validation: 0.0,
        patience: 0,
        epochs: if units > 100 { 1 } else { 4 },
        ..Settings::preset(Preset::Default)
    };
    let simulation = Simulation { rows: [2_000, 2_000], words: 5_000, length: 16, ..Simulation::default() };
    let corpus = simulation.generate().expect("the simulation can be");
    let dataset = Dataset::new(&corpus, settings.tokenizer, settings.max_length, settings.padding);
    let split = prepare::split(&settings, &dataset).expect("there are rows of both classes");
    let weight = Tensor::from_fn([dataset.encoder.vocabulary.len(), DIM], |i| (i as f32).sin());
    let mut trainer = Trainer::new(&settings, &dataset, &split, &EmbeddingInit { weight, trainable: false });
    let (mut begun, mut seconds) = (Instant::now(), Vec::new());
    let observe = |_: &Trainer<'_>, event: Event<'_>| {
        // The step that ends an epoch is of a smaller batch.
        if let Event::Step = event {
            seconds.push(begun.elapsed().as_secs_f64());
        }
        begun = Instant::now();
        Ok(Flow::Continue)
    };
    trainer.run(observe).expect("the training does not diverge");
    seconds.sort_by(f64::total_cmp);
    (seconds[seconds.len() / 4], trainer.params().trainable_count())
}

/// The x of three numbers that makes Σ (a·x − y)² smallest, by Cramer's rule on the normal equations.
fn least_squares(rows: &[[f64; 4]]) -> [f64; 3] {
    let sum = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
    let matrix = [0, 1, 2].map(|i| [0, 1, 2].map(|j| sum(i, j)));
    let determinant = |m: [[f64; 3]; 3]| {
        let minor = |a: usize, b: usize| m[1][a] * m[2][b] - m[1][b] * m[2][a];
        m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)
    };
    [0, 1, 2].map(|column| {
        let mut replaced = matrix;
        (0..3).for_each(|i| replaced[i][column] = sum(i, 3));
        determinant(replaced) / determinant(matrix)
    })
}

fn table(costs: &[Cost]) -> String {
    let mut text = "| speed-up on P = 2 / 8 / 64 / 1024 |".to_owned();
    BATCHES.iter().for_each(|batch| write!(text, " b = {batch} |").expect("a string takes all"));
    text += "\n|---|";
    text += &"---|".repeat(BATCHES.len());
    for cost in costs {
        for network in NETWORKS {
            write!(text, "\n| {} units, {} |", cost.units, network.0).expect("a string takes all");
            for batch in BATCHES {
                let speed_ups = cost.speed_ups(batch, network);
                let on = |ranks: usize| speed_ups.iter().find(|(found, _)| *found == ranks);
                let words =
                    [2, 8, 64, 1024].map(|ranks| on(ranks).map_or("–".into(), |(_, times)| format!("{times:.1}")));
                write!(text, " {} |", words.join(" / ")).expect("a string takes all");
            }
        }
    }
    let constants = costs.iter().map(|cost| {
        let [row, shard, step] = [cost.row, cost.shard, cost.step].map(|seconds| 1e6 * seconds);
        let Cost { units, numbers, .. } = cost;
        format!("{units} units: c = {row:.1} µs, s = {shard:.1} µs, A = {step:.0} µs, d = {numbers}")
    });
    text + "\n\nMeasured: " + &constants.collect::<Vec<_>>().join("; ") + ".\n"
}

const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)]; // of Okabe & Ito

/// A tile for each size of network; colours are networks between nodes, and thicker lines larger batches.
fn plot(path: &Path, costs: &[Cost]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (420 * costs.len() as u32, 320)).into_drawing_area();
    root.fill(&WHITE)?;
    for (tile, cost) in root.split_evenly((1, costs.len())).iter().zip(costs) {
        let mut chart = ChartBuilder::on(tile)
            .caption(format!("speed-up against ranks, {} units", cost.units), ("sans-serif", 14))
            .margin(10)
            .x_label_area_size(30)
            .y_label_area_size(40)
            .build_cartesian_2d((1.0..1400.0).log_scale(), (0.7..1400.0).log_scale())?;
        chart.configure_mesh().disable_mesh().x_label_formatter(&f64::to_string).draw()?;
        let ideal = RANKS.map(|ranks| (ranks as f64, ranks as f64));
        chart.draw_series(LineSeries::new(ideal, BLACK.mix(0.3)))?;
        for (network, colour) in NETWORKS.into_iter().zip(COLOURS) {
            for (width, batch) in (1..).zip(BATCHES) {
                let points = cost.speed_ups(batch, network).into_iter().map(|(ranks, times)| (ranks as f64, times));
                let series = chart.draw_series(LineSeries::new(points, colour.stroke_width(width)))?;
                if batch == BATCHES[1] {
                    let legend = move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2));
                    series
                        .label(format!("{}, b = {} (thin) to {}", network.0, BATCHES[0], BATCHES[BATCHES.len() - 1]))
                        .legend(legend);
                }
            }
        }
        chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).border_style(TRANSPARENT).draw()?;
    }
    root.present()?;
    Ok(())
}

/// What stands between the two marks of the page is replaced.
const MARKS: [&str; 2] = ["<!-- ranks: begin -->\n", "<!-- ranks: end -->\n"];

const PICTURE: &str = "\n![Speed-up against the number of ranks to a thousand, by network and batch](ranks.svg)\n";

fn main() {
    let costs = || [25, 256].map(Cost::measured);
    let costs = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread").install(costs);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    plot(&docs.join("ranks.svg"), &costs).expect("the plot can be written");
    let (page, table) = (docs.join("cluster.md"), table(&costs));
    let text = fs::read_to_string(&page).expect("the page can be read");
    let (before, rest) = text.split_once(MARKS[0]).expect("the page has the first mark");
    let (_, after) = rest.split_once(MARKS[1]).expect("the page has the second mark");
    fs::write(&page, [before, MARKS[0], &table, PICTURE, MARKS[1], after].concat()).expect("the page can be written");
    println!("{table}\nwritten: docs/cluster.md, docs/ranks.svg");
}
