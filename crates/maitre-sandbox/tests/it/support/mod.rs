//! A test add-on that uses none of our routers, and a sandbox for it.

mod addon;
mod broker;
mod folder;
mod harness;

use std::time::{Duration, Instant};

pub(crate) use addon::{ReceivedCall, Reply, TestAddon};
pub(crate) use broker::TestBroker;
pub(crate) use folder::Folder;
pub(crate) use harness::{CLIENT_SECRET, Harness, entries, kind, manifest, read};

pub(crate) const SLUG: &str = "lantern";
pub(crate) const PASSWORD: &str = "development-password";
pub(crate) const SALT: &str = "development-salt";

/// Polls until the condition holds, and panics after 20 seconds.
pub(crate) async fn until(condition: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(20), "timed out: {condition}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
