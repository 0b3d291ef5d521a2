//! How a matrix product is cut into pieces that stay in registers.

/// Registers of a panel in a row of C.
pub(super) const PANEL: usize = 3;

/// Some columns of B and C, whose sums for a few rows of C stay in registers.
pub(super) struct Panel {
    pub first: usize,
    pub columns: usize,
    pub registers: usize,
}

/// A split of `columns` into panels of nearly equal width, for registers that hold `lanes` numbers each.
pub(super) fn panels(columns: usize, lanes: usize) -> impl Iterator<Item = Panel> {
    let widths = Parts::of(columns.div_ceil(lanes), PANEL);
    (0..widths.count).scan(0, move |end, panel| {
        let (first, registers) = (*end, widths.size(panel));
        let count = (registers * lanes).min(columns - first);
        *end += count;
        Some(Panel { first, columns: count, registers })
    })
}

/// A split into the fewest parts of limited size, whose sizes differ by one at most.
pub(super) struct Parts {
    pub count: usize,
    smallest: usize,
    larger: usize,
}

impl Parts {
    pub fn of(total: usize, limit: usize) -> Self {
        let count = total.div_ceil(limit);
        let at_least_one = count.max(1);
        Self { count, smallest: total / at_least_one, larger: total % at_least_one }
    }

    pub fn size(&self, part: usize) -> usize {
        self.smallest + usize::from(part < self.larger)
    }
}
