//! A service of the same process, behind a loopback port of its own.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::CannotRun;

pub(crate) struct Service(Router);

impl Service {
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: tower::Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        Self(Router::new().fallback_service(service))
    }

    pub(crate) async fn serve(&self) -> Result<Served, CannotRun> {
        let no_port = |cause| CannotRun::because("cannot listen on a port of 127.0.0.1", cause);
        let socket = TcpListener::bind("127.0.0.1:0").await.map_err(no_port)?;
        let origin = format!("http://{}", socket.local_addr().map_err(no_port)?);
        let app = self.0.clone();
        let task = tokio::spawn(async move {
            // it ends with this value alone
            let _ = axum::serve(socket, app).await;
        });
        Ok(Served { origin, task })
    }
}

/// Ends when it is dropped.
pub(crate) struct Served {
    origin: String,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}
