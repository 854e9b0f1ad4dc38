use maitre_testkit::{Browser, Heroku};

use crate::server::answering;

const PAGE: &str = "HTTP/1.1 200 OK\nconnection: close\ncontent-length: 2\n\nhi";

fn signed_on(cookie: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\nconnection: close\nlocation: ../my/dashboard\nset-cookie: {cookie}\ncontent-length: 0\n\n"
    )
}

#[tokio::test]
async fn a_session_lasts_from_the_form_to_the_dashboard() {
    let (root, arrivals) = answering(&[&signed_on("id=new; Path=/; SameSite=Lax; HttpOnly"), PAGE, PAGE]);
    let mut browser = Browser::new(&root);
    browser.set_cookie("id", "preset");

    let form = Heroku::new(&root, "tally", "password", "salt").single_sign_on("7").path("/heroku/sso");
    let landed = browser.post_form(form.url(), form.fields()).await;
    assert!(landed.expect(302).cookie("id").expect("a session").is_http_only());
    assert_eq!(browser.cookie("id").expect("a session").value(), "new");
    assert_eq!(browser.follow(&landed).await.expect(200).text(), "hi");
    browser.get("/my/settings").await.expect(200);

    let posted = arrivals.recv().expect("a request");
    assert!(posted.headers.iter().any(|sent| sent == "cookie: id=preset"), "{:?}", posted.headers);
    assert!(posted.headers.iter().any(|sent| sent == "sec-fetch-site: cross-site"));
    for line in ["GET /my/dashboard HTTP/1.1", "GET /my/settings HTTP/1.1"] {
        let opened = arrivals.recv().expect("a request");
        assert_eq!(opened.line, line);
        assert!(opened.headers.iter().any(|sent| sent == "cookie: id=new"), "{:?}", opened.headers);
    }
}

#[tokio::test]
async fn a_strict_cookie_is_not_sent_with_the_redirect() {
    let (root, arrivals) = answering(&[&signed_on("id=new; Path=/; SameSite=Strict"), PAGE]);
    let landed = Heroku::new(&root, "tally", "password", "salt").single_sign_on("7").await;
    Browser::new(&root).follow(&landed).await.expect(200);

    arrivals.recv().expect("the form");
    assert!(!arrivals.recv().expect("the redirect").has("cookie"));
}
