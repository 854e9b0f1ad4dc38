//! Verification of tokens.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::request::{Received, Route};
use super::{Fault, INTEGRATION, Refusal, SampleVercel, refused};

/// Shortest time between two fetches of the key set.
const INTERVAL: Duration = Duration::from_secs(1);

/// Keys that were fetched.
#[derive(Default)]
pub(super) struct Keys {
    by_id: HashMap<String, Value>,
    fetched_at: Option<Instant>,
}

impl SampleVercel {
    /// Verifies the token of a request, and what it permits.
    pub(super) async fn admit(&self, route: Route, received: &Received, installation: &str) -> Result<(), Refusal> {
        if self.opens(route) {
            return Ok(());
        }
        let claims = self.verified(received).await?;
        if route == Route::ProductPlans {
            let has_account = claims.get("account_id").is_some_and(Value::is_string);
            return if self.is(Fault::PlansNeedAccount) && !has_account { Err(refused(403)) } else { Ok(()) };
        }
        let named = claims.get("installation_id").unwrap_or(&Value::Null);
        let is_any = self.ignores_installation(route) || self.is(Fault::NullIsAnyInstallation) && named.is_null();
        if *named != installation && !is_any {
            return Err(refused(403));
        }
        match claims.get("user_role").and_then(Value::as_str) {
            None if route.needs_user() && !(self.is(Fault::SystemProvisions) && route == Route::Provision) => {
                Err(refused(403))
            }
            None if self.needs_user_too(route) => Err(refused(403)),
            Some(_) if route.is_transfer() && !self.is(Fault::UserTransfers) => Err(refused(403)),
            Some("USER") if route.is_change() && !self.lets_viewers(route) => Err(refused(403)),
            Some("USER") if self.is(Fault::ViewerReadIs403) => Err(refused(403)),
            _ => Ok(()),
        }
    }

    fn opens(&self, route: Route) -> bool {
        let open = match self.fault {
            Fault::OpenInstall => Route::Install,
            Fault::OpenUninstall => Route::Uninstall,
            Fault::OpenProvision => Route::Provision,
            Fault::OpenRead => Route::Read,
            Fault::OpenDeprovision => Route::Deprovision,
            Fault::OpenPlans => Route::ProductPlans,
            Fault::OpenReadInstallation => Route::ReadInstallation,
            Fault::OpenUpdate => Route::Update,
            Fault::OpenRotate => Route::Rotate,
            _ => return false,
        };
        route == open
    }

    fn ignores_installation(&self, route: Route) -> bool {
        let ignored = match self.fault {
            Fault::ForeignTokenReads => Route::Read,
            Fault::ForeignTokenProvisions => Route::Provision,
            Fault::ForeignTokenInstalls => Route::Install,
            Fault::ForeignTokenUpdates => Route::Update,
            Fault::ForeignTokenRotates => Route::Rotate,
            Fault::ForeignTokenDeprovisions => Route::Deprovision,
            Fault::ForeignTokenUninstalls => Route::Uninstall,
            _ => return false,
        };
        route == ignored
    }

    fn needs_user_too(&self, route: Route) -> bool {
        let needing = match self.fault {
            Fault::SystemDeprovisionIs403 => Route::Deprovision,
            Fault::SystemUninstallIs403 => Route::Uninstall,
            Fault::SystemRotateIs403 => Route::Rotate,
            Fault::SystemReadIs403 => Route::Read,
            _ => return false,
        };
        route == needing
    }

    fn lets_viewers(&self, route: Route) -> bool {
        let allowed = match self.fault {
            Fault::ViewerProvisions => Route::Provision,
            Fault::ViewerDeprovisions => Route::Deprovision,
            Fault::ViewerUninstalls => Route::Uninstall,
            Fault::ViewerUpdates => Route::Update,
            Fault::ViewerRotates => Route::Rotate,
            Fault::ViewerCommands => Route::Repl,
            _ => return false,
        };
        route == allowed
    }

