//! Injected faults.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fastrand::Rng;
use futures_util::{StreamExt as _, stream};

use super::super::api::problem::Problem;

/// Fault that replaces or changes the platform's response: see
/// [`Platform::inject_fault`](crate::platform::Platform::inject_fault).
///
/// By default a fault applies once, to the next call of any kind, before the call takes effect:
///
/// ```
/// use maitre_testkit::platform::{Fault, Platform};
/// use std::time::Duration;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// platform.inject_fault(Fault::status(503));
/// platform.inject_fault(Fault::status(429).header("retry-after", "2").on("POST", "/oauth/token").times(3));
/// platform.inject_fault(Fault::drop_connection().after_work().on("PATCH", "/addons/*/config"));
/// platform.inject_fault(Fault::delay(Duration::from_millis(300)).always().chance(0.1));
/// ```
///
/// At most one fault applies to a call: the oldest one that matches and is not used up.
#[derive(Clone)]
#[must_use = "a fault is ordered with Platform::inject_fault"]
pub struct Fault {
    kind: Kind,
    after_work: bool,
    delay: Duration,
    headers: Vec<(String, String)>,
    method: Option<String>,
    path: Option<String>,
    left: Option<u64>,
    chance: f64,
}

#[derive(Clone)]
enum Kind {
    Delay,
    Status(u16),
    Drop,
    Cut,
    NotJson,
    Redirect(String),
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            after_work: false,
            delay: Duration::ZERO,
            headers: Vec::new(),
            method: None,
            path: None,
            left: Some(1),
            chance: 1.0,
        }
    }

    /// Responds with this status and an error body in Heroku's format.
    pub fn status(status: u16) -> Self {
        Self::new(Kind::Status(status))
    }

    /// Closes the connection without a response.
    ///
    /// This needs [`Platform::serve`](crate::platform::Platform::serve). In a router of yours the body of the
    /// response ends with an error immediately.
    pub fn drop_connection() -> Self {
        Self::new(Kind::Drop)
    }

    /// Delays the call by this much of the system's time. If the caller hangs up meanwhile, the call has no effect,
    /// unless the fault applies [`after_work`](Self::after_work).
    pub fn delay(by: Duration) -> Self {
        Self { delay: by, ..Self::new(Kind::Delay) }
    }

    /// Handles the call, and sends half of the response body.
    pub fn cut_body() -> Self {
        Self { after_work: true, ..Self::new(Kind::Cut) }
    }

    /// Responds with 200 and an HTML page, as a proxy might.
    pub fn not_json() -> Self {
        Self::new(Kind::NotJson)
    }

    /// Responds with 307 and this `Location`.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::new(Kind::Redirect(location.into()))
    }

    /// Handles the call before the fault applies, so that only the response is lost.
    pub fn after_work(mut self) -> Self {
        self.after_work = true;
        self
    }

    /// Adds a header to the response of the fault.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Applies only to calls with this method and path. `*` stands for any one segment.
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Applies to this many calls. Defaults to 1.
    pub fn times(mut self, times: u64) -> Self {
        self.left = Some(times);
        self
    }

    /// Applies to all matching calls.
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Applies to this share of the matching calls, from 0 to 1. The choice depends on [the platform's
    /// seed](crate::platform::Platform::set_seed) and is the same in every run.
    pub fn chance(mut self, share: f64) -> Self {
        self.chance = share;
        self
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|known| known == method)
            && self.path.as_ref().is_none_or(|pattern| path_matches(pattern, path))
    }

    pub(crate) fn is_after_work(&self) -> bool {
        self.after_work
    }

    pub(crate) async fn wait(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }

    /// Whether the fault replaces the response.
    pub(crate) fn replaces_response(&self) -> bool {
        !matches!(self.kind, Kind::Delay)
    }

    /// Returns the response in position of `made`, which is `None` if the call was not handled.
    pub(crate) fn answer(&self, made: Option<Bytes>) -> Response {
        self.answer_with(made, |status| Problem::injected(status).into_response())
    }

    /// Returns the response, with an error body of another API than Heroku's.
    pub(crate) fn answer_with(&self, made: Option<Bytes>, error: impl Fn(u16) -> Response) -> Response {
        let mut response = match &self.kind {
            Kind::Delay => Response::default(),
            Kind::Status(status) => error(*status),
            Kind::Drop => dropped(),
            Kind::Cut => cut(&made.unwrap_or_default()),
            Kind::NotJson => ([(header::CONTENT_TYPE, "text/html")], "<h1>Just a moment...</h1>").into_response(),
            Kind::Redirect(location) => redirect(location),
        };
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Delay => write!(f, "delay of {:?}", self.delay)?,
            Kind::Status(status) => write!(f, "status {status}")?,
            Kind::Drop => f.write_str("dropped connection")?,
            Kind::Cut => f.write_str("cut body")?,
            Kind::NotJson => f.write_str("body that is not JSON")?,
            Kind::Redirect(location) => write!(f, "redirect to {location}")?,
        }
        f.write_str(if self.after_work { ", after the work" } else { ", before the work" })
    }
}

