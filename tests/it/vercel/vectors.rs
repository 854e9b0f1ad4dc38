//! The tokens and webhooks that the contract lists, over the wire.

use maitre::{Addon, Ledger, Vercel};
use serde_json::json;
use time::OffsetDateTime;

use super::catalog;
use crate::support::{Folder, Raw, Server, Vendor, request};

const KEYS: &str = r#"{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"pomelo-test-1","e":"AQAB","n":"yucKUkMnvpc3wnqYUnl0cAYreaTfSWcnps7ZkRvtBqJZAOLvorVxhX9fwqGN-jmT_5JbXDQvmDnUxuw_JKE1lRF8UXl_dblhxJvKblyhfrCMvGnkioW9Ck8SPsiwmBVEG7tsPUQUiQAy3Xz3daYAoLKDAjky_cdg10cdOdbfcU9h0a8di30Aqy342Ir-BPgP0n5tILHM7ySh9mLq-_C9JwMvIdbujuSd2OZ-yxHKkE4kxTl5MwLX7tw4b4Zg3sdzO3Dft4heZB_Rku-XWeaRmXAeO0xLLq82hHz7We7uj3gprmsYwWw_5r2Bmr_NGiZ6Dx9QRYltdSQlFt0TghD-ww"}]}"#;
const USER: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InBvbWVsby10ZXN0LTEifQ.eyJpc3MiOiJodHRwczovL21hcmtldHBsYWNlLnZlcmNlbC5jb20iLCJhdWQiOiJvYWNfcG9tZWxvMDAwMDAwMDAwMDAwMDAwMSIsInN1YiI6ImFjY291bnQ6NWYwYzJhOnVzZXI6OWJlMSIsImFjY291bnRfaWQiOiI1ZjBjMmEiLCJpbnN0YWxsYXRpb25faWQiOiJpY2ZnX3BvbWVsb0luc3QwMSIsInVzZXJfaWQiOiI5YmUxIiwidXNlcl9yb2xlIjoiQURNSU4iLCJ1c2VyX2VtYWlsIjoiYWRhQGN1c3RvbWVyLmV4YW1wbGUiLCJ1c2VyX25hbWUiOiJBZGEgRXhhbXBsZSIsInR5cGUiOiJhY2Nlc3NfdG9rZW4iLCJpYXQiOjE3MDAwMDAwMDAsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwfQ.e5yfMWKBxKmu3RUkxd4VlHJWqkcfW27QfpV9yQrfNTl9Gn4TkD3yDHry3tvaeJOmVddDAQ6toyAeOlOwtQMj3wQ_s5GEw2LCfs744gpGurOATkctXYbToukmzqnmxGgY_KVCLqdAVKz1BmPq68EVx6Ey6Bz-qzhMwrEUGiQPLZbbgSLhWZfIsSA_QVfFFkeH2nqY5YV-BWd3aUeo60SDWAgpUE0Es4luR-dmkSQsm2qmyxARXwL7gb3pC2t_YcQOfjKfmRtkpemRt_TBLCocIQU6O4fCNqTHl4py5VSOJ1xbjB5pOvAo8TBgsYG8TqTBTZwLM3gYDwGcDqkLUr0ZWw";
const SYSTEM: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InBvbWVsby10ZXN0LTEifQ.eyJpc3MiOiJodHRwczovL21hcmtldHBsYWNlLnZlcmNlbC5jb20iLCJhdWQiOiJvYWNfcG9tZWxvMDAwMDAwMDAwMDAwMDAwMSIsInN1YiI6ImFjY291bnQ6NWYwYzJhIiwiYWNjb3VudF9pZCI6IjVmMGMyYSIsImluc3RhbGxhdGlvbl9pZCI6ImljZmdfcG9tZWxvSW5zdDAxIiwidHlwZSI6ImFjY2Vzc190b2tlbiIsImlhdCI6MTcwMDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.xKYbA5WbMXS_8Pf2_9x7IU1LJerwI5hJVynTnJY8DITzgl9Z-jOA9axeZvAjCv9hW5BSnM_tGmQpYrTknEF2C6aFNbdeEAG8qgTwnDW7xgq0uyVzEydQUBMoPvKmfk_NHXUhSPt0aS_C7GbqAzl29Xz8JA8vrQUfOuGYwkDZICNQjJ7dQe6aAvT20zY1wyM4KZUsOABve-43m33p-4YwaLt6ZmCfKaMOgThN1jFzpUWtJ-gM58l4dQDEI_hpRPEqTYesOpiVJAYwKWqP-GwO4scqPWxdmuYLvgnxW4btaEfxOJcqHqgoy5h51q6FRWGQMhU-pWuxYBV_hCsdakexOQ";
const WEBHOOKS: [(&str, &str); 2] = [
    (
        r#"{"id":"evt_pml2","type":"integration-configuration.removed","createdAt":1700000100000,"payload":{"configuration":{"id":"icfg_pomeloInst01"},"team":{"id":"team_1"},"user":{"id":"u_1"}}}"#,
        "629e7cf7ab5e05d49417063eeb60552461e9c63c",
    ),
    (
        r#"{"id":"evt_pml1","type":"marketplace.invoice.paid","createdAt":1700000000000,"region":"iad1","payload":{"configuration":{"id":"icfg_pomeloInst01"},"installationId":"icfg_pomeloInst01","invoiceId":"mi_1","externalInvoiceId":"2023-11","period":{"start":"2023-10-01T00:00:00.000Z","end":"2023-11-01T00:00:00.000Z"},"invoiceDate":"2023-11-01T00:00:00.000Z","invoiceTotal":"29.00"}}"#,
        "0448e373adae89cb28e6ecf972771746e92b4b48",
    ),
];