    /// Returns the claims of the token of a request.
    async fn verified(&self, received: &Received) -> Result<Map<String, Value>, Refusal> {
        let (scheme, token) = received.header("authorization").and_then(|it| it.split_once(' ')).unwrap_or_default();
        let is_bearer = match self.fault {
            Fault::ExactScheme => scheme == "Bearer",
            Fault::AnyScheme => true,
            _ => scheme.eq_ignore_ascii_case("bearer"),
        };
        if self.is(Fault::GarbageIs500) && is_bearer && token.split('.').count() != 3 {
            return Err(refused(500));
        }
        if !is_bearer || self.is(Fault::KindNeeded) && received.header("x-vercel-auth").is_none() {
            return Err(refused(403));
        }
        let claims = self.signed_claims(token, true).await?;
        let is_allowed = match claims.get("type") {
            None => !self.is(Fault::TypeNeeded),
            Some(kind) => kind == "access_token" || self.is(Fault::AcceptsIdToken),
        };
        if is_allowed { Ok(claims) } else { Err(refused(403)) }
    }

    /// Returns the claims of an id token.
    pub(super) async fn id_token(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let claims = self.signed_claims(token, false).await?;
        let is_id = claims.get("type").is_none_or(|kind| kind == "id_token") || self.is(Fault::AnyTypeAtSso);
        if is_id { Ok(claims) } else { Err(refused(403)) }
    }

