//! Basic credentials: a header is accepted only if it is RFC 7617's encoding of active credentials.

use std::sync::LazyLock;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maitre_axum::verify_basic;
use maitre_core::{Credentials, Password};
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const USER: &str = "lantern";
const PASSWORD: &str = "pä:ss~wörd?>";
const OLD: &str = "last year's";

static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| {
    let active = Password::new(OLD).expect("a password").with_expiry(NOW + Duration::SECOND);
    let expired = Password::new("expired").expect("a password").with_expiry(NOW);
    let credentials = Credentials::new(USER, PASSWORD, "salt").expect("credentials");
    credentials.with_password(active).with_password(expired)
});

/// Selects one of two forms of input by the first byte: a header, or a user and a password.
pub fn check(data: &[u8]) {
    match data.split_first() {
        Some((b'h', header)) => check_header(header),
        Some((b'p', pair)) => check_pair(pair),
        _ => {}
    }
}

/// Compares with the two headers that are correct. A second line is a second header.
fn check_header(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.splitn(2, |byte| *byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(AUTHORIZATION, value);
    }
    let accepted = verify_basic(&headers, &CREDENTIALS, NOW);
    assert_eq!(accepted, headers.len() == 1 && is_correct(headers[AUTHORIZATION].as_bytes()));
}

fn is_correct(header: &[u8]) -> bool {
    let Some((scheme, token)) = header.split_at_checked(6) else { return false };
    let token = &token[token.iter().take_while(|byte| **byte == b' ').count()..];
    let encoded = |password: &str| BASE64_STANDARD.encode(format!("{USER}:{password}"));
    scheme.eq_ignore_ascii_case(b"Basic ")
        && [PASSWORD, OLD].iter().any(|password| encoded(password).as_bytes() == token)
}

/// Checks that any credentials are accepted, and similar ones are not. The first line is the user.
fn check_pair(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (user, password) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(credentials) = Credentials::new(user, password, "salt") else {
        assert!(user.is_empty() || user.contains(':') || password.is_empty());
        return;
    };
    let verify = |user: &str, password: &str| {
        let token = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let value = HeaderValue::try_from(format!("Basic {token}")).expect("base64 is a header value");
        verify_basic(&HeaderMap::from_iter([(AUTHORIZATION, value)]), &credentials, NOW)
    };
    assert!(verify(user, password));
    let shorter = &password[..password.char_indices().last().map_or(0, |(index, _)| index)];
    assert!(!verify(user, shorter));
    assert!(!verify(user, &format!("{password}\0")));
    assert!(!verify(user, &format!(":{password}")));
    assert!(!verify(&format!("{user}."), password));
    assert!(!verify("", password));
}