/// Marks a response that is not sent: [`serve`](super::serve) closes the connection instead.
#[derive(Clone)]
pub(crate) struct Dropped;

fn dropped() -> Response {
    let mut response = broken(&[]);
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(Dropped);
    response
}

fn cut(body: &[u8]) -> Response {
    let mut response = broken(&body[..body.len() / 2]);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
    response
}

/// Marks a response whose body ends with an error.
#[derive(Clone)]
pub(crate) struct Broken;

fn broken(begun: &[u8]) -> Response {
    let begun = Bytes::copy_from_slice(begun);
    let end = async {
        // let the server send the first part before the error
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut off by a fault"))
    };
    let body = stream::once(async { Ok(begun) }).chain(stream::once(end));
    let mut response = Response::new(Body::from_stream(body));
    response.extensions_mut().insert(Broken);
    response
}

fn redirect(location: &str) -> Response {
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == "*" || wanted == found => {}
            _ => return false,
        }
    }
}

/// The faults that are injected and not used up.
pub(crate) struct Faults(Mutex<Pending>);

struct Pending {
    seed: u64,
    injected: u64,
    faults: Vec<PendingFault>,
}

struct PendingFault {
    number: u64,
    fault: Fault,
    /// Random numbers for the chance of the fault.
    rng: Rng,
}

impl PendingFault {
    fn new(seed: u64, number: u64, fault: Fault) -> Self {
        Self { number, fault, rng: rng(seed, number) }
    }
}

fn rng(seed: u64, number: u64) -> Rng {
    Rng::with_seed(seed ^ (number << 32))
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Pending { seed, injected: 0, faults: Vec::new() }))
    }

    pub(crate) fn set_seed(&self, seed: u64) {
        let mut pending = self.pending();
        pending.seed = seed;
        for fault in &mut pending.faults {
            fault.rng = rng(seed, fault.number);
        }
    }

    pub(crate) fn inject(&self, fault: Fault) {
        if fault.left == Some(0) {
            return;
        }
        let mut pending = self.pending();
        pending.injected += 1;
        let fault = PendingFault::new(pending.seed, pending.injected, fault);
        pending.faults.push(fault);
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.pending().faults.iter().map(|pending| pending.fault.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.pending().faults.clear();
    }

    /// Returns the fault for this call, if there is one.
    pub(crate) fn draw(&self, method: &str, path: &str) -> Option<Fault> {
        let mut pending = self.pending();
        let index = pending
            .faults
            .iter_mut()
            .position(|PendingFault { fault, rng, .. }| fault.matches(method, path) && rng.f64() < fault.chance)?;
        let fault = &mut pending.faults[index].fault;
        let drawn = fault.clone();
        fault.left = fault.left.map(|left| left.saturating_sub(1));
        if fault.left == Some(0) {
            drop(pending.faults.remove(index));
        }
        Some(drawn)
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_one_segment() {
        for (pattern, path, expected) in [
            ("/addons/*/config", "/addons/7/config", true),
            ("/addons/*/config", "/addons/7/8/config", false),
            ("/addons/*", "/addons", false),
            ("/addons", "/addons/", false),
            ("/oauth/token", "/oauth/token", true),
        ] {
            assert_eq!(path_matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_chance_is_reproducible_by_its_seed() {
        let drawn = |seed| {
            let faults = Faults::new(seed);
            faults.inject(Fault::status(503).always().chance(0.1));
            (0..10_000).map(|_| faults.draw("GET", "/addons").is_some()).collect::<Vec<_>>()
        };
        let hits = drawn(7).iter().filter(|hit| **hit).count();
        assert!((900..1100).contains(&hits), "{hits}");
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn the_next_fault_applies_when_one_is_used_up() {
        let faults = Faults::new(0);
        faults.inject(Fault::status(500).times(2));
        faults.inject(Fault::status(503).on("GET", "/addons"));
        let drawn = |path| faults.draw("GET", path).map(|fault| format!("{fault:?}"));
        assert_eq!(drawn("/addons").as_deref(), Some("status 500, before the work"));
        assert_eq!(drawn("/apps").as_deref(), Some("status 500, before the work"));
        assert_eq!(drawn("/apps"), None);
        assert_eq!(drawn("/addons").as_deref(), Some("status 503, before the work"));
        assert_eq!(drawn("/addons"), None);
    }
}
