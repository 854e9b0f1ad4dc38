//! Heroku's own side, played for an add-on that calls it.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use maitre_testkit::Reply;
use maitre_testkit::platform::{Exchange, Fault, Install, Platform, Rule, Serving, State, Violation};
use serde_json::Value;

use crate::error::CannotRun;
use crate::suite::Given;

/// How often it is looked whether something has happened.
const GLANCE: Duration = Duration::from_millis(20);

/// How long nobody has to call for it to be calm.
const CALM: Duration = Duration::from_millis(100);

pub(crate) struct Stage {
    platform: Platform,
    _serving: Serving,
    pub(super) client_secret: String,
    finish_within: Duration,
    in_vain: AtomicBool,
}

impl Stage {
    pub(crate) fn open(
        given: &Given,
        socket: TcpListener,
        client_secret: &str,
        finish_within: Duration,
    ) -> Result<Self, CannotRun> {
        let no_socket = |cause| CannotRun::because("the platform cannot be played on this socket", cause);
        socket.set_nonblocking(true).map_err(no_socket)?;
        let socket = tokio::net::TcpListener::from_std(socket).map_err(no_socket)?;
        let api = &given.manifest.api;
        let requires = |what: &str| api.requires.iter().any(|required| required == what);
        let platform = Platform::new(&given.manifest.id, &given.password()?, client_secret).with(|settings| {
            settings.config_vars = Some(api.config_vars.clone());
            settings.config_vars_prefix.clone_from(&api.config_vars_prefix);
            settings.log_input = requires("log_input");
            settings.syslog_drain = requires("syslog_drain");
            // a run makes more calls in a minute than an add-on in an hour
            settings.rate_limit = u32::MAX;
        });
        let serving = platform.serve_router(socket, platform.router()).map_err(no_socket)?;
        let client_secret = client_secret.to_owned();
        Ok(Self { platform, _serving: serving, client_secret, finish_within, in_vain: AtomicBool::new(false) })
    }

    pub(super) fn install(&self, plan: &str) -> Install {
        self.platform.install(plan)
    }

    pub(super) fn find(&self, name: &str) -> Option<Install> {
        find(&self.platform, name)
    }

    /// Tells the platform what the add-on answered.
    pub(super) fn witness(&self) -> impl Fn(&Reply) + Send + Sync + 'static {
        let platform = self.platform.clone();
        move |reply: &Reply| {
            let request = reply.request();
            let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            let last = request.url().rsplit('/').next().unwrap_or_default();
            let named = if request.method() == "POST" { body["uuid"].as_str() } else { Some(last) };
            let Some(install) = named.and_then(|name| find(&platform, name)) else { return };
            match request.method() {
                "POST" => install.provision_answered(reply),
                "PUT" => install.plan_change_answered(body["plan"].as_str().unwrap_or_default(), reply),
                "DELETE" => install.deprovision_answered(reply),
                _ => {}
            }
        }
    }

    pub(super) fn has_waited_in_vain(&self) -> bool {
        self.in_vain.load(Ordering::Relaxed)
    }

    /// Waits until the add-on was marked provisioned, or for as long as it may take.
    pub(super) async fn is_finished(&self, uuid: &str) -> bool {
        let finished = self.reaches(uuid, State::Provisioned).await;
        self.in_vain.fetch_or(!finished, Ordering::Relaxed);
        finished
    }

    pub(super) fn wait_no_more(&self) {
        self.in_vain.store(true, Ordering::Relaxed);
    }

    pub(super) async fn reaches(&self, uuid: &str, state: State) -> bool {
        let Some(install) = self.find(uuid) else { return false };
        self.comes_true(|| install.state() == state).await
    }

    /// Waits until this is so, or for as long as it may take.
    pub(super) async fn comes_true(&self, so: impl Fn() -> bool) -> bool {
        let end = Instant::now() + self.finish_within;
        while !so() {
            if Instant::now() >= end {
                return false;
            }
            tokio::time::sleep(GLANCE).await;
        }
        true
    }

    /// Orders something that goes wrong at the platform, when nobody else is calling it; it ends with the value that is
    /// returned.
    pub(super) async fn disturb(&self, fault: Fault) -> Disturbance<'_> {
        let calls = || self.platform.exchanges().len();
        let (mut before, end) = (calls(), Instant::now() + CALM * 20);
        loop {
            tokio::time::sleep(CALM).await;
            let now = calls();
            if now == before || Instant::now() > end {
                break;
            }
            before = now;
        }
        self.platform.fault(fault);
        Disturbance(&self.platform)
    }

    pub(super) fn exchanges(&self, uuid: &str) -> Vec<Exchange> {
        self.find(uuid).map(|install| install.exchanges()).unwrap_or_default()
    }

    pub(super) fn has_been_called(&self) -> bool {
        !self.platform.exchanges().is_empty()
    }

    /// What was done against a rule, about this add-on or about none.
    pub(super) fn violation(&self, rule: Rule, uuid: Option<&str>) -> Option<Violation> {
        let about = |violation: &Violation| uuid.is_none() || violation.uuid() == uuid;
        self.platform.violations().into_iter().find(|violation| violation.rule() == rule && about(violation))
    }
}

pub(super) struct Disturbance<'p>(&'p Platform);

impl Drop for Disturbance<'_> {
    fn drop(&mut self) {
        self.0.clear_faults();
    }
}

/// By Heroku's uuid or by the id that the add-on answered.
fn find(platform: &Platform, name: &str) -> Option<Install> {
    let mut installs = platform.installs().into_iter();
    installs.find(|install| install.uuid() == name || install.provider_id().as_deref() == Some(name))
}
