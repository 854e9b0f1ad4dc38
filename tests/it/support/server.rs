use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Running app on a free port. Dropping it starts a graceful shutdown; [`Server::stop`] also waits for its end.
pub(crate) struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(app: Router) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("the port's number");
        let (stop, stopped) = oneshot::channel();
        let serve = axum::serve(socket, app).with_graceful_shutdown(async move {
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move { serve.await.expect("the server") });
        Self { address, stop, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops accepting connections and waits until every request is answered.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.expect("a clean shutdown");
    }
}
