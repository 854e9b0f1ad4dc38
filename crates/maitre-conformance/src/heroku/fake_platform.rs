//! Fake Heroku Platform API for add-ons that answer 202.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use maitre_testkit::Reply;
use maitre_testkit::platform::{Exchange, Fault, Install, Platform, PlatformServer, Rule, State, Violation};
use serde_json::Value;

use crate::error::SetupError;
use crate::manifest_input::ManifestInput;

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Time without a call to the platform after which it counts as idle.
const QUIET_PERIOD: Duration = Duration::from_millis(100);

pub(crate) struct FakePlatform {
    platform: Platform,
    _serving: PlatformServer,
    pub(super) client_secret: String,
    async_timeout: Duration,
    has_timed_out: AtomicBool,
}

impl FakePlatform {
    pub(crate) fn start(
        input: &ManifestInput,
        socket: TcpListener,
        client_secret: &str,
        async_timeout: Duration,
    ) -> Result<Self, SetupError> {
        let cannot_serve = |error| SetupError::with_source("cannot serve the fake platform on this socket", error);
        socket.set_nonblocking(true).map_err(cannot_serve)?;
        let socket = tokio::net::TcpListener::from_std(socket).map_err(cannot_serve)?;
        let api = &input.manifest.api;
        let requires = |feature: &str| api.requires.iter().any(|required| required == feature);
        let platform = Platform::builder(&input.manifest.id, &input.password()?, client_secret)
            .settings(|settings| {
                settings.config_vars = Some(api.config_vars.clone());
                settings.config_vars_prefix.clone_from(&api.config_vars_prefix);
                settings.log_input = requires("log_input");
                settings.syslog_drain = requires("syslog_drain");
                // a run makes more calls per minute than an add-on per hour
                settings.rate_limit = u32::MAX;
            })
            .build();
        let serving = platform.serve_router(socket, platform.router()).map_err(cannot_serve)?;
        let client_secret = client_secret.to_owned();
        Ok(Self { platform, _serving: serving, client_secret, async_timeout, has_timed_out: AtomicBool::new(false) })
    }

    pub(super) fn install(&self, plan: &str) -> Install {
        self.platform.install(plan)
    }

    pub(super) fn find(&self, id: &str) -> Option<Install> {
        find(&self.platform, id)
    }

    /// Returns a callback that passes the add-on's replies to the platform.
    pub(super) fn reply_observer(&self) -> impl Fn(&Reply) + Send + Sync + 'static {
        let platform = self.platform.clone();
        move |reply: &Reply| {
            let request = reply.request();
            let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let last_segment = request.url().rsplit('/').next().unwrap_or_default();
            let id = if request.method() == "POST" { body["uuid"].as_str() } else { Some(last_segment) };
            let Some(install) = id.and_then(|id| find(&platform, id)) else { return };
            match request.method() {
                "POST" => install.record_provision(reply),
                "PUT" => install.record_plan_change(body["plan"].as_str().unwrap_or_default(), reply),
                "DELETE" => install.record_deprovision(reply),
                _ => {}
            }
        }
    }

    /// Returns whether waiting for a completion has timed out.
    pub(super) fn has_timed_out(&self) -> bool {
        self.has_timed_out.load(Ordering::Relaxed)
    }

    /// Waits until the add-on marks the resource as provisioned, or until the timeout.
    pub(super) async fn wait_provisioned(&self, uuid: &str) -> bool {
        let provisioned = self.wait_for_state(uuid, State::Provisioned).await;
        self.has_timed_out.fetch_or(!provisioned, Ordering::Relaxed);
        provisioned
    }

    /// Records a timeout, so that further checks do not wait for completions.
    pub(super) fn stop_waiting(&self) {
        self.has_timed_out.store(true, Ordering::Relaxed);
    }

    pub(super) async fn wait_for_state(&self, uuid: &str, state: State) -> bool {
        let Some(install) = self.find(uuid) else { return false };
        self.wait_until(|| install.state() == state).await
    }

    /// Waits until the condition is true, or until the timeout.
    pub(super) async fn wait_until(&self, condition: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + self.async_timeout;
        while !condition() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        true
    }

    /// Waits until the platform is idle, then injects a fault. The fault ends when the returned guard is dropped.
    pub(super) async fn inject(&self, fault: Fault) -> FaultGuard<'_> {
        let call_count = || self.platform.exchanges().len();
        let (mut before, deadline) = (call_count(), Instant::now() + QUIET_PERIOD * 20);
        loop {
            tokio::time::sleep(QUIET_PERIOD).await;
            let now = call_count();
            if now == before || Instant::now() > deadline {
                break;
            }
            before = now;
        }
        self.platform.inject_fault(fault);
        FaultGuard(&self.platform)
    }

    pub(super) fn exchanges(&self, uuid: &str) -> Vec<Exchange> {
        self.find(uuid).map(|install| install.exchanges()).unwrap_or_default()
    }

    pub(super) fn has_been_called(&self) -> bool {
        !self.platform.exchanges().is_empty()
    }

    /// Returns a violation of a rule, by this resource or by any.
    pub(super) fn violation(&self, rule: Rule, uuid: Option<&str>) -> Option<Violation> {
        let is_by = |violation: &Violation| uuid.is_none() || violation.uuid() == uuid;
        self.platform.violations().into_iter().find(|violation| violation.rule() == rule && is_by(violation))
    }
}

/// Guard of an injected fault.
pub(super) struct FaultGuard<'p>(&'p Platform);

impl Drop for FaultGuard<'_> {
    fn drop(&mut self) {
        self.0.clear_faults();
    }
}

/// Finds an install by Heroku's uuid or by the add-on's id.
fn find(platform: &Platform, id: &str) -> Option<Install> {
    let mut installs = platform.installs().into_iter();
    installs.find(|install| install.uuid() == id || install.provider_id().as_deref() == Some(id))
}
