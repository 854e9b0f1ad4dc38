//! Known answers for the three sign-on tokens, computed by `tests/python/sso_vectors.py`.

use std::path::Path;
use std::process::Command;

use axum::body::Body;
use axum::http::{Request, header};
use maitre::sso::SignedFields;
use maitre::{Addon, Heroku, Salt, SignedOn};
use maitre_testkit::sign;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::{Clock, PASSWORD, SLUG, Vendor};

const VECTORS: &str = include_str!("sso_vectors.json");
const TOKENS: [&str; 3] = ["token", "resource_token", "user_scoped_resource_token"];

fn vectors() -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.len(), 20);
    vectors
}

#[test]
fn python_computes_the_same_vectors() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/sso_vectors.py");
    let output = Command::new("python3").arg(script).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), VECTORS, "run sso_vectors.py again");
}

#[test]
fn each_token_is_computed_as_in_the_vectors() {
    for vector in vectors() {
        let field = |name: &str| vector[name].as_str().unwrap();
        let [timestamp, salt] = ["timestamp", "salt"].map(field);
        let (resource_id, user_id, email) = (field("resource_id"), field("user_id"), field("email"));
        let key = Salt::new(salt).unwrap();
        let signed = [
            SignedFields::Id(field("id")).sign(&key, timestamp),
            SignedFields::Id(resource_id).sign(&key, timestamp),
            SignedFields::User { resource_id, user_id, email }.sign(&key, timestamp),
        ];
        let of_the_test_kit = [
            sign::token(field("id"), salt, timestamp),
            sign::resource_token(resource_id, salt, timestamp),
            sign::user_scoped_resource_token(resource_id, salt, timestamp, user_id, email),
        ];
        assert_eq!(signed, TOKENS.map(field), "{vector}");
        assert_eq!(of_the_test_kit, TOKENS.map(field), "{vector}");
    }
}

/// Sends a form with one token of a vector, and returns the status.
async fn sign_on(vector: &Value, name: &str, token: &str) -> u16 {
    let field = |name: &str| vector[name].as_str().unwrap();
    let marketplace = Heroku::new(SLUG, PASSWORD, field("salt")).unwrap().with_legacy_token(true);
    let vendor = Vendor::default();
    vendor.on_single_sign_on(async |_| Ok(SignedOn::redirect("/")));
    let clock = Clock::at(field("timestamp").parse().unwrap());
    let router: axum::Router = maitre::heroku(Addon::new(marketplace, vendor.clone()).with_clock(clock.source()));

    let fields = ["resource_id", "id", "user_id", "email", "timestamp"].map(|name| (name, field(name)));
    let body = fields.into_iter().chain([(name, token)]).map(|(name, value)| {
        let escaped: Vec<_> = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        format!("{name}={}", escaped.concat())
    });
    let request = Request::post("/resources/sso")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.collect::<Vec<_>>().join("&")))
        .unwrap();
    let status = router.oneshot(request).await.unwrap().status().as_u16();
    if status == 302 {
        let received = vendor.sign_ons().pop().unwrap();
        let resource = if name == "token" { "id" } else { "resource_id" };
        assert_eq!(received.resource.as_str(), field(resource), "{vector}");
        assert_eq!(received.identity.is_verified(), name == "user_scoped_resource_token", "{vector}");
        assert_eq!(received.identity.email(), Some(field("email")), "{vector}");
    }
    status
}

#[tokio::test]
async fn each_token_of_the_vectors_signs_in_and_an_altered_one_does_not() {
    for vector in vectors() {
        for name in TOKENS {
            let token = vector[name].as_str().unwrap();
            assert_eq!(sign_on(&vector, name, token).await, 302, "{name} of {vector}");
            let last = if token.ends_with('0') { '1' } else { '0' };
            let altered = format!("{}{last}", &token[..token.len() - 1]);
            assert_eq!(sign_on(&vector, name, &altered).await, 403, "{name} of {vector}");
        }
    }
}
