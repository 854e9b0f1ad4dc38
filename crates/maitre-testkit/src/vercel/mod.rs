//! Vercel Marketplace: its calls to a vendor, its tokens, and the API that a vendor calls.
//!
//! A [`Platform`] has Vercel's keys and serves them on loopback, with the token endpoint of single sign-on and Vercel's REST
//! API. [`Vercel`] sends the calls, with tokens of that platform.

mod api;
mod installation;
mod key;
mod platform;
mod serve;
mod shape;
mod state;
mod token;

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub use self::{
    installation::Installation,
    key::SigningKey,
    platform::Platform,
    serve::PlatformServer,
    state::{ApiCall, InvoiceRecord},
    token::Token,
};
use crate::{call::Call, endpoint::Endpoint, generate, json::Json, path::segment, raw::Raw};

/// Header with the kind of the token.
const KIND_HEADER: &str = "x-vercel-auth";

/// Vercel, from the point of view of one vendor.
///
/// Every call has a valid token of the kind that Vercel sends, and every mutating call has an `Idempotency-Key` of its own.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use maitre_testkit::vercel::{Platform, Vercel};
///
/// let platform = Platform::new("oac_lantern", "client secret");
/// let server = platform.serve().await?; // the vendor uses server.url() as issuer, JWKS and API
/// let vercel = Vercel::new("http://127.0.0.1:8300/vercel", &platform);
///
/// let installation = platform.new_installation();
/// vercel.install(&installation).await.expect(204);
/// let resource = vercel.provision(&installation, "lantern", "basic").await.expect(200).json();
/// let id = resource["id"].as_str().unwrap();
///
/// // Every call can be made invalid.
/// let token = platform.user_token(&installation);
/// vercel.deprovision(&installation, id).bearer(&token.unsigned()).await.expect(403);
/// vercel.deprovision(&installation, id).bearer(&token.claim("user_role", "USER").sign()).await.expect(403);
///
/// vercel.deprovision(&installation, id).await.expect(204);
/// vercel.uninstall(&installation).await.expect(200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Vercel {
    endpoint: Endpoint,
    platform: Platform,
}

impl Vercel {
    /// Returns a Vercel that calls `root` (the URL above `/v1`) with tokens of this platform.
    #[must_use]
    pub fn new(root: &str, platform: &Platform) -> Self {
        Self { endpoint: Endpoint::new(root, []), platform: platform.clone() }
    }

    /// Returns the platform.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// `PUT /v1/installations/{id}`: a team accepts the terms, or its token, scopes or account change.
    ///
    /// ```
    /// use maitre_testkit::vercel::{Platform, Vercel};
    ///
    /// let platform = Platform::new("oac_lantern", "client secret");
    /// let vercel = Vercel::new("http://127.0.0.1:8300/vercel/", &platform);
    /// let installation = platform.new_installation();
    /// let request = vercel.install(&installation).request();
    /// assert_eq!(request.url(), format!("http://127.0.0.1:8300/vercel/v1/installations/{}", installation.id()));
    /// assert_eq!(request.header("X-Vercel-Auth"), Some("user"));
    /// assert!(request.header("Idempotency-Key").is_some());
    /// assert!(!format!("{request:?}").contains(installation.access_token()));
    /// ```
    pub fn install(&self, installation: &Installation) -> Call<Json> {
        let accepted = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let account = json!({
            "name": "Example Org",
            "url": "https://vercel.com/example-org",
            "contact": { "email": "ada@customer.example", "name": "Ada Example" },
        });
        let fields = [
            ("scopes", json!(["read-write:integration-resource"])),
            ("acceptedPolicies", json!({ "toc": accepted })),
            ("credentials", json!({ "access_token": installation.access_token(), "token_type": "Bearer" })),
            ("account", account),
        ];
        self.as_user("PUT", installation_path(installation), installation, fields)
    }

    /// `GET /v1/installations/{id}`: Vercel shows the installation.
    pub fn installation(&self, installation: &Installation) -> Call<Json> {
        self.read(installation_path(installation), installation)
    }

    /// `PATCH /v1/installations/{id}`: a user changes the plan of the installation.
    pub fn update_installation(&self, installation: &Installation, plan: &str) -> Call<Json> {
        self.as_user("PATCH", installation_path(installation), installation, [("billingPlanId", plan.into())])
    }

    /// `DELETE /v1/installations/{id}`: a user uninstalls the integration with all its resources.
    pub fn uninstall(&self, installation: &Installation) -> Call<Json> {
        let fields = [("cascadeResourceDeletion", true.into())];
        self.as_user("DELETE", installation_path(installation), installation, fields)
    }

