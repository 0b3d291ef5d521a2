//! Inference over pairs of tasks. With 16 tasks, no true effect and task effects in both matrices, a correlation test over ordered pairs
//! as if they were independent rejects in 29 % of cases at the level of 5 %; a bootstrap over tasks in 8 %, QAP in 4 %.

use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::mtl::relatedness::correlation::spearman;

/// Permutations of the tasks, and bootstrap samples of them.
pub const DRAWS: usize = 999;

/// Two matrices over ordered pairs of tasks, such as a measure and the gain.
#[derive(Clone, Debug)]
pub struct TaskPairs {
    tasks: usize,
    /// By main task and partner; `None` where a value is unknown. `// [tasks, tasks]`
    x: Vec<Option<f64>>,
    y: Vec<Option<f64>>,
}

impl TaskPairs {
    /// Matrices of `tasks` rows and columns without values.
    pub fn new(tasks: usize) -> Self {
        Self { tasks, x: vec![None; tasks * tasks], y: vec![None; tasks * tasks] }
    }

    /// Sets both values of an ordered pair.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn set(&mut self, main: usize, partner: usize, x: f64, y: f64) {
        let place = main * self.tasks + partner;
        (self.x[place], self.y[place]) = (Some(x), Some(y));
    }

    /// x and y of all pairs that have both.
    pub fn values(&self) -> (Vec<f64>, Vec<f64>) {
        self.values_of(&(0..self.tasks).collect::<Vec<_>>())
    }

    /// As [`Self::values`], with the rows and columns of x permuted: entry (i, j) is that of (`tasks[i]`, `tasks[j]`).
    fn values_of(&self, tasks: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let pairs = (0..self.tasks).flat_map(|i| (0..self.tasks).map(move |j| (i, j)));
        let both = |(i, j): (usize, usize)| self.x[tasks[i] * self.tasks + tasks[j]].zip(self.y[i * self.tasks + j]);
        pairs.filter_map(both).unzip()
    }
}

/// The quadratic assignment procedure (QAP; Hubert & Schultz 1976, Krackhardt 1988) for Spearman's ρ: the two-sided p of the null
/// hypothesis that the matrices are unrelated, (1 + #)/(1 + draws), where # counts the permutations of the tasks of one matrix whose
/// |ρ| is as large as the observed one. `None` if ρ is not defined.
pub fn qap_p(pairs: &TaskPairs, draws: usize, rng: &mut ChaCha8Rng) -> Option<f64> {
    let (x, y) = pairs.values();
    let observed = spearman(&x, &y)?.abs();
    let mut tasks: Vec<usize> = (0..pairs.tasks).collect();
    let as_strong = (0..draws).filter(|_| {
        tasks.shuffle(rng);
        let (x, y) = pairs.values_of(&tasks);
        spearman(&x, &y).is_some_and(|found| found.abs() >= observed - 1e-12)
    });
    Some((1 + as_strong.count()) as f64 / (1 + draws) as f64)
}

/// The bootstrap over tasks: the 95 % percentile interval of Spearman's ρ, from tasks drawn with replacement. Pairs of a task with itself
/// drop out. `None` if ρ is undefined in more than half of the samples.
pub fn task_bootstrap(pairs: &TaskPairs, draws: usize, rng: &mut ChaCha8Rng) -> Option<[f64; 2]> {
    let n = pairs.tasks;
    let draw = |_| {
        let tasks: Vec<usize> = (0..n).map(|_| rng.random_range(0..n)).collect();
        let places = tasks.iter().flat_map(|&i| tasks.iter().map(move |&j| i * n + j));
        let (x, y): (Vec<f64>, Vec<f64>) = places.filter_map(|place| pairs.x[place].zip(pairs.y[place])).unzip();
        spearman(&x, &y)
    };
    let mut found: Vec<f64> = (0..draws).filter_map(draw).collect();
    if found.len() < draws / 2 {
        return None;
    }
    found.sort_by(f64::total_cmp);
    let quantile = |p: f64| found[((p * found.len() as f64) as usize).min(found.len() - 1)];
    Some([quantile(0.025), quantile(0.975)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::streams::Streams;
    use rand_distr::{Distribution, StandardNormal};

    /// Two independent matrices of 16 tasks, each with effects of main tasks and of partners; or, with `same`, one of them twice.
    fn matrices(seed: u64, same: bool) -> TaskPairs {
        let mut rng = Streams::new(seed).rng("matrices", 0);
        let mut normal = |_| -> f64 { StandardNormal.sample(&mut rng) };
        let mut matrix = || -> Vec<f64> {
            let (main, partner): (Vec<f64>, Vec<f64>) =
                ((0..16).map(&mut normal).collect(), (0..16).map(&mut normal).collect());
            (0..256).map(|place| main[place / 16] + partner[place % 16] + normal(0)).collect()
        };
        let x = matrix();
        let y = if same { x.clone() } else { matrix() };
        let mut pairs = TaskPairs::new(16);
        for place in (0..256).filter(|place| place / 16 != place % 16) {
            pairs.set(place / 16, place % 16, x[place], y[place]);
        }
        pairs
    }

    /// Rejections at the level of 5 % of a null hypothesis that is true: QAP keeps the level, a test that takes pairs as independent does not.
    #[test]
    fn permuting_tasks_keeps_the_level_where_pairs_are_not_independent() {
        let all = 100;
        let (mut naive, mut qap) = (0, 0);
        for seed in 0..all {
            let pairs = matrices(seed, false);
            let (x, y) = pairs.values();
            // Student's t of 240 pairs: |ρ| beyond .127 has p < .05.
            naive += usize::from(spearman(&x, &y).unwrap().abs() > 0.127);
            let p = qap_p(&pairs, 99, &mut Streams::new(seed).rng("qap", 0)).unwrap();
            qap += usize::from(p <= 0.05);
        }
        assert!(naive >= 20, "the naive test rejects {naive} of {all}");
        // With a true rate of .05 more than 12 of 100 have a probability of .001.
        assert!(qap <= 12, "QAP rejects {qap} of {all}");
    }

    /// Intervals without 0 where ρ is 0. Pairs drawn as if they were independent would give intervals that are too narrow.
    #[test]
    fn drawing_tasks_keeps_the_interval_wide_where_pairs_are_not_independent() {
        let all = 100;
        let excludes_zero = |&seed: &u64| {
            let interval = task_bootstrap(&matrices(seed, false), 99, &mut Streams::new(seed).rng("tasks", 0)).unwrap();
            interval[0] > 0.0 || interval[1] < 0.0
        };
        let wrong = (0..all).filter(excludes_zero).count();
        // The true rate is .08; more than 17 of 100 have a probability of .001. The naive rate is .29.
        assert!(wrong <= 17, "{wrong} of {all} intervals exclude 0");
    }

    #[test]
    fn a_relation_is_found_and_its_interval_holds_it() {
        let pairs = matrices(1, true);
        let mut rng = Streams::new(1).rng("t", 0);
        assert_eq!(qap_p(&pairs, 99, &mut rng), Some(0.01));
        assert_eq!(task_bootstrap(&pairs, 99, &mut rng), Some([1.0, 1.0]));
        assert_eq!(qap_p(&TaskPairs::new(4), 99, &mut rng), None);
    }
}
