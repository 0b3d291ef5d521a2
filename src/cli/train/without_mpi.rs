//! In place of `mpi.rs`, without the feature: there is never another process.

use anyhow::{Result, bail};
use mtlcore::mtl::training::Communicator;

/// No value of this type exists.
#[derive(Clone, Copy)]
pub enum Mpi {}

impl Mpi {
    pub fn start(launched: usize) -> Result<Self> {
        let what = format!("{launched} copies of mtlcore would train the same model into one directory");
        bail!("{what}; build with --features mpi, or start one")
    }

    pub fn rank(&self) -> usize {
        match *self {}
    }

    pub fn count(&self) -> usize {
        match *self {}
    }

    pub fn communicator(&self) -> impl Communicator<f32> + use<> {
        *self
    }

    pub fn abort(&self, _code: i32) -> ! {
        match *self {}
    }

    pub fn finish(self) {
        match self {}
    }

    pub fn first_to_fail(&self, _failed: bool) -> Option<usize> {
        match *self {}
    }

    pub fn compare(&self, _own: &[(&str, [u8; 32])]) -> Result<()> {
        match *self {}
    }

    pub fn description(&self) -> String {
        match *self {}
    }
}

impl Communicator<f32> for Mpi {
    fn rank(&self) -> usize {
        match *self {}
    }

    fn count(&self) -> usize {
        match *self {}
    }

    fn swap(&mut self, _partner: usize, _own: &[f32], _theirs: &mut [f32]) {
        match *self {}
    }
}
