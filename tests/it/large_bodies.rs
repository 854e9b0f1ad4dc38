//! Limits of request bodies.

use maitre::Heroku;
use maitre_testkit::sign;

use crate::support::{App, PASSWORD, Raw, RawReply, SLUG, UUID, cloudcontrol, heroku, opperator, request};

const LIMIT: usize = 256 * 1024;
const MEGABYTE: usize = 1024 * 1024;

fn authorization() -> String {
    format!("authorization: {}", sign::basic(SLUG, PASSWORD))
}

/// Returns the body of a provision of exactly this many bytes.
fn provision(length: usize) -> Vec<u8> {
    let head = format!(r#"{{"uuid":"{UUID}","plan":"basic","padding":""#);
    let padding = "x".repeat(length - head.len() - 2);
    format!(r#"{head}{padding}"}}"#).into_bytes()
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn assert_too_large(reply: &RawReply, limit: usize) {
    assert_eq!((reply.status(), reply.header("content-type")), (413, Some("application/json")), "{reply:?}");
    let body: serde_json::Value = serde_json::from_slice(reply.body()).expect("JSON");
    assert!(body["message"].as_str().is_some_and(|message| message.contains(&limit.to_string())), "{reply:?}");
}

/// Sends only the head, so that a response shows that the body was not read.
async fn send_head(app: &App<Heroku>, lines: &[&str]) -> RawReply {
    Raw::exchange(&app.server, request(lines.iter().copied(), "")).await
}

#[tokio::test]
async fn a_body_announced_as_too_long_is_413_without_being_read() {
    let app = heroku().await;
    let authorization = authorization();
    for line in ["POST /heroku/resources", "POST /heroku/resources/", "PUT /heroku/resources/7"] {
        assert_too_large(&send_head(&app, &[line, &authorization, "content-length: 10485760"]).await, LIMIT);
        assert_too_large(&send_head(&app, &[line, &authorization, "content-length: 262145"]).await, LIMIT);
    }
    let form = "content-type: application/x-www-form-urlencoded";
    let reply = send_head(&app, &["POST /heroku/resources/sso", form, "content-length: 10485760"]).await;
    assert_eq!(reply.status(), 413);
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read_and_one_more_byte_is_413() {
    let app = heroku().await;
    let authorization = authorization();
    let whole = |length| request(["POST /heroku/resources", &authorization], provision(length));
    assert_eq!(Raw::exchange(&app.server, whole(LIMIT)).await.status(), 200);
    let chunked = |length| {
        let body = [chunk(&provision(length)), b"0\r\n\r\n".to_vec()].concat();
        request(["POST /heroku/resources", &authorization, "transfer-encoding: chunked"], body)
    };
    assert_eq!(Raw::exchange(&app.server, chunked(LIMIT)).await.status(), 200);
    assert_too_large(&Raw::exchange(&app.server, chunked(LIMIT + 1)).await, LIMIT);
    assert_eq!(app.vendor.calls(), 2);
}

#[tokio::test]
async fn a_chunked_body_is_413_as_soon_as_it_exceeds_the_limit() {
    let app = heroku().await;
    let authorization = authorization();
    for line in ["POST /heroku/resources", "PUT /heroku/resources/7"] {
        let head = request([line, &authorization, "transfer-encoding: chunked"], "");
        let mut raw = Raw::connect(&app.server).await;
        raw.write([head, chunk(&provision(LIMIT + 1))].concat()).await.unwrap();
        assert_too_large(&raw.read().await.unwrap(), LIMIT);
    }
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn the_body_limit_is_configurable() {
    let app = App::heroku(|addon| addon.with_body_limit(1000)).await;
    let authorization = authorization();
    let whole = |length| request(["POST /heroku/resources", &authorization], provision(length));
    assert_eq!(Raw::exchange(&app.server, whole(1000)).await.status(), 200);
    assert_too_large(&Raw::exchange(&app.server, whole(1001)).await, 1000);

    let wide = App::heroku(|addon| addon.with_body_limit(2 * MEGABYTE)).await;
    assert_eq!(Raw::exchange(&wide.server, whole(2 * MEGABYTE)).await.status(), 200);
}

#[tokio::test]
async fn unauthenticated_requests_are_401_before_their_body_is_read() {
    let app = heroku().await;
    let wrong = format!("authorization: {}", sign::basic(SLUG, "guessed"));
    for line in [
        "POST /heroku/resources",
        "PUT /heroku/resources/7",
        "DELETE /heroku/resources/7",
        "POST /heroku/resources/7/events",
    ] {
        for length in ["content-length: 100", "content-length: 10485760", "transfer-encoding: chunked"] {
            for lines in [&[line, length][..], &[line, &wrong, length], &[line, &wrong, length, "expect: 100-continue"]]
            {
                let reply = send_head(&app, lines).await;
                assert_eq!(reply.status(), 401, "{lines:?}");
                assert!(reply.header("www-authenticate").is_some());
            }
        }
    }
}

#[tokio::test]
async fn an_unread_body_is_never_parsed_as_the_next_request() {
    let app = heroku().await;
    let authorization = authorization();
    let hidden = request(["DELETE /heroku/resources/7", &authorization], "");
    let wrong = format!("authorization: {}", sign::basic(SLUG, "guessed"));
    for line in [wrong.as_str(), "x-nothing: at all"] {
        let mut raw = Raw::connect(&app.server).await;
        raw.write(request(["POST /heroku/resources", line], hidden.repeat(3))).await.unwrap();
        assert_eq!(raw.read().await.unwrap().status(), 401);
        raw.finish().await.unwrap();
        assert!(raw.read().await.is_err(), "no second response");
    }
    let whole = request(["DELETE /heroku/resources/7", &authorization], hidden);
    let mut raw = Raw::connect(&app.server).await;
    raw.write(whole).await.unwrap();
    raw.finish().await.unwrap();
    assert_eq!(raw.read().await.unwrap().status(), 404);
    assert!(raw.read().await.is_err(), "no second response");
    assert_eq!(app.vendor.calls(), 1);
}

#[tokio::test]
async fn the_other_marketplaces_limit_bodies_too() {
    let app = cloudcontrol().await;
    let authorization = authorization();
    let head = |lines: &[&str]| request(lines.iter().copied(), "");
    let post = "POST /cloudcontrol/resources";
    let send = async |bytes: Vec<u8>| Raw::exchange(&app.server, bytes).await.status();
    assert_eq!(send(head(&[post, "content-length: 10485760"])).await, 401);
    assert_eq!(send(head(&[post, &authorization, "content-length: 10485760"])).await, 413);

    let app = opperator().await;
    let secret = "x-opperator-shared-secret: melon-9";
    let send = async |bytes: Vec<u8>| Raw::exchange(&app.server, bytes).await.status();
    for line in ["POST /opperator/instances", "PUT /opperator/plan_warning/7"] {
        assert_eq!(send(head(&[line, "content-length: 10485760"])).await, 401);
        assert_eq!(send(head(&[line, secret, "content-length: 10485760"])).await, 413);
    }
}

#[tokio::test]
async fn a_truncated_body_does_not_reach_the_listener() {
    let app = heroku().await;
    let body = provision(1000);
    let head = request(["POST /heroku/resources", &authorization(), "content-length: 2000"], &body);
    let mut raw = Raw::connect(&app.server).await;
    raw.write(head).await.unwrap();
    raw.finish().await.unwrap();
    if let Ok(reply) = raw.read().await {
        assert_eq!(reply.status(), 400, "{reply:?}");
    }
    app.client.provision("premium").await.expect(200);
    assert_eq!(app.vendor.provisions().len(), 1);
}

/// Returns the peak memory of this process, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak memory");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

/// Sends ten megabytes, or as much as the server accepts, and expects 413 or a closed connection.
#[cfg(target_os = "linux")]
async fn flood(app: &App<Heroku>, lines: &[&str], chunked: bool) {
    let part = vec![b' '; 64 * 1024];
    let part = if chunked { chunk(&part) } else { part };
    let mut raw = Raw::connect(&app.server).await;
    let mut taken = raw.write(request(lines.iter().copied(), "")).await;
    for _ in 0..160 {
        if taken.is_ok() {
            taken = raw.write(&part).await;
            tokio::task::yield_now().await;
        }
    }
    if chunked && taken.is_ok() {
        let _ = raw.write("0\r\n\r\n").await; // the server may have responded and closed already
    }
    // a closed connection is a rejection, too
    if let Ok(reply) = raw.read().await {
        assert_eq!(reply.status(), 413, "{reply:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn many_concurrent_10_mb_bodies_do_not_increase_memory() {
    let app = heroku().await;
    let authorization = authorization();
    let announced = ["POST /heroku/resources", authorization.as_str(), "content-length: 10485760"];
    let streamed = ["PUT /heroku/resources/7", authorization.as_str(), "transfer-encoding: chunked"];
    flood(&app, &announced, false).await;
    let before = peak();
    let floods = (0..48).map(|n| {
        let (app, lines, chunked) = (&app, if n % 2 == 0 { &announced } else { &streamed }, n % 2 == 1);
        async move { flood(app, lines, chunked).await }
    });
    all(floods).await;
    let grown = peak() - before;
    assert!(grown < 128 * MEGABYTE, "480 MB were sent, and the peak grew by {} MB", grown / MEGABYTE);
    assert_eq!(app.vendor.calls(), 0);
    app.client.provision("basic").await.expect(200);
}

/// Drives all futures concurrently on this thread.
#[cfg(target_os = "linux")]
async fn all<F: Future<Output = ()>>(futures: impl Iterator<Item = F>) {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        running.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
