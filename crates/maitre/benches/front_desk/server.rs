//! The role of a server: prints its port, answers, and leaves when its input ends, however its parent ended.

use std::io::Read;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::Outcome;
use crate::desk::{Desk, Threads};

pub(crate) fn serve(desk: Desk, threads: Threads) -> Outcome<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime(threads)?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        axum::serve(listener, desk.app()?).await?;
        Ok(())
    })
}

pub(crate) fn runtime(threads: Threads) -> std::io::Result<Runtime> {
    match threads {
        Threads::Many => Builder::new_multi_thread(),
        Threads::One => Builder::new_current_thread(),
    }
    .enable_all()
    .build()
}
