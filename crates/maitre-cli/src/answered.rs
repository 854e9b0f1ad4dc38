//! Notice for a host name with several addresses: the address that answered.
//!
//! The name `localhost` often stands for `::1` and 127.0.0.1, and another program may listen on the same port at one of
//! them.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use maitre_testkit::{Heroku, Reply};
use tokio::net::lookup_host;
use tokio::time::timeout;

/// Number of characters of a `Server` header that are shown.
const MAX_SERVER: usize = 60;

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends a request to `url` and returns the notice for its host. Returns `None` if the host has one address or does not
/// answer.
pub(crate) async fn probe(url: &str) -> Option<String> {
    let addresses = addresses(url).await?;
    let request = Heroku::new(url, "", "", "").raw("GET", url);
    let reply = timeout(PROBE_TIMEOUT, request.try_send()).await.ok()?.ok()?;
    notice_for(url, &addresses, &reply, true)
}

/// Returns the notice for the host of a reply. Returns `None` if the host has one address.
pub(crate) async fn notice(reply: &Reply) -> Option<String> {
    let url = reply.request().url();
    let is_success = (200..400).contains(&reply.status());
    notice_for(url, &addresses(url).await?, reply, !is_success)
}

fn notice_for(url: &str, addresses: &[IpAddr], reply: &Reply, with_hint: bool) -> Option<String> {
    Some(text(host_of(url)?, addresses, reply.remote_address()?, reply.header("server"), with_hint))
}

/// Returns the addresses of the host name in `url`, if there are several.
async fn addresses(url: &str) -> Option<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for address in lookup_host((host_of(url)?, 0)).await.ok()? {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    (addresses.len() > 1).then_some(addresses)
}

/// Returns the host name of a URL. Returns `None` for an IPv6 address.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') { None } else { host.split(':').next() }
}

fn text(host: &str, addresses: &[IpAddr], answered: SocketAddr, server: Option<&str>, with_hint: bool) -> String {
    let list: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let server = server.map(|server| {
        let shown: String = server.chars().take(MAX_SERVER).collect();
        format!(" (server: {})", shown.escape_debug())
    });
    let server = server.unwrap_or_default();
    let mut text = format!("{host} has the addresses {}: {answered} answered{server}", list.join(" and "));
    // the name in the certificate of another machine is not its address
    let other = addresses.iter().find(|address| **address != answered.ip() && address.is_loopback());
    if let Some(other) = other.filter(|_| with_hint) {
        let other = SocketAddr::new(*other, answered.port());
        let _ = write!(text, "; if that is not your add-on, use --url http://{other} or another port");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{host_of, text};

    #[test]
    fn the_notice_names_the_address_and_the_server() {
        let localhost = ["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        let answered = "[::1]:8300".parse().unwrap();
        assert_eq!(
            text("localhost", &localhost, answered, Some("AirTunes/1\u{1b}"), true),
            "localhost has the addresses ::1 and 127.0.0.1: [::1]:8300 answered (server: AirTunes/1\\u{1b}); if that is \
             not your add-on, use --url http://127.0.0.1:8300 or another port"
        );
        assert_eq!(
            text("localhost", &localhost, answered, None, false),
            "localhost has the addresses ::1 and 127.0.0.1: [::1]:8300 answered"
        );
        let remote = ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
        assert_eq!(
            text("lantern.example", &remote, "192.0.2.2:443".parse().unwrap(), None, true),
            "lantern.example has the addresses 192.0.2.1 and 192.0.2.2: 192.0.2.2:443 answered"
        );
    }

    #[test]
    fn the_host_of_a_url_is_without_user_port_and_path() {
        for url in
            ["http://localhost:8300/a?b", "http://localhost", "https://u:p@localhost?x=://y", "http://localhost/"]
        {
            assert_eq!(host_of(url), Some("localhost"), "{url}");
        }
        assert_eq!(host_of("http://[::1]:8300/"), None);
    }
}
