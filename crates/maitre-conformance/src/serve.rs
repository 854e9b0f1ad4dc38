//! Serves a service of the same process on a loopback port.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::SetupError;

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

    pub(crate) async fn serve(&self) -> Result<ServedService, SetupError> {
        let no_port = |error| SetupError::with_source("cannot listen on a port of 127.0.0.1", error);
        let socket = TcpListener::bind("127.0.0.1:0").await.map_err(no_port)?;
        let origin = format!("http://{}", socket.local_addr().map_err(no_port)?);
        let app = self.0.clone();
        let task = tokio::spawn(async move {
            // runs until the task is aborted
            let _ = axum::serve(socket, app).await;
        });
        Ok(ServedService { origin, task })
    }
}

/// Running server; stops when dropped.
pub(crate) struct ServedService {
    origin: String,
    task: JoinHandle<()>,
}

impl ServedService {
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for ServedService {
    fn drop(&mut self) {
        self.task.abort();
    }
}
