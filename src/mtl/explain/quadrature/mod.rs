//! Adaptive quadrature along a straight line, of gradients that jump at corners: Gauss–Legendre on each subinterval, which is cut
//! at the corners that its ends tell of, and in the middle where the fundamental theorem of calculus shows an error.

use std::rc::Rc;

/// The integrand from α = 0 to α = 1: the derivatives of some functions, each split into shares.
pub(super) trait Line {
    /// The functions at each α.
    fn sample(&mut self, alphas: &[f64]) -> Vec<Sample>;

    /// At each α, of each function, the shares of its derivative.
    fn derivatives(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>>;
}

/// The functions at one place of the line.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub alpha: f64,
    /// Of each function.
    pub values: Vec<f64>,
    pub corners: Corners,
}

/// Smooth numbers that decide where the functions have corners: where the winner of a maximum changes, or the sign of a switch.
/// Elsewhere the functions are smooth.
#[derive(Clone, Debug, Default)]
pub(super) struct Corners {
    /// The numbers among which each maximum chooses.
    pub maxima: Vec<Vec<f64>>,
    /// Numbers at whose sign something is switched, as ReLU is by its argument.
    pub switches: Vec<f64>,
}

/// How far the integral over a subinterval may be from the change of the value along it: absolute, or relative to the values or
/// shares where they exceed 1, since then their own rounding is larger too.
const TOLERANCE: f64 = 1e-9;
/// A lead of one number over another that counts as a tie, absolute or relative as above. If a corner is misplaced so that one number
/// leads another there by δ, the integral errs by δ times the weight of the maximum in the function, however flat the two cross.
const TIE: f64 = 1e-10;
/// The most subintervals: a smooth network needs a few, one with hundreds of gates some thousands.
const MOST_SUBINTERVALS: usize = 200_000;
/// The most iterations of the search for one corner; after them the subinterval is cut at the last guess.
const MOST_ITERATIONS: usize = 100;
/// A subinterval of this length is not cut further.
const SHORTEST: f64 = 1e-13;
/// Subintervals that are refined together: one batch through the network for several places costs much less than several batches.
const TOGETHER: usize = 16;

/// The nodes and weights of Gauss and Legendre's rules with two and four points, on [−1, 1]: the positive half, of which the negative one is the mirror image.
const TWO: [(f64, f64); 1] = [(0.577_350_269_189_625_8, 1.0)];
const FOUR: [(f64, f64); 2] =
    [(0.339_981_043_584_856_26, 0.652_145_154_862_546_1), (0.861_136_311_594_052_6, 0.347_854_845_137_453_85)];
/// Below this length two points are enough: their error falls with its fifth power.
const SHORT: f64 = 0.01;

/// ∫₀¹ of each function's shares; `None` if they have not settled after [`MOST_SUBINTERVALS`] subintervals, or are not finite.
///
/// A subinterval is cut at a corner until no winner and no sign changes between its ends. By the fundamental theorem of calculus the
/// integrals of the shares add up to the change of the value; a subinterval where they do not is cut in the middle: its integrand is
/// too curved, or has corners that the ends do not show.
pub(super) fn integrate(line: &mut impl Line) -> Option<Vec<Vec<f64>>> {
    let (mut total, mut count) = (Vec::new(), 0);
    let ends: Vec<_> = line.sample(&[0.0, 1.0]).into_iter().map(Rc::new).collect();
    let mut subintervals = vec![Subinterval(ends[0].clone(), ends[1].clone())];
    while !subintervals.is_empty() {
        let together = subintervals.split_off(subintervals.len().saturating_sub(TOGETHER));
        count += together.len();
        if count > MOST_SUBINTERVALS {
            return None;
        }
        let (mut searches, mut smooth) = (Vec::new(), Vec::new());
        for subinterval in together {
            match subinterval.change() {
                Some(change) => searches.push(Search::new(subinterval, change)),
                None => smooth.push(subinterval),
            }
        }
        let curved = sum_up(line, smooth, &mut total);
        let middles: Vec<f64> = curved.iter().map(|subinterval| subinterval.middle()).collect();
        let mut cuts: Vec<_> = curved.into_iter().zip(sample(line, &middles)).collect();
        cuts.extend(search(line, searches));
        subintervals.extend(cuts.into_iter().flat_map(|(Subinterval(a, b), cut)| {
            let cut = Rc::new(cut);
            [Subinterval(a, cut.clone()), Subinterval(cut, b)]
        }));
    }
    total.iter().flatten().all(|share: &f64| share.is_finite()).then_some(total)
}

/// From one place of the line to a later one.
struct Subinterval(Rc<Sample>, Rc<Sample>);

impl Subinterval {
    fn middle(&self) -> f64 {
        0.5 * (self.0.alpha + self.1.alpha)
    }

    fn length(&self) -> f64 {
        self.1.alpha - self.0.alpha
    }

    /// A winner or sign that changes between the ends; of several the one whose zero a straight line puts nearest the middle.
    fn change(&self) -> Option<Change> {
        let (a, b) = (&self.0.corners, &self.1.corners);
        let winners = a.maxima.iter().zip(&b.maxima).enumerate();
        let winners = winners.map(|(i, (a, b))| Change::Winner(i, winner(a), winner(b)));
        let changes = winners.chain((0..a.switches.len()).map(Change::Sign));
        let leads = changes.map(|change| (change, change.lead(a), change.lead(b)));
        let changes = leads.filter(|(_, a, b)| a.abs() > TIE && b.abs() > TIE && (*a > 0.0) != (*b > 0.0));
        let off_middle = |(_, a, b): &(Change, f64, f64)| (a / (a - b) - 0.5).abs();
        let change = changes.min_by(|x, y| off_middle(x).total_cmp(&off_middle(y)))?.0;
        (self.length() > SHORTEST).then_some(change)
    }

