//! Binding the port of the sandbox.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Number of ports after the first that are tried.
const ALTERNATIVES: u16 = 50;

/// Time that a listening program has to accept a connection.
const PROBE_TIMEOUT: Duration = Duration::from_millis(250);

/// Binds a port, or the next free port if that port is taken. Port 0 takes any free port.
///
/// A loopback port also counts as taken if another program listens on it at the other loopback address, because a browser
/// that opens `localhost` may connect to that program.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let address = "127.0.0.1".parse().expect("an address");
/// let first = maitre_sandbox::bind(address, 0).await?.local_addr()?;
/// assert!(first.ip().is_loopback());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Returns an error if the address is not one of this machine, if the port is reserved, or if this port and the 50 ports
/// after it are taken.
pub async fn bind(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let last = if port == 0 { 0 } else { port.saturating_add(ALTERNATIVES) };
    for port in port..=last {
        if port != 0 && has_listener(address, port).await {
            continue;
        }
        match TcpListener::bind((address, port)).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
    Err(io::Error::new(ErrorKind::AddrInUse, format!("the ports from {port} to {last} are taken")))
}

/// Whether a program accepts connections at this port. On some systems the port can be bound nevertheless, for example
/// if the program listens on all addresses.
async fn has_listener(address: IpAddr, port: u16) -> bool {
    let addresses = if address.is_loopback() || address.is_unspecified() {
        vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)]
    } else {
        vec![address]
    };
    for address in addresses {
        let connect = TcpStream::connect(SocketAddr::from((address, port)));
        if matches!(timeout(PROBE_TIMEOUT, connect).await, Ok(Ok(_))) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_taken_port_is_replaced_by_the_next_free_port() {
        let taken = bind(LOOPBACK, 0).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let next = bind(LOOPBACK, port).await.unwrap().local_addr().unwrap().port();
        assert!(next > port && next <= port.saturating_add(ALTERNATIVES), "{port} {next}");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_at_the_other_loopback_address_is_not_used() {
        let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let port = other.local_addr().unwrap().port();
        assert_ne!(bind(LOOPBACK, port).await.unwrap().local_addr().unwrap().port(), port);
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_an_error() {
        let error = bind("192.0.2.1".parse().unwrap(), 0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    }
}
