//! An add-on without any of our routers, and the marketplace that sells it.

mod folder;
mod shop;
mod world;

use std::time::{Duration, Instant};

pub(crate) use folder::Folder;
pub(crate) use shop::{Act, Seen, Shop};
pub(crate) use world::{CLIENT_SECRET, World, entries, kind, manifest};

pub(crate) const SLUG: &str = "lantern";
pub(crate) const PASSWORD: &str = "nobody-guesses-this-one";
pub(crate) const SALT: &str = "nor-would-they-guess-that";

/// Asks until it is so. What never becomes so fails the test.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
