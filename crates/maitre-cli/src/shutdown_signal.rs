//! Shutdown signals.

/// Completes on the next Ctrl-C or SIGTERM. The signal handlers are installed when this function returns.
#[cfg(unix)]
pub(crate) fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    let interrupted = tokio::signal::windows::ctrl_c();
    interrupted.map(|mut interrupted| async move { drop(interrupted.recv().await) })
}
