//! Single sign-on by a code.

use maitre_testkit::Browser;
use serde_json::json;

use super::market;

#[tokio::test]
async fn a_code_signs_in_once() {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    let link = market.client.single_sign_on("/sso", &installation, &[("resource_id", &id), ("path", "usage")]).url();
    let mut browser = Browser::new(&market.server.url(""));
    let reply = browser.get(link.as_str()).send().await;
    assert_eq!((reply.status(), reply.location()), (303, Some("/dashboard")));
    assert_eq!(browser.get("/dashboard").send().await.expect(200).json(), json!({ "widget": id }));
    let exchange = market.platform.calls().into_iter().next().expect("an exchange");
    assert!(market.platform.problems().is_empty(), "{exchange:?}");

    let mut thief = Browser::new(&market.server.url(""));
    thief.get(link.as_str()).send().await.expect(403);
    thief.get("/dashboard").send().await.expect(401);
    let sign_on = market.vendor.sign_ons().remove(0);
    assert!(sign_on.identity.is_verified());
    assert_eq!(sign_on.identity.user_id(), Some(installation.user_id()));
    assert_eq!(sign_on.account, Some(installation.id().into()));
    assert_eq!((sign_on.extra["path"].as_str(), sign_on.extra["user_role"].as_str()), ("usage", "ADMIN"));
    assert!(!sign_on.extra.contains_key("code") && !sign_on.extra.contains_key("state"));
}

#[tokio::test]
async fn a_sign_on_without_a_resource_opens_the_oldest() {
    let market = market().await;
    let installation = market.installed().await;
    market.client.single_sign_on("/sso", &installation, &[]).await.expect(403);
    for _ in 0..2 {
        market.provisioned(&installation, "basic").await;
    }
    market.client.single_sign_on("/sso", &installation, &[]).await.expect(303);
    assert_eq!(market.vendor.sign_ons()[0].resource, market.vendor.provisions()[0].resource);
}

#[tokio::test]
async fn foreign_resources_and_forged_tokens_are_refused() {
    let market = market().await;
    let (owner, other) = (market.installed().await, market.installed().await);
    let id = market.provisioned(&owner, "basic").await["id"].as_str().unwrap().to_owned();
    let resource = [("resource_id", id.as_str())];
    market.client.single_sign_on("/sso", &other, &resource).await.expect(403);
    market.client.single_sign_on("/sso", &owner, &[("resource_id", "unknown")]).await.expect(403);
    let good = market.platform.id_token(&owner);
    for token in [
        market.platform.user_token(&owner), // an access token
        good.clone().claim("aud", "oac_other"),
        good.clone().claim("iss", "https://evil.example"),
        good.clone().claim("exp", 1_700_000_000),
        good.clone().without_claim("user_id").without_claim("user_role").claim("sub", "account:5f0c2a"),
        good.clone().forged_by(&maitre_testkit::vercel::SigningKey::generate("other")),
    ] {
        let code = market.platform.new_code(&token);
        let link = market.server.url(&format!("/vercel/sso?mode=sso&code={code}&state=s&resource_id={id}"));
        market.client.raw("GET", &link).await.expect(403);
    }
    assert!(market.vendor.sign_ons().is_empty());
    market.client.raw("GET", &market.server.url("/vercel/sso?mode=sso&state=s")).await.expect(400);
    let code = market.platform.new_code(&good);
    let link = market.server.url(&format!("/vercel/sso?mode=sso&code={code}&state=s&resource_id={id}"));
    market.client.raw("HEAD", &link).await.expect(403);
    market.client.raw("GET", &link).await.expect(303); // a prefetch has not used the code
}

#[tokio::test]
async fn a_url_of_another_site_and_unsigned_claims_do_not_reach_the_listener() {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    for url in ["https://evil.example/", "//evil.example", "/settings"] {
        let query = [("resource_id", id.as_str()), ("url", url), ("user_role", "OWNER"), ("user_name", "Eve")];
        market.client.single_sign_on("/sso", &installation, &query).await.expect(303);
    }
    let urls: Vec<_> = market.vendor.sign_ons().iter().map(|it| it.extra.get("url").cloned()).collect();
    assert_eq!(urls, [None, None, Some("/settings".to_owned())]);
    let extra = market.vendor.sign_ons().remove(0).extra;
    assert_eq!((extra["user_role"].as_str(), extra["user_name"].as_str()), ("ADMIN", "Ada Example"));
}
