//! Serving the platform on loopback.

use std::{io, net::Ipv4Addr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use super::{Platform, api};
use crate::platform::accept;

/// Running server of a platform. Dropping it closes the listener and all connections.
#[derive(Debug)]
#[must_use = "the platform stops listening when this is dropped"]
pub struct PlatformServer {
    url: String,
    _tasks: JoinSet<()>,
}

impl PlatformServer {
    /// Returns the URL, such as `http://127.0.0.1:PORT`: the issuer of the tokens, and the base of the REST API.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the URL of the key set.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}{JWKS}", self.url)
    }
}

const JWKS: &str = "/.well-known/jwks";

/// Maximum length of a request body.
const MAX_BODY: usize = 1 << 20;

impl Platform {
    /// Serves the platform on a free port of 127.0.0.1. Its URL is the issuer of the tokens from then on.
    ///
    /// # Errors
    /// Returns an error if binding fails.
    pub async fn serve(&self) -> io::Result<PlatformServer> {
        self.serve_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
    }

    /// Serves the platform on a listener. Its URL is the issuer of the tokens from then on.
    ///
    /// # Errors
    /// Returns an error if the listener has no address.
    pub fn serve_on(&self, listener: TcpListener) -> io::Result<PlatformServer> {
        let url = format!("http://{}", listener.local_addr()?);
        self.state().url.get_or_insert_with(|| url.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, self.router()));
        Ok(PlatformServer { url, _tasks: tasks })
    }

    /// Returns a router with the discovery document, the key set, the token endpoint and the REST API.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route(JWKS, get(jwks))
            .fallback(call_api)
            .with_state(self.clone())
    }
}

async fn discovery(State(platform): State<Platform>) -> Response {
    let issuer = platform.issuer();
    platform.state().discovery_fetches += 1;
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{JWKS}"),
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    api::json_response(200, &document)
}

async fn jwks(State(platform): State<Platform>) -> Response {
    let failing = {
        let mut state = platform.state();
        state.jwks_fetches += 1;
        state.jwks_status
    };
    match failing {
        Some(status) => api::error_response(status),
        None => api::json_response(200, &platform.jwks()),
    }
}

async fn call_api(State(platform): State<Platform>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else { return api::error_response(400) };
    let fault = platform.faults().draw(parts.method.as_str(), parts.uri.path());
    if let Some(fault) = &fault
        && !fault.is_after_work()
    {
        fault.wait().await;
        if fault.replaces_response() {
            return fault.answer_with(None, api::error_response);
        }
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let request = api::ApiRequest {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        authorization: header("authorization"),
        content_type: header("content-type"),
        body: &body,
    };
    let (status, reply) = api::answer(&platform, &request);
    let response = if reply == Value::Null { empty(status) } else { api::json_response(status, &reply) };
    match fault {
        Some(fault) if fault.is_after_work() => {
            fault.wait().await;
            if !fault.replaces_response() {
                return response;
            }
            let body = to_bytes(response.into_body(), MAX_BODY).await.unwrap_or_default();
            fault.answer_with(Some(body), api::error_response)
        }
        _ => response,
    }
}

fn empty(status: u16) -> Response {
    let mut response = Body::empty().into_response();
    *response.status_mut() = status.try_into().expect("a valid status");
    response
}
