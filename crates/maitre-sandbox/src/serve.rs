//! The sandbox on a port of its own.

use std::{io, sync::atomic::Ordering, time::Duration};

use maitre_testkit::platform;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{Sandbox, events::PageEvent};

/// How often what is due is looked for.
const TICK: Duration = Duration::from_millis(250);

/// The add-on's door is knocked at once in so many ticks, and the file written.
const PROBE_TICKS: u32 = 12;
const SAVE_TICKS: u32 = 4;

/// A sandbox that listens. It stops, and writes its file, when this is dropped.
#[derive(Debug)]
#[must_use = "the sandbox stops listening when this is dropped"]
pub struct Serving {
    sandbox: Sandbox,
    url: String,
    api_url: String,
    _platform: platform::Serving,
    _tasks: JoinSet<()>,
}

impl Serving {
    /// Where the page is. Its host is `localhost`, or `127.0.0.1` where the add-on itself is at `localhost`: so the page
    /// and the add-on are two sites to a browser, as Heroku and an add-on are, and cookies behave as they will.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the add-on and the customer's client take for Heroku's API, with an address for a host.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// Serves until the process ends.
    pub async fn forever(self) {
        std::future::pending::<()>().await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.sandbox.save();
    }
}

impl Sandbox {
    /// Serves it, asks the add-on again when that is due, and delivers webhooks.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn serve(&self, listener: TcpListener) -> io::Result<Serving> {
        let address = listener.local_addr()?;
        let is_at_localhost = |url: &str| url.contains("://localhost");
        let addon = self.addon().sso_url.as_deref().unwrap_or(&self.addon().base_url);
        let host = match address.ip() {
            ip if !ip.is_loopback() && !ip.is_unspecified() => address.to_string(),
            _ if is_at_localhost(addon) => format!("127.0.0.1:{}", address.port()),
            _ => format!("localhost:{}", address.port()),
        };
        let url = self.inner().url.get_or_init(|| format!("http://{host}")).clone();
        self.platform().change(|settings| settings.dashboards = format!("{url}/sso"));
        let serving = self.platform().serve_router(listener, self.router())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(run_clock(self.clone()));
        Ok(Serving { sandbox: self.clone(), url, api_url: serving.url().to_owned(), _platform: serving, _tasks: tasks })
    }
}

async fn run_clock(sandbox: Sandbox) {
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for tick in 0_u32.. {
        clock.tick().await;
        sandbox.tick();
        if tick.is_multiple_of(SAVE_TICKS) {
            sandbox.save();
        }
        if tick.is_multiple_of(PROBE_TICKS) {
            probe(&sandbox).await;
        }
    }
}

/// Looks whether somebody listens where the add-on should be.
async fn probe(sandbox: &Sandbox) {
    let Some((_, authority)) = sandbox.addon().origin.split_once("://") else { return };
    let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let is_there = matches!(timeout(TICK, TcpStream::connect(address)).await, Ok(Ok(_)));
    if sandbox.inner().reachable.swap(is_there, Ordering::Relaxed) != is_there {
        sandbox.tell(PageEvent::Panel);
    }
}
