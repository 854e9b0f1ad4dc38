//! Serving the platform.

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

/// Running server of a platform. Dropping it closes the listener and all connections.
#[derive(Debug)]
#[must_use = "the platform stops listening when this is dropped"]
pub struct PlatformServer {
    url: String,
    _tasks: JoinSet<()>,
}

impl PlatformServer {
    /// Returns the URL, such as `http://127.0.0.1:PORT`. The vendor under test must use it for Heroku's API, token
    /// endpoint and list of installs.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Platform {
    /// Serves the platform on a free port of 127.0.0.1, and delivers webhooks when they are due.
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
    /// Returns an error if binding fails.
    pub async fn serve(&self) -> io::Result<PlatformServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        self.serve_router(listener, self.router_with_fallback())
    }

    /// Serves a router of yours that contains [this platform's](Self::router), and delivers webhooks. A
    /// [`Fault`](crate::platform::Fault) can drop connections only in a served platform.
    ///
    /// # Errors
    /// Returns an error if the listener has no address.
    pub fn serve_router(&self, listener: TcpListener, router: Router) -> io::Result<PlatformServer> {
        let url = format!("http://{}", listener.local_addr()?);
        self.state().url.get_or_insert_with(|| url.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, router));
        tasks.spawn(deliver_webhooks(self.clone()));
        Ok(PlatformServer { url, _tasks: tasks })
    }
}

pub(crate) async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve_connection(stream, router.clone()))),
                // out of file descriptors: wait for a connection to end
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let response =
                router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never: Infallible| match never {});
            match response.extensions().get::<Dropped>() {
                Some(Dropped) => Err(io::Error::other("dropped by a fault")),
                None => Ok(response),
            }
        }
    });
    // the client closed the connection, or a fault dropped it
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

const HOUR: Duration = Duration::from_hours(1);

/// Delivers webhooks after an event, after a change of the clock, and when a retry is due.
async fn deliver_webhooks(platform: Platform) {
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
