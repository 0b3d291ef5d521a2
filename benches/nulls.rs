//! How often is a correlation over pairs of tasks "significant" where nothing relates the two? `cargo bench --bench nulls` counts it for
//! four tests, and measures what two ways of cross-validation make of columns that say nothing but which tasks a pair has.
//!
//! 16 tasks make 240 ordered pairs. Main tasks and partners have effects of their own on both matrices, as on a gain and on a measure.

use mtlcore::mtl::{
    relatedness::{
        against::{Ridge, TaskPairs, q2, qap_p, task_bootstrap},
        correlation::spearman,
    },
    streams::Streams,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const TASKS: usize = 16;
const WORLDS: u64 = 1_000;
const DRAWS: usize = 199;

/// Numbers of a task that mean nothing, for the cross-validation.
const COLUMNS: usize = 6;

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// An entry for each ordered pair: the effect of the main task, that of the partner, and noise.
fn matrix(rng: &mut ChaCha8Rng) -> Vec<f64> {
    let effects: Vec<[f64; 2]> = (0..TASKS).map(|_| [normal(rng), normal(rng)]).collect();
    (0..TASKS * TASKS).map(|place| effects[place / TASKS][0] + effects[place % TASKS][1] + normal(rng)).collect()
}

fn places() -> impl Iterator<Item = usize> + Clone {
    (0..TASKS * TASKS).filter(|place| place / TASKS != place % TASKS)
}

/// Whether the 95 % percentile interval of ρ from pairs drawn with replacement leaves 0 out.
fn pair_bootstrap_rejects(x: &[f64], y: &[f64], rng: &mut ChaCha8Rng) -> bool {
    let draw = |_| {
        let pairs = (0..x.len()).map(|_| rng.random_range(0..x.len()));
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.map(|pair| (x[pair], y[pair])).unzip();
        spearman(&x, &y).expect("no draw is constant")
    };
    let mut found: Vec<f64> = (0..DRAWS).map(draw).collect();
    found.sort_by(f64::total_cmp);
    found[(0.025 * DRAWS as f64) as usize] > 0.0 || found[(0.975 * DRAWS as f64) as usize] < 0.0
}

/// Student's t of ρ over n independent pairs, at the level of 5 % (its quantile for 238 degrees of freedom is 1.970).
fn naive_rejects(rho: f64, n: usize) -> bool {
    let degrees = n as f64 - 2.0;
    rho.abs() * (degrees / (1.0 - rho * rho)).sqrt() > 1.970
}

/// Q² of a ridge on columns that only name the tasks, leaving out one pair, or both tasks of a pair everywhere.
fn q2_of_names(rng: &mut ChaCha8Rng) -> [f64; 2] {
    let gain = matrix(rng);
    let names: Vec<[f64; COLUMNS]> = (0..TASKS).map(|_| [(); COLUMNS].map(|()| normal(rng))).collect();
    let row = |place: usize| -> Vec<Option<f64>> {
        [place / TASKS, place % TASKS].iter().flat_map(|&task| names[task].map(Some)).collect()
    };
    [false, true].map(|leave_tasks_out| {
        let (mut observed, mut predicted, mut middle) = (Vec::new(), Vec::new(), Vec::new());
        for tested in places() {
            let has_task = |place: usize| {
                let tasks = [tested / TASKS, tested % TASKS];
                tasks.contains(&(place / TASKS)) || tasks.contains(&(place % TASKS))
            };
            let rest = places().filter(|&place| if leave_tasks_out { !has_task(place) } else { place != tested });
            let (rows, gains): (Vec<_>, Vec<f64>) = rest.map(|place| (row(place), gain[place])).unzip();
            let ridge = Ridge::fit(&rows, &gains, &vec![1.0; gains.len()], None);
            observed.push(gain[tested]);
            predicted.push(ridge.predict(&row(tested)));
            middle.push(gains.iter().sum::<f64>() / gains.len() as f64);
        }
        q2(&observed, &predicted, &middle)
    })
}

fn main() {
    let mut rejected = [0; 4];
    for world in 0..WORLDS {
        let mut rng = Streams::new(world).rng("null world", 0);
        let (x, y) = (matrix(&mut rng), matrix(&mut rng));
        let mut pairs = TaskPairs::new(TASKS);
        places().for_each(|place| pairs.set(place / TASKS, place % TASKS, x[place], y[place]));
        let (x, y) = pairs.values();
        let interval = task_bootstrap(&pairs, DRAWS, &mut rng).expect("ρ is defined");
        let found = [
            naive_rejects(spearman(&x, &y).expect("no matrix is constant"), x.len()),
            pair_bootstrap_rejects(&x, &y, &mut rng),
            interval[0] > 0.0 || interval[1] < 0.0,
            qap_p(&pairs, DRAWS, &mut rng).expect("ρ is defined") <= 0.05,
        ];
        rejected.iter_mut().zip(found).for_each(|(count, found)| *count += usize::from(found));
    }
    println!("{WORLDS} worlds of {TASKS} tasks without a relation, level 5 %:");
    let names = ["pairs as if independent (Student's t)", "bootstrap over pairs", "bootstrap over tasks", "QAP"];
    for (name, count) in names.into_iter().zip(rejected) {
        println!("  {name:<40}{:>6.3}", count as f64 / WORLDS as f64);
    }

    let worlds = WORLDS / 20;
    let mut sums = [0.0; 2];
    for world in 0..worlds {
        let found = q2_of_names(&mut Streams::new(world).rng("names of tasks", 0));
        sums.iter_mut().zip(found).for_each(|(sum, q2)| *sum += q2);
    }
    println!("Q² of {COLUMNS} numbers a task that only say which tasks a pair has, mean of {worlds} worlds:");
    println!("  one pair left out                       {:>6.2}", sums[0] / worlds as f64);
    println!("  both tasks left out everywhere          {:>6.2}", sums[1] / worlds as f64);
}
