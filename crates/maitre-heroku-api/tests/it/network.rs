//! Network failures: missing and incomplete responses.

use std::{net::TcpListener, sync::atomic::Ordering, time::Duration};

use maitre_heroku_api::{Api, Client, Entity, Token, WebhookSettings};
use serde_json::json;
use wiremock::MockServer;

use crate::support::{
    UUID, add_on, builder, header, request_count, requests, respond, server_with, status, tcp_server,
};

fn api(url: &str) -> Api {
    builder(url).build().expect("a client").api(&Token::new("HRKU-t0ken"))
}

fn settings() -> WebhookSettings {
    WebhookSettings::new([Entity::AddOn], "https://lantern.example/hooks")
}

fn complete_response() -> String {
    let body = add_on().to_string();
    format!("HTTP/1.1 200 OK\nconnection: close\ncontent-length: {}\n\n{body}", body.len())
}

#[tokio::test]
async fn a_timeout_is_retried_only_if_that_is_safe() {
    let hang = status(200).set_body_json(add_on()).set_delay(Duration::from_mins(1));
    let short_timeout = |server: &MockServer| {
        let client = builder(&server.uri()).timeout(Duration::from_millis(500)).attempts(2).build().expect("a client");
        client.api(&Token::new("HRKU-t0ken"))
    };
    let server = server_with([hang.clone()]).await;
    let error = short_timeout(&server).add_on(UUID).await.expect_err("an error");
    assert!(error.is_timeout() && error.is_transient() && !error.is_connect(), "{error:?}");
    assert_eq!(request_count(&server).await, 2);

    let server = server_with([hang]).await;
    let error = short_timeout(&server).subscribe(UUID, &settings()).await.expect_err("an error");
    assert_eq!(error.to_string(), format!("POST /addons/{UUID}/webhooks: timeout"));
    assert_eq!((error.is_timeout(), error.status(), request_count(&server).await), (true, None, 1));
}

#[tokio::test]
async fn a_connection_failure_is_retried_only_if_that_is_safe() {
    let (url, connections) = tcp_server(|number, mut stream| {
        if number == 2 {
            respond(&mut stream, &complete_response());
        }
    });
    api(&url).mark_provisioned(UUID).await.expect("an add-on");
    assert_eq!(connections.load(Ordering::SeqCst), 3);

    let (url, connections) = tcp_server(|_, stream| drop(stream));
    let error = api(&url).subscribe(UUID, &settings()).await.expect_err("an error");
    assert!(error.is_transient() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!((error.status(), connections.load(Ordering::SeqCst)), (None, 1));
    assert_eq!(error.to_string(), format!("POST /addons/{UUID}/webhooks: the connection failed"));
    assert!(!format!("{error:?}").contains("t0ken"), "{error:?}");
}

#[tokio::test]
async fn a_truncated_body_is_retried() {
    let (url, connections) = tcp_server(|number, mut stream| {
        let complete = complete_response();
        respond(&mut stream, if number == 0 { &complete[..complete.len() - 20] } else { &complete });
    });
    api(&url).add_on(UUID).await.expect("an add-on");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_response_that_is_not_http_is_a_transient_error() {
    let (url, connections) = tcp_server(|_, mut stream| respond(&mut stream, "SSH-2.0-OpenSSH_9.2\n"));
    let error = api(&url).add_on(UUID).await.expect_err("an error");
    assert!(error.is_transient() && error.status().is_none(), "{error:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_refused_connection_is_a_connect_error() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let error = api(&format!("http://{closed}")).subscribe(UUID, &settings()).await.expect_err("an error");
    assert!(error.is_connect() && error.is_transient() && !error.is_timeout(), "{error:?}");
    assert_eq!(error.to_string(), format!("POST /addons/{UUID}/webhooks: cannot connect"));
}

#[tokio::test]
async fn requests_are_sent_through_the_proxy() {
    let proxy = server_with([status(200).set_body_json(json!([]))]).await;
    let address = proxy.uri().replace("http://", "http://user:pr0xy@");
    let builder = Client::builder("s").base_url("http://heroku.invalid").allow_plain_http();
    let client = builder.proxy(address).build().expect("a client");
    client.api(&Token::new("t")).apps().all().await.expect("a list");
    let sent = requests(&proxy).await;
    assert_eq!((header(&sent[0], "host"), sent[0].url.path()), (Some("heroku.invalid"), "/apps"));
    assert_eq!(header(&sent[0], "proxy-authorization"), Some("Basic dXNlcjpwcjB4eQ=="));

    let error = Client::builder("s").proxy("http://user:pr0xy@[").build().expect_err("no URL");
    assert!(error.is_builder() && !format!("{error} {error:?}").contains("pr0xy"), "{error:?}");
}
