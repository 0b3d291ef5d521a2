//! How fast the engine is: `RAYON_NUM_THREADS=1 cargo bench --bench engine [-- a part of a benchmark's name]`.

mod batch;
mod kernels;
mod prediction;
mod steps;
mod texts;
mod training;

/// Counts what each benchmark allocates.
#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    // This thread counts among those that rayon uses.
    rayon::ThreadPoolBuilder::new().use_current_thread().build_global().expect("nobody has used rayon yet");
    divan::main();
}
