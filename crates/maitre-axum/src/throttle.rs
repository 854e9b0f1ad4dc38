//! Throttling of callers with wrong credentials: a token bucket per peer.
//!
//! Correct credentials are never throttled, also behind a proxy, where all callers are one peer: the credentials are
//! checked first, and only the answer to wrong ones changes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::RETRY_AFTER;
use axum::http::{Extensions, HeaderValue, StatusCode};

use crate::error_reply::ErrorReply;

/// Wrong credentials that a peer may send without a pause.
const BURST: u32 = 100;

/// Time after which a peer may send wrong credentials again.
const REFILL: Duration = Duration::from_millis(100);

/// Peers with wrong credentials that are remembered.
const MAX_PEERS: usize = 10_000;

/// Peers that have sent wrong credentials.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<IpAddr, Bucket>>);

struct Bucket {
    tokens: u32,
    /// Time up to which tokens were added.
    filled_at: Instant,
}

impl Throttle {
    /// Returns the answer to wrong credentials in place of `error`, if its peer has sent too many. Without the peer's
    /// address, which `maitre::serve` and axum's `into_make_service_with_connect_info` add, nothing changes.
    pub(crate) fn answer(&self, extensions: &Extensions, error: ErrorReply, now: Instant) -> ErrorReply {
        let Some(peer) = peer(extensions) else { return error };
        if self.take(network(peer.ip()), now) {
            return error;
        }
        let message = "Too many requests with wrong credentials.";
        ErrorReply::new(StatusCode::TOO_MANY_REQUESTS, message).with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Takes a token of a peer. Returns whether there was one.
    fn take(&self, peer: IpAddr, now: Instant) -> bool {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= MAX_PEERS && !peers.contains_key(&peer) {
            peers.retain(|_, bucket| bucket.fill(now) < BURST);
            if peers.len() >= MAX_PEERS {
                peers.clear();
            }
        }
        let bucket = peers.entry(peer).or_insert(Bucket { tokens: BURST, filled_at: now });
        bucket.fill(now);
        let taken = bucket.tokens.checked_sub(1);
        bucket.tokens = taken.unwrap_or_default();
        taken.is_some()
    }
}

impl Bucket {
    /// Adds the tokens of the time since the last call, and returns their number.
    fn fill(&mut self, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.filled_at).as_millis() / REFILL.as_millis();
        let added = u32::try_from(passed).unwrap_or(BURST).min(BURST);
        self.filled_at += REFILL * added;
        self.tokens = (self.tokens + added).min(BURST);
        if self.tokens == BURST {
            self.filled_at = now;
        }
        self.tokens
    }
}

/// Returns the network that one caller controls: an address of version 4, or 64 bits of version 6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Returns the peer's address, if the server has added it.
#[cfg(feature = "throttle")]
fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<axum::extract::ConnectInfo<SocketAddr>>().map(|peer| peer.0)
}

#[cfg(not(feature = "throttle"))]
fn peer(_: &Extensions) -> Option<SocketAddr> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_peer_is_throttled_after_its_burst_and_until_its_refill() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        assert!((0..BURST).all(|_| throttle.take(peer(1), start)));
        assert!(!throttle.take(peer(1), start) && throttle.take(peer(2), start), "another peer has its own bucket");
        let early = start + Duration::from_millis(99);
        assert!(!throttle.take(peer(1), early));
        assert!(throttle.take(peer(1), start + REFILL) && !throttle.take(peer(1), start + REFILL));
        assert!((0..BURST).all(|_| throttle.take(peer(1), start + 1000 * REFILL)), "it holds no more than a burst");
        assert!(!throttle.take(peer(1), start + 1000 * REFILL));
    }

    #[test]
    fn the_number_of_remembered_peers_is_limited() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for number in 0..=u32::try_from(MAX_PEERS).unwrap() {
            throttle.take(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(throttle.0.lock().unwrap().len() <= MAX_PEERS);
    }

    #[test]
    fn one_network_of_version_6_is_one_peer() {
        let network = |address: &str| network(address.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2::5"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
        assert_eq!(network("::ffff:192.0.2.1"), peer(1));
    }
}
