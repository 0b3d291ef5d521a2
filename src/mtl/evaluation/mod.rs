//! How good predictions are, and whether a difference between two models is real.
