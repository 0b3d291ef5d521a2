//! The library from outside: its architecture, its values against other frameworks, its studies, its examples.

mod allocations;
mod architecture;
mod calibration;
mod examples;
mod fuzz;
mod guards;
mod paper_checks;
mod parity;
mod phase_map;
mod relatedness;
mod study;
