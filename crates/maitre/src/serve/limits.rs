//! Time and number limits at the socket.

use std::time::Duration;

/// Limits on what a caller may take at the socket; each has a default that suits a public service.
///
/// ```
/// use std::time::Duration;
/// use maitre::ServeLimits;
///
/// let limits = ServeLimits::new().with_header_read(Duration::from_secs(5)).with_connections(200);
/// assert_eq!(limits.header_read(), Duration::from_secs(5));
/// assert_eq!(limits.connections(), 200);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeLimits {
    header_read: Duration,
    body_read: Duration,
    idle: Duration,
    connections: usize,
}

impl ServeLimits {
    /// The defaults: 10 s for a request head, 30 s without a byte of a body, 75 s idle between requests, and three
    /// quarters of the process's file descriptors as connections (at most 10 000).
    #[must_use]
    pub fn new() -> Self {
        Self {
            header_read: Duration::from_secs(10),
            body_read: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            connections: default_connections(),
        }
    }

    /// Sets the time in which a request head must arrive, from its first byte on; for the first request of a
    /// connection, from the connection's start on.
    #[must_use]
    pub fn with_header_read(self, header_read: Duration) -> Self {
        Self { header_read, ..self }
    }

    /// Sets the longest time without a byte while a request body is read.
    #[must_use]
    pub fn with_body_read(self, body_read: Duration) -> Self {
        Self { body_read, ..self }
    }

    /// Sets the time that a connection is kept open between two requests.
    #[must_use]
    pub fn with_idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Sets the most connections that are open at a time, at least 1.
    ///
    /// When all are taken, a new connection replaces the one that has been without a request for the longest time;
    /// it waits while every connection is answering a request.
    #[must_use]
    pub fn with_connections(self, connections: usize) -> Self {
        Self { connections: connections.max(1), ..self }
    }

    /// Returns the time in which a request head must arrive.
    #[must_use]
    pub fn header_read(&self) -> Duration {
        self.header_read
    }

    /// Returns the longest time without a byte while a request body is read.
    #[must_use]
    pub fn body_read(&self) -> Duration {
        self.body_read
    }

    /// Returns the time that a connection is kept open between two requests.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.idle
    }

    /// Returns the most connections that are open at a time.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections
    }
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self::new()
    }
}

const MOST_CONNECTIONS: usize = 10_000;

/// Leaves a quarter of the file descriptors to databases, files and outgoing calls: a process without a free
/// descriptor cannot accept, and cannot reach its database either.
#[cfg(unix)]
fn default_connections() -> usize {
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let descriptors = descriptors.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    (descriptors / 4).saturating_mul(3).clamp(1, MOST_CONNECTIONS)
}

#[cfg(not(unix))]
fn default_connections() -> usize {
    MOST_CONNECTIONS
}
