//! The calls that the router itself makes to Vercel: the key set, and the exchange of sign-on codes.

use std::net::IpAddr;

use axum::http::Uri;
use maitre_axum::core::error_chain;
use maitre_http::{Settings, parse_json, read_body};
use serde_json::Value;

use crate::error::VercelError;

/// Longest answer in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// HTTP client for one URL. It follows no redirects.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    url: String,
}

/// Failure of a call.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// Vercel refused it, with this status.
    Refused(u16),
    /// It may succeed later.
    Unavailable(String),
}

impl Http {
    /// Creates a client for an `https` URL, or for one with a loopback address.
    pub(crate) fn new(url: &str) -> Result<Self, VercelError> {
        let mut settings = Settings::new(concat!("maitre-axum-vercel/", env!("CARGO_PKG_VERSION")));
        settings.no_proxy = match transport(url).ok_or_else(|| VercelError::url(url))? {
            Transport::Encrypted => false,
            Transport::Loopback => true,
        };
        Ok(Self { client: settings.build().map_err(VercelError::client)?, url: url.to_owned() })
    }

    /// Fetches the URL.
    pub(crate) async fn get(&self) -> Result<Value, HttpError> {
        answer(self.client.get(&self.url)).await
    }

    /// Sends JSON to a path below the URL.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, HttpError> {
        answer(self.client.post(format!("{}{path}", self.url)).json(body)).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Value, HttpError> {
    // the URL of the error may contain a credential of the vendor's proxy
    let unavailable = |error: reqwest::Error| HttpError::Unavailable(error_chain(&error.without_url()));
    let mut response = request.send().await.map_err(unavailable)?;
    let status = response.status();
    if status.is_client_error() {
        return Err(HttpError::Refused(status.as_u16()));
    }
    if !status.is_success() {
        return Err(HttpError::Unavailable(format!("status {}", status.as_u16())));
    }
    let body = read_body(&mut response, MAX_ANSWER).await.map_err(unavailable)?;
    let body = body.ok_or_else(|| HttpError::Unavailable("the answer is too long".to_owned()))?;
    parse_json(&body).map_err(HttpError::Unavailable)
}

enum Transport {
    Encrypted,
    Loopback,
}

fn transport(url: &str) -> Option<Transport> {
    let url: Uri = url.parse().ok()?;
    let host = url.host()?.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host.parse::<IpAddr>().map_or(host == "localhost", |address| address.is_loopback());
    match url.scheme_str()? {
        "https" => Some(Transport::Encrypted),
        "http" if is_loopback => Some(Transport::Loopback),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_addresses_are_called() {
        for url in ["https://api.vercel.com", "http://127.0.0.1:80/a", "http://[::1]:1", "http://localhost:8400/x"] {
            assert!(transport(url).is_some(), "{url}");
        }
        for url in ["http://api.vercel.com", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "/a", "", "localhost"] {
            assert!(Http::new(url).is_err(), "{url}");
        }
    }
}
