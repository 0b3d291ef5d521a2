//! Recording and differentiating; knows nothing of layers.
