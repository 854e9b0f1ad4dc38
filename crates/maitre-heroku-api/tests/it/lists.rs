//! Paginated lists.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use maitre_heroku_api::{Error, Token};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, query_param},
};

use crate::support::{
    UUID, api, builder, client, error_response, header, request_count, requests, server_with, status,
};

fn people(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "id": name, "user": { "id": name } })).collect()
}

fn page(names: &[&str], next: &str) -> ResponseTemplate {
    status(206).set_body_json(people(names)).insert_header("next-range", next)
}

#[tokio::test]
async fn a_list_continues_with_next_range() {
    let last = status(200).set_body_json(people(&["e"]));
    let server = server_with([page(&["a", "b"], "id ]b..; max=2"), page(&["c", "d"], "id ]d..; max=2"), last]).await;
    let all = api(&server).collaborators("shop").all().await.expect("a list");
    let names: Vec<_> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);

    let sent = requests(&server).await;
    let ranges: Vec<_> = sent.iter().map(|request| header(request, "range")).collect();
    assert_eq!(ranges, [None, Some("id ]b..; max=2"), Some("id ]d..; max=2")]);
    assert!(sent.iter().all(|request| request.url.path() == "/apps/shop/collaborators"));
    assert!(sent.iter().all(|request| header(request, "authorization") == Some("Bearer HRKU-t0ken")));
}

#[tokio::test]
async fn pages_are_requested_on_demand() {
    let server = server_with([page(&["a", "b"], "id ]b..; max=2"), status(200).set_body_json(people(&["c"]))]).await;
    let mut list = api(&server).collaborators("shop");
    assert_eq!(request_count(&server).await, 0);
    for (expected, pages) in [("a", 1), ("b", 1), ("c", 2)] {
        assert_eq!(list.try_next().await.expect("no error").expect("one").id, expected);
        assert_eq!(request_count(&server).await, pages);
    }
    assert!(list.try_next().await.expect("an end").is_none());
    assert_eq!(request_count(&server).await, 2);
}

#[tokio::test]
async fn the_page_size_is_configurable() {
    let server = server_with([status(200).set_body_json(json!([]))]).await;
    for (size, range) in [(500, "id ..; max=500"), (0, "id ..; max=1"), (9_999, "id ..; max=1000")] {
        let client = builder(&server.uri()).page_size(size).build().expect("a client");
        client.api(&Token::new("t")).apps().all().await.expect("a list");
        assert_eq!(header(requests(&server).await.last().expect("a request"), "range"), Some(range));
    }
}

#[tokio::test]
async fn pages_are_retried_and_a_list_ends_after_an_error() {
    let fault = error_response(503, "service_unavailable");
    let end = error_response(401, "unauthorized");
    let server = server_with([page(&["a"], "id ]a..; max=1"), fault, page(&["b"], "id ]b..; max=1"), end]).await;
    let mut list = api(&server).collaborators("shop");
    let mut names = Vec::new();
    let error: Error = loop {
        match list.try_next().await {
            Ok(Some(one)) => names.push(one.id),
            Ok(None) => panic!("no error"),
            Err(error) => break error,
        }
    };
    assert_eq!((names, error.is_unauthorized()), (vec!["a".to_owned(), "b".to_owned()], true));
    assert!(list.try_next().await.expect("an end").is_none());
}

#[tokio::test]
async fn a_next_range_equal_to_the_current_one_is_an_error() {
    let server = server_with([page(&["a"], "id ]a..; max=1")]).await;
    let read = api(&server).collaborators("shop").all();
    let read = tokio::time::timeout(Duration::from_secs(20), read).await.expect("an end");
    assert!(read.expect_err("an error").is_unreadable());
    assert_eq!(request_count(&server).await, 2);
}

#[tokio::test]
async fn the_list_of_installs_continues_with_links_of_the_same_origin_only() {
    let install = |uuid: &str| json!([{ "resource": { "uuid": uuid, "name": "n" }, "plan": "basic" }]);
    let server = MockServer::start().await;
    let next = format!(r#"<{0}/api/v3/apps>; rel="prev", <{0}/api/v3/apps?offset=1>; rel="next""#, server.uri());
    let second = status(200).set_body_json(install(UUID));
    Mock::given(query_param("offset", "1")).respond_with(second).mount(&server).await;
    let first = status(200).set_body_json(install("first")).insert_header("link", next);
    Mock::given(any()).respond_with(first).mount(&server).await;
    let all = client(&server).installs("lantern", &"p4ss".into()).all().await.expect("a list");
    let uuids: Vec<_> = all.iter().map(|install| install.uuid.as_str()).collect();
    assert_eq!(uuids, ["first", UUID]);
    assert!(requests(&server).await.iter().all(|request| header(request, "authorization").is_some()));

    let elsewhere = server_with([status(200).set_body_json(json!([]))]).await;
    for link in [format!("<{}/api/v3/apps>; rel=next", elsewhere.uri()), "</api/v3/apps>; rel=next".to_owned()] {
        let server = server_with([status(200).set_body_json(install(UUID)).insert_header("link", link)]).await;
        let error = client(&server).installs("lantern", &"p4ss".into()).all().await.expect_err("an error");
        assert!(error.is_unreadable() && request_count(&server).await == 1, "{error:?}");
    }
    assert_eq!(request_count(&elsewhere).await, 0);
}
