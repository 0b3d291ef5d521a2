//! The code that computes what the page shows. It stands in the page itself, as it was when this program was built, so that a formula's
//! link leads to it without network.

use serde::Serialize;

/// A file of the repository.
#[derive(Clone, Copy, Serialize)]
pub struct Listing {
    pub path: &'static str,
    pub text: &'static str,
}

macro_rules! listing {
    ($path:literal) => {
        Listing { path: $path, text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)) }
    };
}

pub const GATHER: Listing = listing!("src/autograd/ops/gather.rs");
pub const CELL: Listing = listing!("src/autograd/ops/lstm/cell.rs");
pub const WALK: Listing = listing!("src/autograd/ops/lstm/walk.rs");
pub const BILSTM: Listing = listing!("src/layers/bilstm.rs");
pub const CONV: Listing = listing!("src/autograd/ops/conv/mod.rs");
pub const WINDOWS: Listing = listing!("src/autograd/ops/conv/windows.rs");
pub const DENSE: Listing = listing!("src/layers/dense.rs");
pub const LOSS: Listing = listing!("src/autograd/ops/masked_bce.rs");
pub const SWEEP: Listing = listing!("src/autograd/sweep.rs");
pub const PLACES: Listing = listing!("src/mtl/explain/places.rs");
pub const ATTRIBUTION: Listing = listing!("src/mtl/explain/attribution.rs");
pub const QUADRATURE: Listing = listing!("src/mtl/explain/quadrature/mod.rs");
