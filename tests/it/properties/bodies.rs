//! Request bodies: none causes a 5xx response.

use axum::http::{Request, header};
use maitre::Heroku;
use maitre_testkit::sign;
use proptest::prelude::*;

use super::{TestRouter, check};
use crate::support::{SALT, SLUG, UUID};

#[test]
fn arbitrary_bodies_are_answered_without_5xx() {
    let router = TestRouter::new(Heroku::new(SLUG, "password", SALT).unwrap());
    let json = {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<f64>().prop_map(|number| number.to_string()),
            ".{0,8}".prop_map(|text| serde_json::Value::from(text).to_string()),
            Just(format!("\"{UUID}\"")),
            Just("\"\\ud800\"".to_owned()),
            Just("NaN".to_owned()),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let names =
                proptest::sample::select(vec!["uuid", "plan", "options", "oauth_grant", "code", "expires_at", "x", ""]);
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
                proptest::collection::vec((names, inner), 0..6).prop_map(|fields| {
                    let fields = fields.iter().map(|(name, value)| format!("\"{name}\":{value}"));
                    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
                }),
            ]
        })
        .prop_map(String::into_bytes)
    };
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    let right = sign::basic(SLUG, "password");
    check((prop_oneof![4 => json, 1 => bytes], any::<bool>()), |(body, put)| {
        let request = if put { Request::put("/resources/7") } else { Request::post("/resources") };
        let status =
            router.send(request.header(header::AUTHORIZATION, &right).body(body.clone().into()).expect("a request"));
        prop_assert!([200, 400, 404, 422].contains(&status.as_u16()), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(())
    });
}