    /// The nodes and weights of the quadrature.
    fn rule(&self) -> Vec<(f64, f64)> {
        let (middle, half) = (self.middle(), 0.5 * self.length());
        let sides = |&(node, weight): &(f64, f64)| [-node, node].map(|node| (middle + half * node, half * weight));
        if self.length() < SHORT { TWO.iter().flat_map(sides).collect() } else { FOUR.iter().flat_map(sides).collect() }
    }
}

/// Adds the integrals over the subintervals to the total. Returns those whose integrals are not within the tolerance; they are left
/// out.
fn sum_up(line: &mut impl Line, subintervals: Vec<Subinterval>, total: &mut Vec<Vec<f64>>) -> Vec<Subinterval> {
    let rules: Vec<_> = subintervals.iter().map(Subinterval::rule).collect();
    let alphas: Vec<f64> = rules.iter().flatten().map(|node| node.0).collect();
    if alphas.is_empty() {
        return subintervals;
    }
    let mut derivatives = line.derivatives(&alphas).into_iter();
    let is_curved = |(subinterval, rule): (Subinterval, Vec<(f64, f64)>)| {
        let mut sums = Vec::new();
        for ((_, weight), derivatives) in rule.into_iter().zip(&mut derivatives) {
            add(&mut sums, &derivatives, weight);
        }
        let ends = subinterval.0.values.iter().zip(&subinterval.1.values);
        let mut gaps = sums.iter().zip(ends).map(|(sums, (a, b))| {
            let size = sums.iter().map(|share| share.abs()).sum::<f64>().max(a.abs()).max(b.abs()).max(1.0);
            (sums.iter().sum::<f64>() - (b - a)).abs() / size
        });
        if subinterval.length() > SHORTEST && gaps.any(|gap| gap > TOLERANCE) {
            return Some(subinterval);
        }
        add(total, &sums, 1.0);
        None
    };
    subintervals.into_iter().zip(rules).filter_map(is_curved).collect()
}

fn add(total: &mut Vec<Vec<f64>>, sums: &[Vec<f64>], weight: f64) {
    if total.is_empty() {
        *total = sums.iter().map(|sums| vec![0.0; sums.len()]).collect();
    }
    total.iter_mut().flatten().zip(sums.iter().flatten()).for_each(|(total, sum)| *total += weight * sum);
}

/// The kind of a corner.
#[derive(Clone, Copy)]
enum Change {
    /// Of this maximum, one number wins before the corner and another after it.
    Winner(usize, usize, usize),
    /// This switch changes its sign.
    Sign(usize),
}

impl Change {
    /// The number that changes its sign at the corner; relative to the numbers where they exceed 1.
    fn lead(self, corners: &Corners) -> f64 {
        match self {
            Self::Winner(i, p, q) => {
                let (p, q) = (corners.maxima[i][p], corners.maxima[i][q]);
                (p - q) / p.abs().max(q.abs()).max(1.0)
            }
            Self::Sign(i) => corners.switches[i],
        }
    }
}

fn winner(numbers: &[f64]) -> usize {
    (1..numbers.len()).fold(0, |best, i| if numbers[i] > numbers[best] { i } else { best })
}

/// The search for the zero of a lead, by the Illinois variant of the secant method (Dowell & Jarratt 1971): it halves the value at an
/// end that stays, so that no end stays for ever.
struct Search {
    subinterval: Subinterval,
    change: Change,
    /// Two places with leads of different signs.
    far: (f64, f64),
    near: (f64, f64),
    samples: usize,
}

impl Search {
    fn new(subinterval: Subinterval, change: Change) -> Self {
        let [far, near] = [&subinterval.0, &subinterval.1].map(|end| (end.alpha, change.lead(&end.corners)));
        Self { subinterval, change, far, near, samples: 0 }
    }

    fn guess(&self) -> f64 {
        self.near.0 - self.near.1 * (self.near.0 - self.far.0) / (self.near.1 - self.far.1)
    }

    /// Takes the sample at the guess; true if the search ends there.
    fn ends_with(&mut self, sample: &Sample) -> bool {
        let now = (sample.alpha, self.change.lead(&sample.corners));
        self.samples += 1;
        let is_narrow = (self.near.0 - self.far.0).abs() < SHORTEST || self.samples == MOST_ITERATIONS;
        if now.1.abs() <= TIE || is_narrow || now.1.is_nan() {
            return true;
        }
        if (now.1 > 0.0) == (self.near.1 > 0.0) {
            self.far.1 *= 0.5;
        } else {
            self.far = self.near;
        }
        self.near = now;
        false
    }
}

/// Finds the corners, each with the subinterval that it cuts.
fn search(line: &mut impl Line, mut searches: Vec<Search>) -> Vec<(Subinterval, Sample)> {
    let mut found = Vec::new();
    while !searches.is_empty() {
        let guesses: Vec<f64> = searches.iter().map(Search::guess).collect();
        let samples = sample(line, &guesses);
        let mut open = Vec::new();
        for (mut search, sample) in searches.into_iter().zip(samples) {
            if search.ends_with(&sample) {
                found.push((search.subinterval, sample));
            } else {
                open.push(search);
            }
        }
        searches = open;
    }
    found
}

fn sample(line: &mut impl Line, alphas: &[f64]) -> Vec<Sample> {
    if alphas.is_empty() { Vec::new() } else { line.sample(alphas) }
}

#[cfg(test)]
mod tests;
