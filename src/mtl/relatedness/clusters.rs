//! Hierarchical clustering: an order of tasks in which similar ones are neighbours, for a heat map.

/// The leaves of an agglomerative clustering with average linkage (UPGMA, Sokal & Michener 1958), from left to right.
/// `similarity(i, j)` is called for i < j; where it is `None`, the mean similarity of all pairs stands in.
pub fn clustered(tasks: usize, similarity: impl Fn(usize, usize) -> Option<f64>) -> Vec<usize> {
    let mut known = vec![vec![0.0; tasks]; tasks];
    let pairs = || (0..tasks).flat_map(|i| (i + 1..tasks).map(move |j| (i, j)));
    let all: Vec<f64> = pairs().filter_map(|(i, j)| similarity(i, j)).collect();
    let middle = super::measured::mean(&all);
    for (i, j) in pairs() {
        let value = similarity(i, j).unwrap_or(middle);
        (known[i][j], known[j][i]) = (value, value);
    }
    let mut clusters: Vec<Vec<usize>> = (0..tasks).map(|task| vec![task]).collect();
    let linkage = |a: &[usize], b: &[usize]| {
        let sum: f64 = a.iter().flat_map(|&i| b.iter().map(move |&j| (i, j))).map(|(i, j)| known[i][j]).sum();
        sum / (a.len() * b.len()) as f64
    };
    while clusters.len() > 1 {
        let pairs = (0..clusters.len()).flat_map(|i| (i + 1..clusters.len()).map(move |j| (i, j)));
        let by_likeness = |&(i, j): &(usize, usize)| linkage(&clusters[i], &clusters[j]);
        // Of equally similar pairs the first.
        let best = pairs.reduce(|best, next| if by_likeness(&next) > by_likeness(&best) { next } else { best });
        let (i, j) = best.expect("there are two clusters");
        let joined = clusters.remove(j);
        clusters[i].extend(joined);
    }
    clusters.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_tasks_become_neighbours() {
        // Tasks 0 and 2 are of one kind, 1 and 3 of another.
        let order = clustered(4, |i, j| if (i + j) % 2 == 0 { Some(0.9) } else { (i + j != 3).then_some(0.1) });
        assert_eq!(order, [0, 2, 1, 3]);
        assert_eq!((clustered(0, |_, _| None), clustered(1, |_, _| None)), (vec![], vec![0]));
    }
}
