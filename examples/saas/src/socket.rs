//! Socket of the server: one address, or both loopback addresses.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};

/// Number of attempts to find a port that is free at both loopback addresses, for port 0.
const ATTEMPTS: usize = 20;

pub(crate) struct Socket {
    main: TcpListener,
    /// Socket at the IPv6 loopback address, as some clients only connect to the first address of `localhost`.
    ipv6: Option<TcpListener>,
}

impl Socket {
    /// Listens at `host`. The name `localhost` stands for 127.0.0.1 and, if this machine has it, `::1`.
    pub(crate) async fn bind(host: &str, port: u16) -> anyhow::Result<Self> {
        let hint = |address: String| format!("cannot listen on {address}: choose another HOST or PORT");
        if !host.eq_ignore_ascii_case("localhost") {
            let address = match host.parse::<IpAddr>() {
                Ok(ip) => SocketAddr::new(ip, port).to_string(),
                Err(_) => format!("{host}:{port}"),
            };
            let main = TcpListener::bind((host, port)).await.with_context(|| hint(address))?;
            return Ok(Self { main, ipv6: None });
        }
        for attempt in 1.. {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let main = TcpListener::bind(address).await.with_context(|| hint(address.to_string()))?;
            let address = SocketAddr::from((Ipv6Addr::LOCALHOST, main.local_addr()?.port()));
            match TcpListener::bind(address).await {
                Ok(ipv6) => return Ok(Self { main, ipv6: Some(ipv6) }),
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    if port != 0 || attempt == ATTEMPTS {
                        return Err(error).with_context(|| hint(address.to_string()));
                    }
                }
                Err(_) => return Ok(Self { main, ipv6: None }), // this machine has no IPv6
            }
        }
        unreachable!("the last attempt returns")
    }
}

impl Listener for Socket {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let Self { main, ipv6 } = self;
        match ipv6 {
            None => Listener::accept(main).await,
            Some(ipv6) => tokio::select! {
                accepted = Listener::accept(main) => accepted,
                accepted = Listener::accept(ipv6) => accepted,
            },
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.main.local_addr()
    }
}
