//! Role of a server: prints its port, serves, and exits when its standard input ends, however its parent ended.

use std::io::Read;

use axum::Router;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

use crate::Outcome;

/// Listen backlog. With the usual 128 the system drops further connection attempts, and the client waits a second before it
/// tries again, which has nothing to do with the server.
const BACKLOG: u32 = 4096;

/// Runtime of a server: that of `#[tokio::main]`, or a single thread, which executes the same instructions in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// One thread per core.
    Many,
    /// The current thread only.
    One,
}

crate::named!(Threads { Self::Many => "many-threads", Self::One => "one-thread" });

/// Serves the app on a free port of this machine until standard input ends.
///
/// # Errors
/// Returns an error if creating the app, the runtime or the socket fails.
pub fn serve(threads: Threads, app: impl Future<Output = Outcome<Router>>) -> Outcome<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime(threads)?.block_on(async {
        let app = app.await?;
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        println!("{}", listener.local_addr()?.port());
        axum::serve(listener, app).await?;
        Ok(())
    })
}

/// Returns a runtime with all drivers enabled.
///
/// # Errors
/// Returns an error if the system cannot start threads.
pub fn runtime(threads: Threads) -> std::io::Result<Runtime> {
    match threads {
        Threads::Many => Builder::new_multi_thread(),
        Threads::One => Builder::new_current_thread(),
    }
    .enable_all()
    .build()
}
