//! Workers that stop with the test, and numbers that come again with the same seed.

use std::time::Duration;

use maitre::heroku::Heroku;
use maitre_core::Addon;
use maitre_ledger::{Ledger, Worker};
use tokio::task::JoinHandle;

use super::vendor::Vendor;

/// A worker that does not rest.
pub(crate) fn worker(ledger: &Ledger, vendor: &Vendor) -> Worker {
    let heroku = Heroku::new("lantern", "password", "salt").expect("no part is empty");
    let addon = Addon::new(heroku, ledger.keep(vendor.clone()));
    ledger.worker([addon]).pause(Duration::from_millis(5))
}

/// A worker in a task of its own; dropping this kills it where it stands.
pub(crate) struct Working(JoinHandle<()>);

impl Working {
    pub(crate) fn start(ledger: &Ledger, vendor: &Vendor) -> Self {
        Self(tokio::spawn(worker(ledger, vendor).run(std::future::pending())))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Numbers that look random and come again with the same seed (splitmix64).
pub(crate) struct RandomNumbers(u64);

impl RandomNumbers {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Others, determined by these.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}
