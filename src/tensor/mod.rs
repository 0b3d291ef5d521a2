//! Numbers in memory; knows nothing of gradients.
