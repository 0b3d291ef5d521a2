//! Integration along a straight line, of gradients that jump at corners.

use std::rc::Rc;

/// What is integrated from α = 0 to α = 1: the derivatives of some functions, each split into shares.
pub(super) trait Line {
    /// The functions at each α.
    fn look(&mut self, alphas: &[f64]) -> Vec<Look>;

    /// At each α, of each function, the shares of its derivative.
    fn slopes(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>>;
}

/// Some functions at one place of a line.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub alpha: f64,
    /// Of each function.
    pub values: Vec<f64>,
    pub corners: Corners,
}

/// What decides where the functions have corners. All these numbers are smooth, and so are the functions but where a winner or a sign
/// changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Corners {
    /// The numbers among which each maximum chooses.
    pub maxima: Vec<Vec<f64>>,
    /// Numbers at whose sign something is switched, as ReLU is by its argument.
    pub switches: Vec<f64>,
}

/// How far the integral over a stretch may be from the change of the value along it: absolutely, or relative to the values or the
/// shares if they are larger than 1, whose own rounding is then larger too.
const TOLERANCE: f64 = 1e-9;
/// A lead that is none, absolute or relative as above. If a corner is misplaced so that one number leads another there by δ, the
/// integral errs by δ times what the maximum weighs in the function, however flat the two cross.
const EVEN: f64 = 1e-10;
/// Stretches at most: a smooth network needs a few, one with hundreds of gates some thousands.
const MOST: usize = 200_000;
/// Looks for one corner at most; a search that finds none until then cuts where it is.
const LOOKS: usize = 100;
/// No stretch is cut that is as short as this.
const SHORTEST: f64 = 1e-13;
/// So many stretches are seen to at once: a look at several places costs much less than as many looks.
const WAVE: usize = 16;

/// The nodes and weights of Gauss and Legendre's rules with two and four points, on [−1, 1]; as many again are their mirror images.
const TWO: [(f64, f64); 1] = [(0.577_350_269_189_625_8, 1.0)];
const FOUR: [(f64, f64); 2] =
    [(0.339_981_043_584_856_26, 0.652_145_154_862_546_1), (0.861_136_311_594_052_6, 0.347_854_845_137_453_85)];
/// Two points do for a stretch as short as this: their error falls with its fifth power.
const SHORT: f64 = 0.01;

/// ∫₀¹ of each function's shares; `None` if they have not settled after [`MOST`] stretches, or are not finite.
///
/// A stretch is cut at a corner until nothing changes between its ends. By the fundamental theorem of calculus the shares' integrals
/// over a stretch add up to the change of the value along it; a stretch where they do not is cut in the middle: it is too curved, or
/// has corners that its ends do not tell of.
pub(super) fn integrate(line: &mut impl Line) -> Option<Vec<Vec<f64>>> {
    let (mut total, mut count) = (Vec::new(), 0);
    let ends: Vec<_> = line.look(&[0.0, 1.0]).into_iter().map(Rc::new).collect();
    let mut stretches = vec![Stretch(ends[0].clone(), ends[1].clone())];
    while !stretches.is_empty() {
        let wave = stretches.split_off(stretches.len().saturating_sub(WAVE));
        count += wave.len();
        if count > MOST {
            return None;
        }
        let (mut searches, mut smooth) = (Vec::new(), Vec::new());
        for stretch in wave {
            match stretch.change() {
                Some(change) => searches.push(Search::new(stretch, change)),
                None => smooth.push(stretch),
            }
        }
        let curved = sum_up(line, smooth, &mut total);
        let middles: Vec<f64> = curved.iter().map(|stretch| stretch.middle()).collect();
        let mut cuts: Vec<_> = curved.into_iter().zip(look(line, &middles)).collect();
        cuts.extend(search(line, searches));
        stretches.extend(cuts.into_iter().flat_map(|(Stretch(a, b), cut)| {
            let cut = Rc::new(cut);
            [Stretch(a, cut.clone()), Stretch(cut, b)]
        }));
    }
    total.iter().flatten().all(|share: &f64| share.is_finite()).then_some(total)
}

/// From one place of the line to a later one.
struct Stretch(Rc<Look>, Rc<Look>);

impl Stretch {
    fn middle(&self) -> f64 {
        0.5 * (self.0.alpha + self.1.alpha)
    }

    fn length(&self) -> f64 {
        self.1.alpha - self.0.alpha
    }

