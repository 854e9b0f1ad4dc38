//! Correct add-ons that answer differently from most: no must and no should fails.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use maitre_conformance::{Level, SuiteBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

use crate::mutants::suite;
use crate::sample_addon::{Fault, SampleAddon};

/// Maximum size of a response.
const LIMIT: usize = 1024 * 1024;

/// Returns the add-on with a change to each response.
fn answering<F, R>(addon: &SampleAddon, change: F) -> Router
where
    F: Fn(Response) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    addon.router().layer(middleware::map_response(change))
}

/// Returns the add-on with another answer to some requests.
fn unless(addon: &SampleAddon, answer: fn(&Request) -> Option<Response>) -> Router {
    addon.router().layer(middleware::from_fn(move |request: Request, next: Next| async move {
        match answer(&request) {
            Some(response) => response,
            None => next.run(request).await,
        }
    }))
}

async fn pretty(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LIMIT).await.unwrap();
    let body = match serde_json::from_slice::<Value>(&bytes) {
        Ok(json) => format!("\r\n{json:#}\n").into_bytes(),
        Err(_) => bytes.to_vec(),
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body.into())
}

/// Sends the body in small chunks, without a length.
async fn chunked(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LIMIT).await.unwrap();
    let pieces: Vec<_> = bytes.chunks(5).map(|piece| Ok::<_, Infallible>(piece.to_vec())).collect();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from_stream(futures_util::stream::iter(pieces)))
}

async fn see_other(mut response: Response) -> Response {
    if response.status() == StatusCode::FOUND {
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}

/// A refusal with nothing but the message, and without a content type.
async fn only_message(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LIMIT).await.unwrap();
    if parts.status == StatusCode::UNPROCESSABLE_ENTITY {
        parts.headers.remove(header::CONTENT_TYPE);
    }
    Response::from_parts(parts, bytes.into())
}

/// Redirects to the complete URL, as HTTP once required.
async fn absolute(request: Request, next: Next) -> Response {
    let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
    let mut response = next.run(request).await;
    if let Some(location) = response.headers_mut().get_mut(header::LOCATION) {
        let url = format!("http://{host}{}", location.to_str().unwrap());
        *location = HeaderValue::from_str(&url).unwrap();
    }
    response
}

fn other_methods_are_501(request: &Request) -> Option<Response> {
    let is_known = matches!(*request.method(), Method::GET | Method::POST | Method::PUT | Method::DELETE);
    (!is_known).then(|| StatusCode::NOT_IMPLEMENTED.into_response())
}

fn no_plan_change(request: &Request) -> Option<Response> {
    let message = json!({ "message": "Please remove the add-on, and add it again with another plan." });
    (*request.method() == Method::PUT).then(|| (StatusCode::UNPROCESSABLE_ENTITY, message.to_string()).into_response())
}

/// Serves the add-on by HTTP/1.0: one request per connection. Returns its origin.
async fn by_http_1_0(addon: &SampleAddon) -> String {
    let (upstream, front) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, origin) = (upstream.local_addr().unwrap(), format!("http://{}", front.local_addr().unwrap()));
    let app = addon.router();
    tokio::spawn(async move { axum::serve(upstream, app).await.unwrap() });
    tokio::spawn(async move {
        while let Ok((client, _)) = front.accept().await {
            tokio::spawn(async move {
                let server = TcpStream::connect(address).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                    (client.into_split(), server.into_split());
                let requests = tokio::spawn(async move {
                    let _ = copy(&mut from_client, &mut to_server).await;
                });
                let mut version = [0; 8];
                if from_server.read_exact(&mut version).await.is_ok() && version == *b"HTTP/1.1" {
                    let _ = to_client.write_all(b"HTTP/1.0").await;
                    let _ = copy(&mut from_server, &mut to_client).await;
                }
                requests.abort();
            });
        }
    });
    origin
}

async fn must_pass(description: &str, addon: &SampleAddon, suite: SuiteBuilder) {
    let report = suite.skip(["manifest"]).build().unwrap().run().await.unwrap();
    let failed: Vec<_> = report.failed(Level::Should).map(|result| result.check.id).collect();
    assert_eq!(failed, Vec::<&str>::new(), "{description}: {report}");
    assert!(report.is_conformant(true), "{description}: {report}");
    assert_eq!((addon.active(), report.left_behind.len()), (0, 0), "{description}");
}

#[tokio::test(flavor = "multi_thread")]
async fn correct_servers_that_answer_differently_pass() {
    let addon = || SampleAddon::with(Fault::Nothing);
    let layered = [
        ("pretty JSON", answering(&addon(), pretty)),
        ("chunks", answering(&addon(), chunked)),
        ("303", answering(&addon(), see_other)),
        ("422 with nothing but a message", answering(&addon(), only_message)),
        ("an absolute Location", addon().router().layer(middleware::from_fn(absolute))),
        ("501 to other methods", unless(&addon(), other_methods_are_501)),
        ("no plan changes", unless(&addon(), no_plan_change)),
    ];
    for (description, router) in layered {
        let addon = addon();
        must_pass(description, &addon, suite(&addon).service(router)).await;
    }
    for fault in [Fault::ProvisionIs201, Fault::DeprovisionIs200, Fault::IdOfItsOwn] {
        let addon = SampleAddon::with(fault);
        must_pass(&format!("{fault:?}"), &addon, suite(&addon)).await;
    }
    let integers = addon().with_integer_ids();
    must_pass("integer ids", &integers, suite(&integers)).await;
    let links = addon().of_version_1();
    must_pass("single sign-on by GET", &links, suite(&links)).await;
    let old = addon();
    let by_http_1_0 = maitre_conformance::Suite::builder(old.manifest()).url(by_http_1_0(&old).await);
    must_pass("HTTP/1.0", &old, by_http_1_0.plans(["basic", "premium"])).await;
}
