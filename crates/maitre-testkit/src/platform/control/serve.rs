//! The platform on a port of its own.

use std::{convert::Infallible, io, net::Ipv4Addr};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower::ServiceExt as _;

use super::{fault::Dropped, platform::Platform};

/// A platform that listens. It stops, in the midst of whatever it does, when this is dropped.
#[derive(Debug)]
#[must_use = "the platform stops listening when this is dropped"]
pub struct PlatformServer {
    url: String,
    _tasks: JoinSet<()>,
}

impl PlatformServer {
    /// Where it listens, as `http://127.0.0.1:PORT`: what the vendor under test must take for Heroku's API, for its
    /// token endpoint's host and for the host of its inventory.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Platform {
    /// Serves it on a free port of 127.0.0.1, and delivers webhooks as they become due.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use maitre_testkit::platform::Platform;
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let api = platform.serve().await.unwrap();
    /// let reply = reqwest::get(format!("{}/nothing", api.url())).await.unwrap();
    /// assert_eq!(reply.status(), 404);
    /// assert!(reply.headers().contains_key("request-id"));
    /// # }
    /// ```
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn serve(&self) -> io::Result<PlatformServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        self.serve_router(listener, self.router_with_fallback())
    }

    /// Serves a router of yours that [this platform's](Self::router) is part of, and delivers webhooks. Only so are
    /// connections dropped that a [`Fault`](crate::platform::Fault) says should be.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn serve_router(&self, listener: TcpListener, router: Router) -> io::Result<PlatformServer> {
        let url = format!("http://{}", listener.local_addr()?);
        self.state().url.get_or_insert_with(|| url.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, router));
        tasks.spawn(carry(self.clone()));
        Ok(PlatformServer { url, _tasks: tasks })
    }
}

async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, router.clone()))),
                // no more open files: some connection will end
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let response =
                router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never: Infallible| match never {});
            match response.extensions().get::<Dropped>() {
                Some(Dropped) => Err(io::Error::other("dropped, as ordered")),
                None => Ok(response),
            }
        }
    });
    // a connection that breaks is the other side's affair, or a fault that was ordered
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

const HOUR: Duration = Duration::from_hours(1);

/// Delivers webhooks when something happens, when the clock is turned, and when a retry is due by itself.
async fn carry(platform: Platform) {
    loop {
        platform.deliver_webhooks().await;
        let clock = platform.clock();
        let next = platform.state().next_attempt_at().filter(|_| !clock.is_stopped());
        let pause = next.map_or(HOUR, |next| Duration::try_from(next - clock.now()).unwrap_or_default().min(HOUR));
        tokio::select! {
            () = clock.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