    /// `POST /v1/installations/{id}/resources`: a user creates a resource of this product, on this plan.
    ///
    /// ```
    /// use maitre_testkit::vercel::{Platform, Vercel};
    ///
    /// let platform = Platform::new("oac_lantern", "client secret");
    /// let vercel = Vercel::new("http://127.0.0.1:8300/vercel", &platform);
    /// let installation = platform.new_installation();
    /// let call = vercel.provision(&installation, "lantern", "basic").set("metadata", serde_json::json!({"region": "fra1"}));
    /// let again = call.clone().header("idempotency-key", "another");
    /// assert_ne!(call.request().header("idempotency-key"), again.request().header("idempotency-key"));
    /// ```
    pub fn provision(&self, installation: &Installation, product: &str, plan: &str) -> Call<Json> {
        let fields = [
            ("productId", product.into()),
            ("name", "orders".into()),
            ("metadata", json!({})),
            ("billingPlanId", plan.into()),
        ];
        self.as_user("POST", resources_path(installation), installation, fields)
    }

    /// `GET …/resources/{id}`: Vercel reads a resource, by the vendor's id.
    pub fn resource(&self, installation: &Installation, resource: &str) -> Call<Json> {
        self.read(resource_path(installation, resource), installation)
    }

    /// `PATCH …/resources/{id}`: a user changes the plan. Use `.set("name", …)` and `.without("billingPlanId")` for other
    /// changes.
    pub fn update(&self, installation: &Installation, resource: &str, plan: &str) -> Call<Json> {
        let path = resource_path(installation, resource);
        self.as_user("PATCH", path, installation, [("billingPlanId", plan.into())])
    }

    /// `DELETE …/resources/{id}`: a user deletes a resource. Sent without a body.
    pub fn deprovision(&self, installation: &Installation, resource: &str) -> Call<Json> {
        self.as_user("DELETE", resource_path(installation, resource), installation, [])
    }

    /// `POST …/resources/{id}/secrets/rotate`: a user asks for new secrets; the old ones stay valid for this many hours.
    pub fn rotate(&self, installation: &Installation, resource: &str, overlap_hours: f64) -> Call<Json> {
        let path = format!("{}/secrets/rotate", resource_path(installation, resource));
        let fields = [("reason", "scheduled".into()), ("delayOldSecretsExpirationHours", overlap_hours.into())];
        self.as_user("POST", path, installation, fields)
    }

    /// `POST …/resources/{id}/repl`: a user enters a command in the dashboard's console.
    pub fn repl(&self, installation: &Installation, resource: &str, input: &str) -> Call<Json> {
        let path = format!("{}/repl", resource_path(installation, resource));
        self.as_user("POST", path, installation, [("input", input.into()), ("readOnly", false.into())])
    }

    /// `GET /v1/products/{slug}/plans`: the plans of a product for these values of the form. Before the installation, so the
    /// token has neither account nor installation.
    ///
    /// ```
    /// use maitre_testkit::vercel::{Platform, Vercel};
    ///
    /// let platform = Platform::new("oac_lantern", "client secret");
    /// let vercel = Vercel::new("http://127.0.0.1:8300/vercel", &platform);
    /// let call = vercel.product_plans("lantern", Some(&serde_json::json!({"region": "fra1"})));
    /// assert!(call.url().ends_with("/v1/products/lantern/plans?metadata=%7B%22region%22%3A%22fra1%22%7D"));
    /// ```
    pub fn product_plans(&self, product: &str, metadata: Option<&Value>) -> Call<Json> {
        let path = format!("/v1/products/{}/plans{}", segment(product), metadata_query(metadata));
        let token = self.platform.token().claim("sub", Value::Null).claim("installation_id", Value::Null);
        self.call("GET", path, [], &token, "system")
    }

    /// `GET /v1/installations/{id}/plans`: the plans of an installation.
    pub fn installation_plans(&self, installation: &Installation) -> Call<Json> {
        self.read(format!("{}/plans", installation_path(installation)), installation)
    }

    /// `GET …/resources/{id}/plans`: the plans that a resource may change to.
    pub fn resource_plans(&self, installation: &Installation, resource: &str, metadata: Option<&Value>) -> Call<Json> {
        let path = format!("{}/plans{}", resource_path(installation, resource), metadata_query(metadata));
        self.read(path, installation)
    }

    /// `POST /v1/installations/{id}/billing/provision`: a customer has bought credits with this invoice.
    pub fn purchase(&self, installation: &Installation, invoice: &str) -> Call<Json> {
        let path = format!("{}/billing/provision", installation_path(installation));
        self.as_system("POST", path, installation, [("invoiceId", invoice.into())])
    }

    /// `POST /v1/installations/{id}/resource-transfer-requests`: resources shall move to another team within an hour.
    pub fn request_transfer(&self, installation: &Installation, resources: &[&str]) -> Call<Json> {
        let path = format!("{}/resource-transfer-requests", installation_path(installation));
        let expires = (self.platform.now().unix_timestamp() + 3_600) * 1_000;
        self.as_system("POST", path, installation, [("resourceIds", json!(resources)), ("expiresAt", expires.into())])
    }

    /// `GET …/resource-transfer-requests/{claim}/verify`: whether the target may accept the transfer.
    pub fn verify_transfer(&self, target: &Installation, claim: &str) -> Call<Json> {
        self.as_system("GET", transfer_path(target, claim, "verify"), target, [])
    }