    /// What changes between the ends; of several changes the one that seems to be nearest the middle.
    fn change(&self) -> Option<Change> {
        let (a, b) = (&self.0.corners, &self.1.corners);
        let winners = a.maxima.iter().zip(&b.maxima).enumerate();
        let winners = winners.map(|(i, (a, b))| Change::Winner(i, winner(a), winner(b)));
        let changes = winners.chain((0..a.switches.len()).map(Change::Sign));
        let leads = changes.map(|change| (change, change.lead(a), change.lead(b)));
        let changes = leads.filter(|(_, a, b)| a.abs() > EVEN && b.abs() > EVEN && (*a > 0.0) != (*b > 0.0));
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

/// Adds the integrals over the stretches to the total, but of those that it returns, whose integrals are not good enough.
fn sum_up(line: &mut impl Line, stretches: Vec<Stretch>, total: &mut Vec<Vec<f64>>) -> Vec<Stretch> {
    let rules: Vec<_> = stretches.iter().map(Stretch::rule).collect();
    let alphas: Vec<f64> = rules.iter().flatten().map(|node| node.0).collect();
    if alphas.is_empty() {
        return stretches;
    }
    let mut slopes = line.slopes(&alphas).into_iter();
    let is_curved = |(stretch, rule): (Stretch, Vec<(f64, f64)>)| {
        let mut sums = Vec::new();
        for ((_, weight), slopes) in rule.into_iter().zip(&mut slopes) {
            add(&mut sums, &slopes, weight);
        }
        let ends = stretch.0.values.iter().zip(&stretch.1.values);
        let mut gaps = sums.iter().zip(ends).map(|(sums, (a, b))| {
            let size = sums.iter().map(|share| share.abs()).sum::<f64>().max(a.abs()).max(b.abs()).max(1.0);
            (sums.iter().sum::<f64>() - (b - a)).abs() / size
        });
        if stretch.length() > SHORTEST && gaps.any(|gap| gap > TOLERANCE) {
            return Some(stretch);
        }
        add(total, &sums, 1.0);
        None
    };
    stretches.into_iter().zip(rules).filter_map(is_curved).collect()
}

fn add(total: &mut Vec<Vec<f64>>, sums: &[Vec<f64>], weight: f64) {
    if total.is_empty() {
        *total = sums.iter().map(|sums| vec![0.0; sums.len()]).collect();
    }
    total.iter_mut().flatten().zip(sums.iter().flatten()).for_each(|(total, sum)| *total += weight * sum);
}

/// What changes at a corner.
#[derive(Clone, Copy)]
enum Change {
    /// Of a maximum: one number wins before and another after.
    Winner(usize, usize, usize),
    /// Of a switch.
    Sign(usize),
}

impl Change {
    /// What has different signs before and after; relative to the numbers where they are larger than 1.
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

/// The search for where a lead is 0, which has different signs at the two ends of a stretch: by the Illinois variant of the secant
/// method, which halves the number at an end that stays, lest it stay for ever.
struct Search {
    stretch: Stretch,
    change: Change,
    /// The two places between which it is, and the leads there.
    far: (f64, f64),
    near: (f64, f64),
    looks: usize,
}

impl Search {
    fn new(stretch: Stretch, change: Change) -> Self {
        let [far, near] = [&stretch.0, &stretch.1].map(|end| (end.alpha, change.lead(&end.corners)));
        Self { stretch, change, far, near, looks: 0 }
    }

    fn guess(&self) -> f64 {
        self.near.0 - self.near.1 * (self.near.0 - self.far.0) / (self.near.1 - self.far.1)
    }

    /// Whether a look is at the corner, or as near as can be.
    fn ends_with(&mut self, look: &Look) -> bool {
        let now = (look.alpha, self.change.lead(&look.corners));
        self.looks += 1;
        let is_narrow = (self.near.0 - self.far.0).abs() < SHORTEST || self.looks == LOOKS;
        if now.1.abs() <= EVEN || is_narrow || now.1.is_nan() {
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

/// The corners that are searched for, each with the stretch that it cuts.
fn search(line: &mut impl Line, mut searches: Vec<Search>) -> Vec<(Stretch, Look)> {
    let mut found = Vec::new();
    while !searches.is_empty() {
        let guesses: Vec<f64> = searches.iter().map(Search::guess).collect();
        let looks = look(line, &guesses);
        let mut open = Vec::new();
        for (mut search, look) in searches.into_iter().zip(looks) {
            if search.ends_with(&look) {
                found.push((search.stretch, look));
            } else {
                open.push(search);
            }
        }
        searches = open;
    }
    found
}

fn look(line: &mut impl Line, alphas: &[f64]) -> Vec<Look> {
    if alphas.is_empty() { Vec::new() } else { line.look(alphas) }
}

#[cfg(test)]
mod tests;