    async fn signed_claims(&self, token: &str, is_api: bool) -> Result<Map<String, Value>, Refusal> {
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { return Err(refused(403)) };
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| refused(403));
        let object =
            |part: &str| serde_json::from_slice::<Map<String, Value>>(&decode(part)?).map_err(|_| refused(403));
        let (header, claims, signature) = (object(header)?, object(claims)?, decode(signature)?);
        let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        let is_signed = self.is(Fault::TrustsIdToken) && !is_api || self.is_signed(&header, signed, &signature).await?;
        if !is_signed || self.is(Fault::RefusesAll) {
            return Err(refused(403));
        }
        self.check(&claims, is_api)?;
        Ok(claims)
    }

    async fn is_signed(&self, header: &Map<String, Value>, signed: &str, signature: &[u8]) -> Result<bool, Refusal> {
        let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        if self.is(Fault::AlgorithmNone) && algorithm == "none"
            || self.is(Fault::EmptySignature) && signature.is_empty()
        {
            return Ok(true);
        }
        let kid = header.get("kid").and_then(Value::as_str).unwrap_or_default();
        if self.is(Fault::OddKidIs500) && kid.contains('/') {
            return Err(refused(500));
        }
        if let Some(jwk) = header.get("jwk").filter(|_| self.is(Fault::EmbeddedKey)) {
            return Ok(verifies(jwk, signed, signature));
        }
        let key = self.key(kid).await;
        let Some(key) = key else { return Ok(self.is(Fault::UnknownKeyIsFine)) };
        if algorithm == "HS256" && matches!(self.fault, Fault::Hs256WithPem | Fault::Hs256WithModulus) {
            let secret = match self.fault {
                Fault::Hs256WithPem => pem(&key),
                _ => key["n"].as_str().unwrap_or_default().to_owned(),
            };
            return Ok(maitre_testkit::sign::webhook(&secret, signed.as_bytes()) == BASE64_STANDARD.encode(signature));
        }
        let is_right = algorithm == "RS256" || self.is(Fault::AnyAlgorithm) && algorithm.starts_with("RS");
        Ok(is_right
            && match self.fault {
                Fault::KidIsEnough | Fault::ReadsClaimsOnly => true,
                Fault::LengthOfSignature => signature.len() == 256,
                _ => verifies(&key, signed, signature),
            })
    }

    /// Returns the key with this id.
    async fn key(&self, kid: &str) -> Option<Value> {
        let (known, fetched_at) = {
            let keys = self.keys.lock().unwrap();
            (keys.by_id.get(kid).cloned(), keys.fetched_at)
        };
        let may_fetch = match self.fault {
            Fault::LookupPerToken | Fault::ForgetsKeys => true,
            Fault::FetchesOnce => fetched_at.is_none(),
            _ => fetched_at.is_none_or(|at| at.elapsed() >= INTERVAL),
        };
        if known.is_some() && !self.is(Fault::NoKeyCache) || !may_fetch && !self.is(Fault::NoKeyCache) {
            return known;
        }
        let answer = self.http.get(format!("{}/.well-known/jwks", self.platform)).send().await;
        let document: Option<Value> = match answer.and_then(reqwest::Response::error_for_status) {
            Ok(response) => response.json().await.ok(),
            Err(_) => None,
        };
        let mut keys = self.keys.lock().unwrap();
        keys.fetched_at = Some(Instant::now());
        match document {
            Some(document) => {
                let list = document["keys"].as_array().cloned().unwrap_or_default();
                keys.by_id = list.into_iter().map(|key| (key["kid"].as_str().unwrap().to_owned(), key)).collect();
            }
            None if self.is(Fault::ForgetsKeys) => keys.by_id.clear(),
            None => {}
        }
        keys.by_id.get(kid).cloned()
    }

    fn check(&self, claims: &Map<String, Value>, is_api: bool) -> Result<(), Refusal> {
        let claim = |name: &str| claims.get(name);
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        if self.is(Fault::ClaimTypeIs500) && claim("exp").is_some_and(Value::is_string) {
            return Err(refused(500));
        }
        let is_issued = match claim("iss") {
            None => self.is(Fault::NoIssuerNeeded),
            Some(issuer) => *issuer == self.platform.as_str() || self.is(Fault::AnyIssuer),
        };
        let is_any_audience = self.is(Fault::AnyAudience) || self.is(Fault::AnyAudienceAtSso) && !is_api;
        let is_for_us = match claim("aud") {
            None => self.is(Fault::NoAudienceNeeded),
            Some(audience) => *audience == INTEGRATION || is_any_audience,
        };
        let ignores_expiry = self.is(Fault::IgnoresExpiry) || self.is(Fault::IgnoresExpiryAtSso) && !is_api;
        let is_current = match claim("exp") {
            None => self.is(Fault::NoExpiryNeeded),
            Some(expiry) => expiry.as_i64().is_some_and(|expiry| expiry + 60 >= now || ignores_expiry),
        };
        let begins = claim("nbf").and_then(Value::as_i64).is_none_or(|begin| begin - 60 <= now);
        let is_text = claim("sub").is_none_or(|sub| sub.is_string() || sub.is_null());
        let has_email = claim("user_email").is_some() || claim("user_id").is_none();
        let lacks = self.is(Fault::EmailNeeded) && !has_email
            || self.is(Fault::DeniesUnknownClaims) && claim("global_user_id").is_some();
        let is_valid = is_issued && is_for_us && is_current && is_text && !lacks;
        if is_valid && (begins || self.is(Fault::IgnoresNotBefore)) { Ok(()) } else { Err(refused(403)) }
    }
}

fn verifies(jwk: &Value, signed: &str, signature: &[u8]) -> bool {
    let part = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap_or_default()).unwrap_or_default();
    let key = PublicKeyComponents { n: part("n"), e: part("e") };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), signature).is_ok()
}

/// Returns a public key as PEM, as a library would write it.
fn pem(jwk: &Value) -> String {
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap_or_default()).unwrap_or_default();
    // the frame of a key of 2048 bits with the exponent 65537
    let mut der = hex_bytes("30820122300d06092a864886f70d01010105000382010f003082010a0282010100");
    der.extend(modulus);
    der.extend(hex_bytes("0203010001"));
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

fn hex_bytes(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap()).collect()
}
