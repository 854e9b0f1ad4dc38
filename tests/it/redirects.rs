//! Targets of the redirect after single sign-on.

use maitre::SignedOn;
use maitre_testkit::Reply;

use crate::support::{App, Log, UUID, heroku};

async fn sign_on_to(app: &App<maitre::Heroku>, location: &str) -> Reply {
    let location = location.to_owned();
    app.vendor.on_single_sign_on(move |_| {
        let location = location.clone();
        async move { Ok(SignedOn::redirect(location).with_session("widget", 1)) }
    });
    app.client.single_sign_on(UUID).await
}

#[tokio::test]
async fn a_path_on_the_same_site_is_sent_unchanged() {
    let app = heroku().await;
    for path in ["/", "/dashboard", "/a//b", "/a?next=https://elsewhere.example#b", "/%2F%2Felsewhere.example", "/a\\b"]
    {
        assert_eq!(sign_on_to(&app, path).await.expect(302).location(), Some(path));
    }
}

#[tokio::test]
async fn a_redirect_to_another_site_is_503_without_a_session() {
    let log = Log::open();
    let app = heroku().await;
    let foreign = [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "https://evil.example/",
        "http:/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "dashboard",
        "",
        " /dashboard",
        "/\t/evil.example",
        "\t//evil.example",
        "/\n/evil.example",
        "/a\r\nSet-Cookie: id=1",
        "/\u{7f}",
        "/\u{0}",
        "?next=/",
        "#",
    ];
    for foreign in foreign {
        let reply = sign_on_to(&app, foreign).await;
        assert_eq!(reply.status(), 503, "{foreign:?}\n\n{reply}");
        assert_eq!((reply.location(), reply.cookies().count()), (None, 0), "{foreign:?}\n\n{reply}");
    }
    assert_eq!(log.events_containing("redirects to another site").len(), foreign.len());
}

#[tokio::test]
async fn only_allowed_origins_may_be_redirect_targets() {
    let app = App::heroku(|addon| {
        let addon = addon.with_redirect_origin("https://app.lantern.example").unwrap();
        addon.with_redirect_origin("http://localhost:3000").unwrap()
    })
    .await;
    for location in [
        "https://app.lantern.example",
        "https://app.lantern.example/",
        "https://app.lantern.example/dash?a=b#c",
        "HTTPS://APP.lantern.example/dash",
        "https://app.lantern.example?a",
        "http://localhost:3000/",
        "/dashboard",
    ] {
        assert_eq!(sign_on_to(&app, location).await.expect(302).location(), Some(location));
    }
    for foreign in [
        "https://app.lantern.example.evil.example/",
        "https://app.lantern.example@evil.example/",
        "https://app.lantern.example:8443/",
        "https://app.lantern.exampleevil/",
        "https://evil.example/https://app.lantern.example/",
        "http://app.lantern.example/",
        "//app.lantern.example/",
        "https://app.lantern.example\\@evil.example/",
        "https://app.lantern.example/\r\nx: y",
        "https://lantern.example/",
        "http://localhost:30000/",
        "http://localhost/",
    ] {
        let reply = sign_on_to(&app, foreign).await;
        assert_eq!(
            (reply.status(), reply.location(), reply.cookies().count()),
            (503, None, 0),
            "{foreign:?}\n\n{reply}"
        );
    }
}

#[tokio::test]
async fn an_origin_consists_of_scheme_host_and_port_only() {
    let addon = heroku().await.addon;
    for odd in [
        "",
        "lantern.example",
        "//lantern.example",
        "https://",
        "https://lantern.example/",
        "https://u@lantern.example",
    ] {
        assert!(addon.clone().with_redirect_origin(odd).is_err(), "{odd}");
    }
    assert!(addon.clone().with_redirect_origin("https://lantern.example?a").is_err());
    assert!(addon.with_redirect_origin("https://lantern.example:8443").is_ok());
}
