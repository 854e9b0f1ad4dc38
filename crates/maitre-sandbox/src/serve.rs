//! Serves the sandbox on a listener.

use std::{io, sync::atomic::Ordering, time::Duration};

use maitre_testkit::platform;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{Sandbox, events::PageEvent};

const TICK_INTERVAL: Duration = Duration::from_millis(250);

/// Number of ticks between probes of the add-on's port.
const PROBE_TICKS: u32 = 12;

/// Number of ticks between saves of the state.
const SAVE_TICKS: u32 = 4;

/// Sandbox that listens on a port. Dropping it stops the sandbox and saves its state.
#[derive(Debug)]
#[must_use = "the sandbox stops listening when this is dropped"]
pub struct Serving {
    sandbox: Sandbox,
    url: String,
    api_url: String,
    _platform: platform::PlatformServer,
    _tasks: JoinSet<()>,
}

impl Serving {
    /// Returns the URL of the page. Its host is `localhost`, or `127.0.0.1` if the add-on is at `localhost`, so that the
    /// page and the add-on are different sites to a browser, as Heroku and an add-on are.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the base URL for the add-on and the customer's client, in place of Heroku's. Its host is an IP address.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.api_url
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.sandbox.save_state();
    }
}

impl Sandbox {
    /// Serves the [router](Self::router), retries calls to the add-on, and delivers webhooks.
    ///
    /// # Errors
    /// Returns an error if the listener has no local address.
    pub fn serve(&self, listener: TcpListener) -> io::Result<Serving> {
        let address = listener.local_addr()?;
        let is_localhost = |url: &str| url.contains("://localhost");
        let addon = self.addon().sso_url.as_deref().unwrap_or(&self.addon().base_url);
        let host = match address.ip() {
            ip if !ip.is_loopback() && !ip.is_unspecified() => address.to_string(),
            _ if is_localhost(addon) => format!("127.0.0.1:{}", address.port()),
            _ => format!("localhost:{}", address.port()),
        };
        let url = self.inner().url.get_or_init(|| format!("http://{host}")).clone();
        self.platform().update_settings(|settings| settings.dashboard_url = format!("{url}/sso"));
        let serving = self.platform().serve_router(listener, self.router())?;
        self.contract().serve_at(serving.url());
        let mut tasks = JoinSet::new();
        tasks.spawn(run_clock(self.clone()));
        Ok(Serving { sandbox: self.clone(), url, api_url: serving.url().to_owned(), _platform: serving, _tasks: tasks })
    }
}

async fn run_clock(sandbox: Sandbox) {
    let mut clock = interval(TICK_INTERVAL);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for tick in 0_u32.. {
        clock.tick().await;
        sandbox.tick();
        if tick.is_multiple_of(SAVE_TICKS) {
            sandbox.save_state();
        }
        if tick.is_multiple_of(PROBE_TICKS) {
            probe(&sandbox).await;
        }
    }
}

/// Checks whether the add-on's port accepts connections.
async fn probe(sandbox: &Sandbox) {
    let Some((_, authority)) = sandbox.addon().origin.split_once("://") else { return };
    let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let is_reachable = matches!(timeout(TICK_INTERVAL, TcpStream::connect(address)).await, Ok(Ok(_)));
    if sandbox.inner().reachable.swap(is_reachable, Ordering::Relaxed) != is_reachable {
        sandbox.publish(PageEvent::Panel);
    }
}
