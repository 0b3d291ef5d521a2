//! Latin hypercube of levels.

use rand::seq::SliceRandom;

use crate::mtl::streams::Streams;

/// The level of each choice in each universe, `// [universes][choices]`: of every choice each level is taken equally often (but for one
/// universe, where their number is no divisor), and choices are combined at random (McKay, Beckman & Conover 1979).
pub fn latin_hypercube(levels: &[usize], universes: usize, seed: u64) -> Vec<Vec<usize>> {
    let columns = levels.iter().enumerate().map(|(choice, &levels)| {
        let mut rng = Streams::new(seed).rng("latin hypercube", choice as u64);
        let mut column: Vec<usize> = (0..universes).map(|universe| universe % levels).collect();
        // Which levels are taken once more is drawn too.
        let mut order: Vec<usize> = (0..levels).collect();
        order.shuffle(&mut rng);
        column.shuffle(&mut rng);
        column.into_iter().map(|level| order[level]).collect::<Vec<usize>>()
    });
    let columns: Vec<Vec<usize>> = columns.collect();
    (0..universes).map(|universe| columns.iter().map(|column| column[universe]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_appears_equally_often() {
        for (universes, seed) in [(12, 1), (48, 2), (7, 3)] {
            let levels = [2, 3, 4];
            let design = latin_hypercube(&levels, universes, seed);
            for (choice, &of_choice) in levels.iter().enumerate() {
                let count = |level| design.iter().filter(|universe| universe[choice] == level).count();
                let counts: Vec<usize> = (0..of_choice).map(count).collect();
                assert_eq!(counts.iter().sum::<usize>(), universes);
                assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
            }
        }
        assert_ne!(latin_hypercube(&[4, 4], 40, 1), latin_hypercube(&[4, 4], 40, 2));
    }
}
