//! An integration at Vercel at a fixed time: its public key, and a token that was valid then.

use maitre_testkit::{Heroku, Request};

/// The integration's id, the audience of the token.
pub const INTEGRATION: &str = "oac_pomelo0000000000000001";
/// Installation that the token is for.
pub const INSTALLATION: &str = "icfg_pomeloInst01";
/// The integration's product.
pub const PRODUCT: &str = "tally";
/// Time at which the token is valid, in seconds since 1970.
pub const NOW: i64 = 1_700_000_100;
/// Id of the key that signed the token.
pub const KID: &str = "pomelo-test-1";

/// Modulus of the public key; the exponent is `AQAB`.
pub const MODULUS: &str = "yucKUkMnvpc3wnqYUnl0cAYreaTfSWcnps7ZkRvtBqJZAOLvorVxhX9fwqGN-jmT_5JbXDQvmDnUxuw_JKE1lRF8UXl_dblhxJvKblyhfrCMvGnk\
    ioW9Ck8SPsiwmBVEG7tsPUQUiQAy3Xz3daYAoLKDAjky_cdg10cdOdbfcU9h0a8di30Aqy342Ir-BPgP0n5tILHM7ySh9mLq-_C9JwMvIdbujuSd\
    2OZ-yxHKkE4kxTl5MwLX7tw4b4Zg3sdzO3Dft4heZB_Rku-XWeaRmXAeO0xLLq82hHz7We7uj3gprmsYwWw_5r2Bmr_NGiZ6Dx9QRYltdSQlFt0T\
    ghD-ww";

const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InBvbWVsby10ZXN0LTEifQ.eyJpc3MiOiJodHRwczovL21hcmtldHBsYWNlLnZlcmNlb\
    C5jb20iLCJhdWQiOiJvYWNfcG9tZWxvMDAwMDAwMDAwMDAwMDAwMSIsInN1YiI6ImFjY291bnQ6NWYwYzJhOnVzZXI6OWJlMSIsImFjY291bnRfa\
    WQiOiI1ZjBjMmEiLCJpbnN0YWxsYXRpb25faWQiOiJpY2ZnX3BvbWVsb0luc3QwMSIsInVzZXJfaWQiOiI5YmUxIiwidXNlcl9yb2xlIjoiQURNS\
    U4iLCJ1c2VyX2VtYWlsIjoiYWRhQGN1c3RvbWVyLmV4YW1wbGUiLCJ1c2VyX25hbWUiOiJBZGEgRXhhbXBsZSIsInR5cGUiOiJhY2Nlc3NfdG9rZ\
    W4iLCJpYXQiOjE3MDAwMDAwMDAsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwfQ.e5yfMWKBxKmu3RUkxd4VlHJWqkcfW27QfpV9yQ\
    rfNTl9Gn4TkD3yDHry3tvaeJOmVddDAQ6toyAeOlOwtQMj3wQ_s5GEw2LCfs744gpGurOATkctXYbToukmzqnmxGgY_KVCLqdAVKz1BmPq68EVx6\
    Ey6Bz-qzhMwrEUGiQPLZbbgSLhWZfIsSA_QVfFFkeH2nqY5YV-BWd3aUeo60SDWAgpUE0Es4luR-dmkSQsm2qmyxARXwL7gb3pC2t_YcQOfjKfmR\
    tkpemRt_TBLCocIQU6O4fCNqTHl4py5VSOJ1xbjB5pOvAo8TBgsYG8TqTBTZwLM3gYDwGcDqkLUr0ZWw";

/// Returns the key set.
#[must_use]
pub fn jwks() -> String {
    let key = serde_json::json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": KID, "n": MODULUS, "e": "AQAB" });
    serde_json::json!({ "keys": [key] }).to_string()
}

/// Returns a provision with this `Idempotency-Key`, which is the name of the resource, too.
pub(crate) fn provision(client: &Heroku, origin: &str, key: &str, plan: &str) -> Request {
    provision_with(client, origin, key, plan, TOKEN)
}

/// Returns a provision whose token has another signature.
pub(crate) fn forged(client: &Heroku, origin: &str, key: &str, plan: &str) -> Request {
    let signature = TOKEN.rfind('.').map_or(0, |dot| dot + 1);
    let mut token = TOKEN.to_owned();
    token.replace_range(signature..=signature, if TOKEN[signature..].starts_with('A') { "B" } else { "A" });
    provision_with(client, origin, key, plan, &token)
}

fn provision_with(client: &Heroku, origin: &str, key: &str, plan: &str, token: &str) -> Request {
    let body = serde_json::json!({
        "productId": PRODUCT,
        "name": key,
        "metadata": { "region": "fra1" },
        "billingPlanId": plan,
    });
    client
        .raw("POST", &format!("{origin}/vercel/v1/installations/{INSTALLATION}/resources"))
        .bearer(token)
        .header("x-vercel-auth", "user")
        .header("idempotency-key", key)
        .header("content-type", "application/json")
        .body(body.to_string())
        .request()
}
