//! Forged and stale tokens, on every route; kinds and roles.

use maitre_testkit::vercel::SigningKey;
use serde_json::{Value, json};

use super::{Market, error, market, market_with};
use crate::support::{Raw, request};

const ROUTES: [&str; 12] = [
    "PUT /v1/installations/{iid}",
    "GET /v1/installations/{iid}",
    "PATCH /v1/installations/{iid}",
    "DELETE /v1/installations/{iid}",
    "GET /v1/installations/{iid}/plans",
    "POST /v1/installations/{iid}/resources",
    "GET /v1/installations/{iid}/resources/r-1",
    "PATCH /v1/installations/{iid}/resources/r-1",
    "DELETE /v1/installations/{iid}/resources/r-1",
    "POST /v1/installations/{iid}/resources/r-1/secrets/rotate",
    "GET /v1/installations/{iid}/resources/r-1/plans",
    "GET /v1/products/lantern/plans",
];

/// Sends a request with these headers, and returns the status.
async fn send(market: &Market, line: &str, headers: &[&str]) -> u16 {
    let line = line.replacen(' ', " /vercel", 1);
    let mut lines = vec![line.as_str()];
    lines.extend_from_slice(headers);
    let reply = Raw::exchange(&market.server, request(lines, "{}")).await;
    if reply.status() == 403 {
        assert_eq!(error(&serde_json::from_slice(reply.body()).unwrap()), ("forbidden".to_owned(), vec![]));
    }
    reply.status()
}

#[tokio::test]
async fn forged_and_stale_tokens_are_refused() {
    let market = market().await;
    let installation = market.installed().await;
    let calls = market.vendor.calls();
    let (platform, now) = (&market.platform, market.platform.now().unix_timestamp());
    let (key, other) = (platform.signing_key(), SigningKey::generate("other"));
    let good = platform.user_token(&installation);
    let claim = |name: &str, value: Value| good.clone().claim(name, value).sign();
    let header = |name: &str, value: Value| good.clone().header(name, value).sign();
    let without = |name: &str| good.clone().without_claim(name).sign();
    let signed = good.sign();
    let parts: Vec<_> = signed.split('.').collect();
    let jwk = key.jwk();
    let modulus = jwk["n"].as_str().unwrap();
    let mut forged = vec![
        good.unsigned(),
        header("alg", json!("none")),
        header("alg", json!("None")),
        header("alg", json!("RS512")),
        header("alg", json!("ES256")),
        header("alg", json!("")),
        header("alg", json!(null)),
        good.clone().without_header("alg").sign(),
        good.sign_hs256(modulus.as_bytes()),
        good.sign_hs256(jwk.to_string().as_bytes()),
        good.sign_hs256(super::CLIENT_SECRET.as_bytes()),
        good.sign_hs256(b""),
        header("kid", json!("unknown")),
        header("kid", json!("../../dev/null")),
        header("kid", json!(7)),
        good.clone().without_header("kid").sign(),
        good.clone().forged_by(&other).sign(),
        good.clone().signed_by(&other).sign(),
        good.clone().signed_by(&other).header("jwk", other.jwk()).sign(),
        good.clone().forged_by(&other).header("jku", "https://evil.example/jwks").sign(),
        claim("aud", json!("oac_other")),
        claim("aud", json!([super::INTEGRATION])),
        claim("aud", json!("")),
        claim("aud", json!(null)),
        without("aud"),
        claim("iss", json!("https://marketplace.vercel.com.evil.example")),
        claim("iss", json!(format!("{}/", platform.issuer()))),
        without("iss"),
        claim("exp", json!(now - 61)),
        claim("exp", json!(now - 86_400)),
        claim("exp", json!("2999-01-01")),
        claim("exp", json!(null)),
        without("exp"),
        claim("nbf", json!(now + 3_600)),
        claim("nbf", json!("now")),
        claim("type", json!("id_token")),
        platform.id_token(&installation).sign(),
        claim("installation_id", json!("icfg_other")),
        claim("installation_id", json!(null)),
        without("user_role"),
        without("user_id"),
        claim("user_role", json!("USER")),
        claim("sub", json!("account:5f0c2a")),
        platform.user_token(&platform.new_installation()).sign(),
        platform.system_token(&installation).sign(),
        platform.token().sign(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{signed}.{}", parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{}.{}", parts[0], platform.system_token(&installation).sign().split('.').nth(1).unwrap(), parts[2]),
        "a.b.c".to_owned(),
        "..".to_owned(),
        "x".repeat(20_000),
    ];
    forged.extend([0, 7, 8, 1_000, 2_040, 2_047].map(|bit| good.with_flipped_bit(bit)));
    assert!(forged.len() >= 40);
    for token in &forged {
        let authorization = format!("authorization: Bearer {token}");
        let line = format!("POST /v1/installations/{}/resources", installation.id());
        assert_eq!(send(&market, &line, &[&authorization]).await, 403, "{token}");
    }
    assert_eq!(market.vendor.calls(), calls, "no forged token reaches the listener");
    let accepted = market.client.provision(&installation, "lantern", "basic").bearer(&signed).await;
    accepted.expect(200);
}

#[tokio::test]
async fn every_route_needs_a_valid_token() {
    let market = market().await;
    let installation = market.installed().await;
    let (id, token) = (installation.id(), market.platform.user_token(&installation));
    for route in ROUTES {
        let line = route.replace("{iid}", id);
        let bad = [
            vec![],
            vec!["authorization: Basic dXNlcjpwYXNz".to_owned()],
            vec!["authorization: Bearer".to_owned()],
            vec![format!("authorization: Bearer {}", token.unsigned())],
            vec![format!("authorization: Bearer {}", token.with_flipped_bit(99))],
            vec![format!("authorization: Bearer {}", market.platform.id_token(&installation).sign())],
            vec![format!("authorization: Bearer {}", token.sign()), "x-vercel-auth: system".to_owned()],
        ];
        for headers in bad {
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            assert_eq!(send(&market, &line, &headers).await, 403, "{line} {headers:?}");
        }
        if route.contains("{iid}") {
            let other = format!("authorization: Bearer {}", token.sign());
            let line = route.replace("{iid}", "icfg_other");
            assert_eq!(send(&market, &line, &[&other]).await, 403, "{line}");
        }
    }
}

#[tokio::test]
async fn users_without_the_role_and_system_tokens_change_only_what_they_may() {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    let reader = market.platform.user_token(&installation).claim("user_role", "USER");
    let reader = format!("authorization: Bearer {}", reader.sign());
    let system = format!("authorization: Bearer {}", market.platform.system_token(&installation).sign());
    for route in ROUTES {
        let line = route.replace("{iid}", installation.id()).replace("r-1", &id);
        let reads = line.starts_with("GET");
        assert_eq!(send(&market, &line, &[&reader]).await, if reads { 200 } else { 403 }, "{line}");
        let needs_user = ["PUT", "PATCH"].iter().any(|method| line.starts_with(method)) || line.ends_with("/resources");
        let status = send(&market, &line, &[&system]).await;
        assert_eq!(status == 403, needs_user, "{line}: {status}");
        if line.starts_with("DELETE") && !line.contains("/resources") {
            return; // the installation is gone
        }
    }
}

#[tokio::test]
async fn the_status_of_a_bad_token_is_a_setting() {
    let market = market_with(|vercel| vercel.with_refused_token_status(axum::http::StatusCode::UNAUTHORIZED)).await;
    let reply = market.client.product_plans("lantern", None).without_credentials().await;
    assert_eq!(reply.expect(401).header("www-authenticate"), Some("Bearer"));
}
