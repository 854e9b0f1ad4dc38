//! The role of a server: prints its port, answers, and leaves when its input ends, however its parent ended.

use std::io::Read;

use axum::Router;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

use crate::Outcome;

/// So many may knock at once. With the usual 128 the system drops what comes beside them, and who knocks waits a second
/// before it tries again, which is no matter of the server.
const BACKLOG: u32 = 4096;

/// A server's runtime: as `#[tokio::main]` makes it, or one thread, whose instructions are the same in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// As many as the machine has cores.
    Many,
    /// The thread that it was made on.
    One,
}

crate::named!(Threads { Self::Many => "many-threads", Self::One => "one-thread" });

/// Serves the app on a free port of this machine until standard input ends.
///
/// # Errors
/// What the app's making, the runtime or the socket says.
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

/// A runtime with everything on.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime(threads: Threads) -> std::io::Result<Runtime> {
    match threads {
        Threads::Many => Builder::new_multi_thread(),
        Threads::One => Builder::new_current_thread(),
    }
    .enable_all()
    .build()
}
