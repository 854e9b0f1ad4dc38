//! Test apps on real sockets and the marketplaces that call them.

mod app;
pub(crate) mod canaries;
mod counts;
mod example;
mod log;
mod raw;
mod raw_app;
mod server;
mod signal;
mod vendor;
mod widgets;

pub(crate) use app::{App, PASSWORD, SALT, SECRET, SLUG, cloudcontrol, dashboard, heroku, host, opperator};
pub(crate) use counts::Counts;
pub(crate) use example::{Folder, build, build_in};
pub(crate) use log::{Line, Log};
pub(crate) use raw::{Raw, RawReply, request};
pub(crate) use raw_app::{RawApp, RecordedApp};
pub(crate) use server::Server;
pub(crate) use signal::{Counter, Gate};
pub(crate) use vendor::Vendor;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;

/// Resource of the documented examples.
pub(crate) const UUID: &str = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21";

/// Time of the documented tokens.
pub(crate) const NOW: i64 = 1_772_000_000;

pub(crate) fn instant(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).expect("a valid timestamp")
}

/// Clock that advances only when it is set.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds)))
    }

    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn source(&self) -> impl Fn() -> OffsetDateTime + Send + Sync + 'static {
        let clock = self.clone();
        move || instant(clock.0.load(Ordering::SeqCst))
    }
}