struct Vectors {
    server: Server,
    vendor: Vendor,
    _keys: Server,
    _folder: Folder,
}

/// Starts an add-on at this time, for the contract's integration or another one.
async fn start(integration: &str, keys: &'static str, now: i64) -> Vectors {
    let jwks = axum::Router::new().route("/jwks", axum::routing::get(move || async move { keys }));
    let jwks = Server::start(jwks).await;
    let vercel = Vercel::new(integration, "pomelo-client-secret", catalog()).unwrap();
    let vercel = vercel.with_jwks_url(&jwks.url("/jwks")).unwrap();
    let (vendor, folder) = (Vendor::default(), Folder::new());
    let url = format!("sqlite://{}", folder.0.join("ledger.db").display());
    Ledger::migrate(&url).await.unwrap();
    let ledger = Ledger::open(&url).await.unwrap();
    let addon = Addon::new(vercel, ledger.wrap(vendor.clone()))
        .with_clock(move || OffsetDateTime::from_unix_timestamp(now).expect("a time"));
    let server = Server::start(axum::Router::new().nest("/vercel", maitre::vercel(addon))).await;
    Vectors { server, vendor, _keys: jwks, _folder: folder }
}

impl Vectors {
    async fn install(&self, token: &str, installation: &str) -> u16 {
        let line = format!("PUT /vercel/v1/installations/{installation}");
        let authorization = format!("authorization: bEARER {token}");
        let body = json!({ "credentials": { "access_token": "vcat_9a", "token_type": "Bearer" } }).to_string();
        Raw::exchange(&self.server, request([line.as_str(), &authorization, "x-vercel-auth: user"], body))
            .await
            .status()
    }

    async fn plans(&self, token: &str) -> u16 {
        let authorization = format!("authorization: Bearer {token}");
        let line = "GET /vercel/v1/installations/icfg_pomeloInst01/plans";
        Raw::exchange(&self.server, request([line, &authorization, "x-vercel-auth: system"], "")).await.status()
    }
}

const INTEGRATION: &str = "oac_pomelo0000000000000001";
const INSTALLATION: &str = "icfg_pomeloInst01";

#[tokio::test]
async fn the_listed_tokens_are_valid_until_a_minute_after_their_expiry() {
    for (now, user, system) in [
        (1_700_000_000, 204, 200),
        (1_700_003_659, 204, 200),
        (1_700_003_661, 403, 403),
        (1_699_999_940, 204, 200),
        (1_699_999_939, 403, 403),
    ] {
        let vectors = start(INTEGRATION, KEYS, now).await;
        assert_eq!(vectors.install(USER, INSTALLATION).await, user, "{now}");
        assert_eq!(vectors.plans(SYSTEM).await, system, "{now}");
    }
}

#[tokio::test]
async fn the_listed_token_is_refused_elsewhere_and_with_another_key() {
    let vectors = start(INTEGRATION, KEYS, 1_700_000_000).await;
    assert_eq!(vectors.install(USER, "icfg_other").await, 403);
    assert_eq!(vectors.install(SYSTEM, INSTALLATION).await, 403, "a user is needed");
    let flipped = USER.replace(".e5yf", ".e5yd");
    assert_eq!(vectors.install(&flipped, INSTALLATION).await, 403);
    let [_, claims, signature] = USER.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIiwia2lkIjoicG9tZWxvLXRlc3QtMSJ9";
    for token in [format!("{none}.{claims}."), format!("{none}.{claims}.{signature}")] {
        assert_eq!(vectors.install(&token, INSTALLATION).await, 403);
    }
    assert_eq!(vectors.vendor.calls(), 0);
    let other = start("oac_other", KEYS, 1_700_000_000).await;
    assert_eq!(other.install(USER, INSTALLATION).await, 403, "another audience");
    let unknown: &str = Box::leak(KEYS.replace("pomelo-test-1", "pomelo-test-2").into_boxed_str());
    let without = start(INTEGRATION, unknown, 1_700_000_000).await;
    assert_eq!(without.install(USER, INSTALLATION).await, 403, "the key is not in the set");
}

#[tokio::test]
async fn the_listed_webhooks_are_received() {
    let vectors = start(INTEGRATION, KEYS, 1_700_000_000).await;
    for (body, signature) in WEBHOOKS {
        for (signature, status) in [(signature, 200), (&signature.replace('9', "8"), 403)] {
            let header = format!("x-vercel-signature: {signature}");
            let reply = Raw::exchange(&vectors.server, request(["POST /vercel/webhooks", &header], body)).await;
            assert_eq!(reply.status(), status, "{body}");
            assert_eq!(reply.text().contains("invalid_signature"), status == 403);
        }
    }
}
