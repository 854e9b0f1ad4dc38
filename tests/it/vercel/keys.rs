//! The key set: cached, fetched once for an unknown key, kept when a fetch fails.

use std::time::Duration;

use maitre_testkit::vercel::SigningKey;

use super::{market, market_with};

/// Longer than the interval of the tests.
const INTERVAL: Duration = Duration::from_millis(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_rotation_with_a_thousand_requests_in_flight_refuses_none() {
    let market = market().await;
    let installation = market.installed().await;
    let old = market.platform.user_token(&installation).sign();
    assert_eq!(market.platform.jwks_fetches(), 1);
    tokio::time::sleep(INTERVAL).await;
    market.platform.rotate_key();
    let new = market.platform.user_token(&installation).sign();
    let url = market.server.url("/vercel/v1/products/lantern/plans");
    let http = reqwest::Client::new();
    let calls: Vec<_> = (0..1_000)
        .map(|number| {
            let request = http.get(&url).bearer_auth(if number % 2 == 0 { &old } else { &new });
            tokio::spawn(async move { request.send().await.expect("an answer").status().as_u16() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(market.platform.jwks_fetches(), 2, "one fetch for the new key");
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_per_interval() {
    let market = market_with(|vercel| vercel.with_key_cache(Duration::from_mins(10), Duration::from_hours(1))).await;
    let installation = market.installed().await;
    let other = SigningKey::generate("another");
    let forged = market.platform.user_token(&installation).signed_by(&other).sign();
    for _ in 0..50 {
        market.client.installation(&installation).bearer(&forged).without_header("x-vercel-auth").await.expect(403);
    }
    assert_eq!(market.platform.jwks_fetches(), 1);
    market.client.installation(&installation).await.expect(200);
}

#[tokio::test]
async fn known_keys_stay_in_use_while_the_key_set_is_unavailable() {
    let market = market_with(|vercel| vercel.with_key_cache(Duration::ZERO, Duration::ZERO)).await;
    let installation = market.installed().await;
    market.platform.fail_jwks(Some(500));
    for _ in 0..20 {
        market.client.installation(&installation).await.expect(200);
    }
    let fetches = market.platform.jwks_fetches();
    let unknown = market.platform.user_token(&installation).signed_by(&SigningKey::generate("another")).sign();
    market.client.installation(&installation).bearer(&unknown).without_header("x-vercel-auth").await.expect(403);
    assert!(market.platform.jwks_fetches() > fetches);
    market.platform.fail_jwks(None);
    market.client.installation(&installation).await.expect(200);
}

#[tokio::test]
async fn without_any_keys_the_answer_is_503_until_they_are_available() {
    let market = market().await;
    market.platform.fail_jwks(Some(503));
    let installation = market.platform.new_installation();
    market.client.install(&installation).await.expect(503);
    market.platform.fail_jwks(None);
    tokio::time::sleep(INTERVAL).await;
    market.client.install(&installation).await.expect(204);
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_after_the_next_fetch() {
    let market = market_with(|vercel| vercel.with_key_cache(Duration::ZERO, Duration::ZERO)).await;
    let installation = market.installed().await;
    let (old, token) = (market.platform.signing_key(), market.platform.user_token(&installation).sign());
    market.platform.rotate_key();
    market.platform.withdraw_key(old.kid());
    market.client.installation(&installation).await.expect(200); // fetches the new key
    let refused = market.client.installation(&installation).bearer(&token).without_header("x-vercel-auth").await;
    refused.expect(403);
}
