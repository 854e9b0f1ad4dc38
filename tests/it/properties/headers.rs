//! `Authorization` headers: only correct ones are accepted.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE};
use maitre::Heroku;
use maitre_testkit::sign;
use proptest::prelude::*;

use super::{TestRouter, check};
use crate::support::{SALT, SLUG};

/// Decodes a header as RFC 7617 describes, independently of the code under test.
fn decoded(header: &[u8]) -> Option<Vec<u8>> {
    let (scheme, rest) = header.split_at_checked(6)?;
    let token = rest.iter().position(|byte| *byte != b' ').map(|start| &rest[start..])?;
    scheme.eq_ignore_ascii_case(b"Basic ").then(|| BASE64_STANDARD.decode(token).ok()).flatten()
}

fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![0x20..=0x7e_u8, Just(b'\t'), 0x80..=0xff_u8], 0..80)
}

/// Generates headers similar to the correct one and arbitrary ones.
fn headers(user: &'static str, password: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let right = format!("{user}:{password}");
    let token = BASE64_STANDARD.encode(&right);
    let schemes = prop_oneof![
        Just("Basic "),
        Just("basic "),
        Just("BASIC  "),
        Just("Basic"),
        Just(""),
        Just("Bearer "),
        Just("Basic\t")
    ];
    let near = {
        let right = right.clone();
        (any::<prop::sample::Index>(), any::<u8>(), 0..4).prop_map(move |(place, byte, change)| {
            let mut bytes = right.clone().into_bytes();
            let place = place.index(bytes.len());
            match change {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => drop(bytes.remove(place)),
                _ => bytes.truncate(place),
            }
            BASE64_STANDARD.encode(bytes)
        })
    };
    let bent = {
        let token = token.clone();
        (any::<prop::sample::Index>(), 0x20..=0x7e_u8, any::<bool>()).prop_map(move |(place, byte, insert)| {
            let mut bytes = token.clone().into_bytes();
            let place = place.index(bytes.len());
            if insert {
                bytes.insert(place, byte);
            } else {
                bytes[place] = byte;
            }
            String::from_utf8(bytes).expect("ASCII")
        })
    };
    let others =
        vec![token, BASE64_STANDARD_NO_PAD.encode(&right), BASE64_URL_SAFE.encode(&right), right, String::new()];
    let tokens = prop_oneof![
        3 => near,
        3 => bent,
        2 => proptest::sample::select(others),
        1 => (".{0,12}", ".{0,12}").prop_map(|(user, password)| BASE64_STANDARD.encode(format!("{user}:{password}"))),
        1 => ".{0,20}".prop_map(move |password| BASE64_STANDARD.encode(format!("{user}:{password}"))),
        1 => ".{0,12}".prop_map(move |user| BASE64_STANDARD.encode(format!("{user}:{password}"))),
    ];
    let built = (schemes, tokens).prop_map(|(scheme, token)| format!("{scheme}{token}").into_bytes());
    prop_oneof![9 => built, 1 => header_bytes()]
}

#[test]
fn only_correct_authorization_headers_are_accepted() {
    const PASSWORD: &str = "pä:ss~wörd?>";
    let router = TestRouter::new(Heroku::new(SLUG, PASSWORD, SALT).unwrap());
    let (mut accepted, mut rejected) = (0, 0);
    check(headers(SLUG, PASSWORD), |header| {
        let right = decoded(&header).is_some_and(|text| text == format!("{SLUG}:{PASSWORD}").as_bytes());
        let status = router.provision(&header);
        let counted = if right { &mut accepted } else { &mut rejected };
        *counted += 1;
        prop_assert_eq!(status.as_u16(), if right { 200 } else { 401 }, "{}", String::from_utf8_lossy(&header));
        Ok(())
    });
    assert!(accepted > 100 && rejected > 5_000, "enough valid and invalid headers: {accepted}, {rejected}");
    assert_eq!(router.vendor.calls(), accepted);
}

#[test]
fn any_credentials_are_accepted_and_near_misses_are_rejected() {
    let text = || prop_oneof![3 => "\\PC{1,24}", 1 => "[ -~]{1,80}", 1 => "[a-f0-9]{32}"];
    let scheme = prop_oneof![Just("Basic"), Just("basic"), Just("BASIC"), Just("bASIC")];
    check((text(), text(), scheme, any::<prop::sample::Index>()), |(user, password, scheme, place)| {
        let user = user.replace(':', "-");
        let router = TestRouter::new(Heroku::new(&user, &password, SALT).expect("none is empty"));
        let header = sign::basic(&user, &password).replacen("Basic", scheme, 1);
        prop_assert_eq!(router.provision(header.as_bytes()), 200);
        let mut chars: Vec<char> = format!("{user}:{password}").chars().collect();
        let place = place.index(chars.len());
        chars[place] = if chars[place] == 'x' { 'y' } else { 'x' };
        let (other, rest): (String, String) = (chars.iter().collect(), format!("{user}:{password}"));
        prop_assume!(other != rest);
        prop_assert_eq!(router.provision(format!("Basic {}", BASE64_STANDARD.encode(other)).as_bytes()), 401);
        Ok(())
    });
}
