//! Rows that a product starts from, as its kernels read them.

/// What the sums start from; its shapes were compared with the product's.
#[derive(Clone, Copy)]
pub enum RawStart<T> {
    Zero,
    /// C as it is.
    Itself,
    Rows(RowPointers<T>),
}

/// Rows of other matrices at the places of C's, each contiguous.
#[derive(Clone, Copy)]
pub struct RowPointers<T> {
    base: *const T,
    stride: isize,
    /// Which row stands at each place; null if each stands at its own.
    rows: *const u32,
}

impl<T> RowPointers<T> {
    /// Rows that follow each other; one row for all if `stride` is 0.
    pub(super) fn in_order(base: *const T, stride: isize) -> Self {
        Self { base, stride, rows: std::ptr::null() }
    }

    /// Rows in the order of `rows`.
    pub(super) fn gathered(base: *const T, stride: isize, rows: *const u32) -> Self {
        Self { base, stride, rows }
    }

    /// The row at place `i`.
    ///
    /// # Safety
    /// There must be such a row.
    #[inline(always)]
    pub(super) unsafe fn row(self, i: usize) -> *const T {
        // SAFETY: the caller's promise.
        unsafe {
            let row = if self.rows.is_null() { i } else { *self.rows.add(i) as usize };
            self.base.offset(row as isize * self.stride)
        }
    }

    /// The places from `count` on.
    #[inline(always)]
    pub(super) fn skip_rows(self, count: usize) -> Self {
        match self.rows.is_null() {
            true => Self { base: self.base.wrapping_offset(count as isize * self.stride), ..self },
            false => Self { rows: self.rows.wrapping_add(count), ..self },
        }
    }

    /// The columns from `count` on.
    #[inline(always)]
    pub(super) fn skip_columns(self, count: usize) -> Self {
        Self { base: self.base.wrapping_add(count), ..self }
    }
}
