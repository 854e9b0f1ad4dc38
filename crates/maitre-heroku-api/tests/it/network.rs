//! Answers that do not come, or not whole.

use std::{net::TcpListener, sync::atomic::Ordering, time::Duration};

use maitre_heroku_api::{Api, Client, Entity, Token, WebhookSettings};
use serde_json::json;
use wiremock::MockServer;

use crate::support::{UUID, add_on, answering, asked, builder, header, raw, requests, say, status};

fn api(url: &str) -> Api {
    builder(url).build().expect("a client").api(&Token::new("HRKU-t0ken"))
}

fn order() -> WebhookSettings {
    WebhookSettings::new([Entity::AddOn], "https://lantern.example/hooks")
}

fn whole() -> String {
    let body = add_on().to_string();
    format!("HTTP/1.1 200 OK\nconnection: close\ncontent-length: {}\n\n{body}", body.len())
}

#[tokio::test]
async fn a_hang_ends_and_is_asked_again_where_it_does_no_harm() {
    let hang = status(200).set_body_json(add_on()).set_delay(Duration::from_mins(1));
    let impatient = |server: &MockServer| {
        let client = builder(&server.uri()).timeout(Duration::from_millis(500)).attempts(2).build().expect("a client");
        client.api(&Token::new("HRKU-t0ken"))
    };
    let server = answering([hang.clone()]).await;
    let error = impatient(&server).add_on(UUID).await.expect_err("an error");
    assert!(error.is_timeout() && error.is_transient() && !error.is_connect(), "{error:?}");
    assert_eq!(asked(&server).await, 2);

    let server = answering([hang]).await;
    let error = impatient(&server).subscribe(UUID, &order()).await.expect_err("an error");
    assert_eq!(error.to_string(), format!("POST /addons/{UUID}/webhooks: timeout"));
    assert_eq!((error.is_timeout(), error.status(), asked(&server).await), (true, None, 1));
}

#[tokio::test]
async fn a_connection_that_breaks_is_asked_again_where_it_does_no_harm() {
    let (url, connections) = raw(|number, mut stream| {
        if number == 2 {
            say(&mut stream, &whole());
        }
    });
    api(&url).mark_provisioned(UUID).await.expect("an add-on");
    assert_eq!(connections.load(Ordering::SeqCst), 3);

    let (url, connections) = raw(|_, stream| drop(stream));
    let error = api(&url).subscribe(UUID, &order()).await.expect_err("an error");
    assert!(error.is_transient() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!((error.status(), connections.load(Ordering::SeqCst)), (None, 1));
    assert_eq!(error.to_string(), format!("POST /addons/{UUID}/webhooks: the connection failed"));
    assert!(!format!("{error:?}").contains("t0ken"), "{error:?}");
}

#[tokio::test]
async fn a_body_cut_in_the_middle_is_no_answer() {
    let (url, connections) = raw(|number, mut stream| {
        let whole = whole();
        say(&mut stream, if number == 0 { &whole[..whole.len() - 20] } else { &whole });
    });
    api(&url).add_on(UUID).await.expect("an add-on");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    let (url, connections) = raw(|_, mut stream| say(&mut stream, "SSH-2.0-OpenSSH_9.2\n"));
    let error = api(&url).add_on(UUID).await.expect_err("an error");
    assert!(error.is_transient() && error.status().is_none(), "{error:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn nobody_there_means_nothing_was_asked() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let error = api(&format!("http://{closed}")).subscribe(UUID, &order()).await.expect_err("an error");
    assert!(error.is_connect() && error.is_transient() && !error.is_timeout(), "{error:?}");
    assert_eq!(error.to_string(), format!("POST /addons/{UUID}/webhooks: cannot connect"));
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    let proxy = answering([status(200).set_body_json(json!([]))]).await;
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
