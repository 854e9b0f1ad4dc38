//! The signature of a token, and the key set.

use maitre_testkit::vercel::{SigningKey, Token};
use serde_json::Value;

use super::citation::{authentication, practice};
use super::rules::REFUSED;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::verdict::Verdict;

const SIGNED: Citation = authentication("tokens are signed with a key of the key set");
const KEYS: Citation = practice("keys are rotated: an unknown kid is looked up, at most every 30 s");

const ADVICE: &str = "Fix the algorithm to RS256, take the key of the token's kid from the key set, and verify the signature \
                      before any claim is read.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.signature.none", "A token with the algorithm none is refused.", SIGNED, |target| {
        Box::pin(refused(target, |_, token| token.unsigned()))
    }),
    Case::must("vercel.signature.empty", "A token with an empty signature is refused.", SIGNED, |target| {
        Box::pin(refused(target, |_, token| {
            let token = token.sign();
            format!("{}.", token.rsplit_once('.').map_or("", |(signed, _)| signed))
        }))
    }),
    Case::must(
        "vercel.signature.hs256-pem",
        "A token with HS256, keyed with the public key as PEM, is refused.",
        SIGNED,
        |target| Box::pin(refused(target, |target, token| token.sign_hs256(key(target).public_key_pem().as_bytes()))),
    ),
    Case::must(
        "vercel.signature.hs256-modulus",
        "A token with HS256, keyed with the modulus of the public key, is refused.",
        SIGNED,
        |target| {
            Box::pin(refused(target, |target, token| {
                let jwk = key(target).jwk();
                token.sign_hs256(jwk["n"].as_str().unwrap_or_default().as_bytes())
            }))
        },
    ),
    Case::must("vercel.signature.other-key", "A token of another key with a known kid is refused.", SIGNED, |target| {
        Box::pin(refused(target, |target, token| token.forged_by(&target.other_key).sign()))
    }),
    Case::must(
        "vercel.signature.unknown-key",
        "A token of a key that is not published is refused.",
        SIGNED,
        |target| Box::pin(refused(target, |target, token| token.signed_by(&target.other_key).sign())),
    ),
    Case::must("vercel.signature.bit", "A token with one bit of its signature changed is refused.", SIGNED, |target| {
        Box::pin(refused(target, |_, token| token.with_flipped_bit(1_000)))
    }),
    Case::must("vercel.signature.claims", "The signature of other claims is refused.", SIGNED, |target| {
        Box::pin(refused(target, |_, token| {
            let (token, other) = (token.sign(), token.claim("user_email", "eve@customer.example").sign());
            let signature = token.rsplit_once('.').map_or("", |(_, signature)| signature);
            format!("{}.{signature}", other.rsplit_once('.').map_or("", |(signed, _)| signed))
        }))
    }),
    Case::must("vercel.signature.embedded-key", "A key in the token's own header is ignored.", SIGNED, |target| {
        Box::pin(refused(target, |target, token| {
            let jwk: Value = target.other_key.jwk();
            token.signed_by(&target.other_key).header("jwk", jwk).sign()
        }))
    }),
    Case::should(
        "vercel.signature.other-algorithm",
        "A token whose header has another algorithm than RS256 is refused.",
        practice("vendors in production accept RS256 only"),
        |target| Box::pin(refused(target, |_, token| token.header("alg", "RS512").sign())),
    ),
    Case::should(
        "vercel.signature.odd-kid",
        "Odd key ids are refused without a server error.",
        practice("a kid is data: neither a path nor a query"),
        |target| Box::pin(odd_kid(target)),
    ),
    Case::should("vercel.signature.cached", "The key set is cached.", KEYS, |target| Box::pin(cached(target))).alone(),
    Case::should(
        "vercel.signature.few-lookups",
        "Tokens with unknown key ids do not cause a lookup each.",
        KEYS,
        |target| Box::pin(few_lookups(target)),
    )
    .alone(),
    Case::should(
        "vercel.signature.outage",
        "Known keys stay in use while the key set cannot be fetched.",
        KEYS,
        |target| Box::pin(outage(target)),
    )
    .alone(),
    Case::should(
        "vercel.signature.new-key",
        "Tokens of a new key are accepted soon after it is published.",
        KEYS,
        |target| Box::pin(new_key(target)),
    )
    .slow()
    .alone(),
];

fn key(target: &Target) -> SigningKey {
    target.platform.signing_key()
}

/// Sends a forged token on routes that every add-on serves.
async fn refused(target: &Target, forge: fn(&Target, Token) -> String) -> Verdict {
    let resource = target.new_resource().await?;
    let token = forge(target, target.token(&resource.installation));
    for call in [target.read(&resource), target.provision(&resource.installation), target.deprovision(&resource)] {
        target.wire.send(call.bearer(&token)).await?.must_be(REFUSED, ADVICE)?;
    }
    Ok(())
}

async fn odd_kid(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    for kid in ["", "../../../dev/null", "' OR 1=1 --", "key-1\u{0}", "https://elsewhere.example/jwks"] {
        let token = target.token(&resource.installation).signed_by(&target.other_key).header("kid", kid).sign();
        target.wire.send(target.read(&resource).bearer(&token)).await?.must_be(REFUSED, ADVICE)?;
    }
    Ok(())
}

/// Number of requests that must not each cause a fetch.
const MANY: usize = 30;

async fn fetches(target: &Target, forge: fn(&Target, Token) -> Token) -> Result<usize, crate::verdict::Stop> {
    let resource = target.new_resource().await?;
    let before = target.platform.jwks_fetches();
    for _ in 0..MANY {
        let token = forge(target, target.token(&resource.installation)).sign();
        target.wire.send(target.read(&resource).bearer(&token)).await?;
    }
    Ok(target.platform.jwks_fetches() - before)
}

async fn few(target: &Target, forge: fn(&Target, Token) -> Token) -> Verdict {
    let fetches = fetches(target, forge).await?;
    if fetches <= MANY / 2 {
        return Ok(());
    }
    Err(crate::verdict::Stop::fault(
        format!("{MANY} requests caused {fetches} fetches of the key set."),
        "Cache the key set for ten minutes, and fetch it because of an unknown kid at most every 30 s.",
    ))
}

async fn cached(target: &Target) -> Verdict {
    few(target, |_, token| token).await
}

async fn few_lookups(target: &Target) -> Verdict {
    few(target, |target, token| token.signed_by(&target.other_key)).await
}

async fn outage(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    target.platform.fail_jwks(Some(503));
    let unknown = target.token(&resource.installation).signed_by(&target.other_key).sign();
    let looked_up = target.wire.send(target.read(&resource).bearer(&unknown)).await;
    let known = target.wire.send(target.read(&resource)).await;
    target.platform.fail_jwks(None);
    looked_up?;
    let advice = "Keep the old key set when a fetch fails.";
    known?.must_be(&[200], advice).map(drop)
}

async fn new_key(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let key = target.other_key.with_kid("new-key");
    target.platform.publish_key(&key);
    let token = target.token(&resource.installation).signed_by(&key).sign();
    let accepted = target
        .eventually(async || {
            let response = target.wire.send(target.read(&resource).bearer(&token)).await?;
            if response.status() != 200 {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await; // fetches may be limited
            }
            Ok(response.status() == 200)
        })
        .await;
    target.platform.withdraw_key(key.kid());
    if accepted? {
        return Ok(());
    }
    Err(crate::verdict::Stop::fault(
        "Tokens of a new key are refused.",
        "Fetch the key set again when a token has an unknown kid, at most every 30 s.",
    ))
}