    /// `POST …/resource-transfer-requests/{claim}/accept`: the target accepts the transfer.
    pub fn accept_transfer(&self, target: &Installation, claim: &str) -> Call<Json> {
        self.as_system("POST", transfer_path(target, claim, "accept"), target, [])
    }

    /// A delivery of this event to the vendor's path for webhooks, signed with the client secret. The event has an id and a
    /// time, unless the payload's envelope is replaced by [`Call::body`], which keeps the signature.
    ///
    /// ```
    /// use maitre_testkit::vercel::{Platform, Vercel};
    /// use serde_json::json;
    ///
    /// let platform = Platform::new("oac_lantern", "client secret");
    /// let vercel = Vercel::new("http://127.0.0.1:8300/vercel", &platform);
    /// let event = json!({ "id": "evt_1", "type": "marketplace.invoice.paid", "createdAt": 1_700_000_000_000_i64, "payload": {} });
    /// let request = vercel.webhook("/webhooks", &event).request();
    /// assert_eq!(request.header("x-vercel-signature").map(str::len), Some(40));
    /// ```
    pub fn webhook(&self, path: &str, event: &Value) -> Call<Raw> {
        let body = event.to_string();
        let signature = webhook_signature(&self.platform.client_secret(), body.as_bytes());
        self.endpoint
            .call(Raw::new(path))
            .method("POST")
            .header("content-type", "application/json")
            .header("x-vercel-signature", signature)
            .body(body)
    }

    /// A browser opens the vendor's path for single sign-on, with a code that can be exchanged once. Parameters are name and
    /// value, such as `resource_id`.
    pub fn single_sign_on(&self, path: &str, installation: &Installation, parameters: &[(&str, &str)]) -> Call<Raw> {
        let code = self.platform.new_code(&self.platform.id_token(installation));
        let fixed = [("mode", "sso"), ("code", code.as_str()), ("state", "state-1")];
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fixed).extend_pairs(parameters).finish();
        self.endpoint.call(Raw::new(&format!("{path}?{query}")))
    }

    /// Returns a request to any URL with only the headers that you set.
    pub fn raw(&self, method: &str, url: &str) -> Call<Raw> {
        self.endpoint.raw(method, url)
    }

    fn as_user<const N: usize>(
        &self,
        method: &'static str,
        path: String,
        installation: &Installation,
        fields: [(&str, Value); N],
    ) -> Call<Json> {
        self.call(method, path, fields, &self.platform.user_token(installation), "user")
    }

    fn as_system<const N: usize>(
        &self,
        method: &'static str,
        path: String,
        installation: &Installation,
        fields: [(&str, Value); N],
    ) -> Call<Json> {
        self.call(method, path, fields, &self.platform.system_token(installation), "system")
    }

    fn read(&self, path: String, installation: &Installation) -> Call<Json> {
        self.as_system("GET", path, installation, [])
    }

    fn call<const N: usize>(
        &self,
        method: &'static str,
        path: String,
        fields: [(&str, Value); N],
        token: &Token,
        kind: &str,
    ) -> Call<Json> {
        let call = self.endpoint.json(method, path, fields).bearer(&token.sign()).header(KIND_HEADER, kind);
        if method == "GET" { call } else { call.header("idempotency-key", generate::new_uuid()) }
    }
}

impl fmt::Debug for Vercel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vercel").field("root", &self.endpoint).finish_non_exhaustive()
    }
}

/// Returns the value of `x-vercel-signature`: HMAC-SHA1 of the body, keyed with the client secret, in lowercase hex.
///
/// ```
/// use maitre_testkit::vercel::webhook_signature;
///
/// let body = concat!(
///     r#"{"id":"evt_pml2","type":"integration-configuration.removed","createdAt":1700000100000,"payload":"#,
///     r#"{"configuration":{"id":"icfg_pomeloInst01"},"team":{"id":"team_1"},"user":{"id":"u_1"}}}"#,
/// );
/// let signature = webhook_signature("pomelo-client-secret", body.as_bytes());
/// assert_eq!(signature, "629e7cf7ab5e05d49417063eeb60552461e9c63c");
/// ```
///
/// # Panics
/// Does not panic: HMAC takes keys of any length.
#[must_use]
pub fn webhook_signature(client_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(client_secret.as_bytes()).expect("any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn installation_path(installation: &Installation) -> String {
    format!("/v1/installations/{}", segment(installation.id()))
}

fn resources_path(installation: &Installation) -> String {
    format!("{}/resources", installation_path(installation))
}

fn resource_path(installation: &Installation, resource: &str) -> String {
    format!("{}/{}", resources_path(installation), segment(resource))
}

fn transfer_path(target: &Installation, claim: &str, action: &str) -> String {
    format!("{}/resource-transfer-requests/{}/{action}", installation_path(target), segment(claim))
}

fn metadata_query(metadata: Option<&Value>) -> String {
    metadata.map_or_else(String::new, |metadata| format!("?metadata={}", segment(&metadata.to_string())))
}
