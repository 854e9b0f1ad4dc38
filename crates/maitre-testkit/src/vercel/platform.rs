use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    installation::Installation,
    key::SigningKey,
    state::{ApiCall, InstallationState, Installed, InvoiceRecord, Resource, State},
    token::Token,
};
use crate::{
    generate,
    platform::{Fault, Faults},
};

/// Issuer of the tokens of a platform that is not served.
const ISSUER: &str = "https://marketplace.vercel.com";

/// Vercel's own side: keys and tokens, single sign-on, and the REST API of installations.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_testkit::vercel::Platform;
///
/// let platform = Platform::new("oac_lantern", "client secret");
/// let server = platform.serve().await?;
/// let installation = platform.new_installation();
/// platform.add_resource(&installation, "ltn_1", "lantern");
///
/// // What a vendor does when a pending resource is ready:
/// let url = format!("{}/v1/installations/{}/events", server.url(), installation.id());
/// let event = serde_json::json!({ "event": { "type": "resource.updated", "resourceId": "ltn_1" } });
/// let response =
///     reqwest::Client::new().post(url).bearer_auth(installation.access_token()).json(&event).send().await?;
/// assert_eq!(response.status(), 201);
/// assert_eq!(platform.events(&installation), [event["event"].clone()]);
/// assert!(platform.problems().is_empty(), "{:?}", platform.problems());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    faults: Faults,
}

impl Platform {
    /// Returns a platform with a new key, for the integration with this client id (`oac_…`) and client secret.
    #[must_use]
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self::with_key(client_id, client_secret, SigningKey::generate("key-1"))
    }

    /// Returns a platform that signs with this key. Creating one takes a while, so tests may share it.
    #[must_use]
    pub fn with_key(client_id: &str, client_secret: &str, key: SigningKey) -> Self {
        let state = State {
            url: None,
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            keys: vec![key.clone()],
            signing: key,
            discovery_fetches: 0,
            jwks_fetches: 0,
            jwks_status: None,
            offset: time::Duration::ZERO,
            codes: HashMap::new(),
            installations: HashMap::new(),
            calls: Vec::new(),
            serial: 0,
        };
        Self(Arc::new(Inner { state: Mutex::new(state), faults: Faults::new(0) }))
    }

    /// Returns the issuer of the tokens: the URL of the served platform, or Vercel's.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.state().url.clone().unwrap_or_else(|| ISSUER.to_owned())
    }

    /// Returns the client id, the audience of the tokens.
    #[must_use]
    pub fn client_id(&self) -> String {
        self.state().client_id.clone()
    }

    /// Returns the client secret.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.state().client_secret.clone()
    }

    /// Changes the client secret, as a reset in the integration console does.
    pub fn reset_client_secret(&self, secret: &str) {
        secret.clone_into(&mut self.state().client_secret);
    }

    /// Returns the time of the platform's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.state().now()
    }

    /// Advances the platform's clock, by which tokens are issued.
    pub fn advance(&self, by: Duration) {
        self.state().offset += by;
    }

    /// Returns a new, active installation.
    #[must_use]
    pub fn new_installation(&self) -> Installation {
        let installation = Installation::generate();
        self.state().installations.insert(installation.id().to_owned(), Installed::new(&installation));
        installation
    }

    /// Returns the installation whose ids and token contain these hexadecimal digits. It is active if it is new.
    ///
    /// ```
    /// use maitre_testkit::vercel::Platform;
    ///
    /// let platform = Platform::new("oac_lantern", "client secret");
    /// let installation = platform.installation_with("0f6a2c3e5d414b7a9c112f3e4d5c6b7a");
    /// assert_eq!(installation.id(), "icfg_0f6a2c3e5d414b7a9c112f3e");
    /// ```
    #[must_use]
    pub fn installation_with(&self, digits: &str) -> Installation {
        let installation = Installation::with(digits);
        let mut state = self.state();
        state.installations.entry(installation.id().to_owned()).or_insert_with(|| Installed::new(&installation));
        drop(state);
        installation
    }

    /// Sets the issuer of the tokens, for a platform that another server serves.
    pub fn set_issuer(&self, url: &str) {
        self.state().url = Some(url.to_owned());
    }

    /// Returns the key that signs tokens.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.state().signing.clone()
    }

    /// Publishes a new key beside the others and signs with it from now on.
    #[expect(clippy::must_use_candidate, reason = "the call is made for its effect")]
    pub fn rotate_key(&self) -> SigningKey {
        let kid = format!("key-{}", self.state().keys.len() + 1);
        let key = SigningKey::generate(&kid);
        let mut state = self.state();
        state.keys.push(key.clone());
        state.signing = key.clone();
        key
    }

    /// Publishes a key beside the others, without signing with it.
    pub fn publish_key(&self, key: &SigningKey) {
        self.state().keys.push(key.clone());
    }

    /// Removes a key from the published set.
    pub fn withdraw_key(&self, kid: &str) {
        self.state().keys.retain(|key| key.kid() != kid);
    }

    /// Returns the published key set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.state().keys.iter().map(SigningKey::jwk).collect::<Vec<_>>() })
    }

    /// Answers requests for the key set with this status, or correctly again.
    pub fn fail_jwks(&self, status: Option<u16>) {
        self.state().jwks_status = status;
    }

    /// Returns how often the key set was requested.
    #[must_use]
    pub fn jwks_fetches(&self) -> usize {
        self.state().jwks_fetches
    }

    /// Returns how often the discovery document was requested.
    #[must_use]
    pub fn discovery_fetches(&self) -> usize {
        self.state().discovery_fetches
    }

    /// Returns a token with neither account nor installation, as for plans before the installation.
    pub fn token(&self) -> Token {
        Token::new(&self.signing_key(), &self.issuer(), &self.client_id(), self.now())
    }

    /// Returns the token of an administrator of this installation.
    pub fn user_token(&self, installation: &Installation) -> Token {
        self.token().for_user(installation)
    }

    /// Returns a token of Vercel itself for this installation.
    pub fn system_token(&self, installation: &Installation) -> Token {
        self.token().for_account(installation)
    }

    /// Returns the token of a signed-on user.
    pub fn id_token(&self, installation: &Installation) -> Token {
        self.user_token(installation).claim("type", "id_token")
    }

    /// Returns a code that the token endpoint exchanges for this token, once.
    #[must_use]
    pub fn new_code(&self, token: &Token) -> String {
        let code = generate::new_uuid();
        self.state().codes.insert(code.clone(), token.sign());
        code
    }

    /// Records a resource that the vendor has provisioned.
    ///
    /// # Panics
    /// Panics if the installation belongs to another platform.
    pub fn add_resource(&self, installation: &Installation, resource: &str, product: &str) {
        self.with(installation, |installed| {
            let fields = json!({ "productId": product, "name": resource, "status": "pending" });
            let internal_id = format!("ir_{}", generate::new_uuid());
            let known = Resource { internal_id, fields, secrets: std::collections::BTreeMap::new() };
            installed.resources.insert(resource.to_owned(), known);
        });
    }

    /// Removes a resource.
    pub fn remove_resource(&self, installation: &Installation, resource: &str) {
        self.with(installation, |installed| drop(installed.resources.remove(resource)));
    }

    /// Returns the fields of a resource as the vendor has reported them, if it is known.
    #[must_use]
    pub fn resource(&self, installation: &Installation, resource: &str) -> Option<Value> {
        self.with(installation, |installed| Some(installed.resources.get(resource)?.fields.clone()))
    }

    /// Returns the values of the secrets of a resource by their names.
    #[must_use]
    pub fn secrets(&self, installation: &Installation, resource: &str) -> Vec<(String, String)> {
        self.with(installation, |installed| {
            let secrets = installed.resources.get(resource).map(|resource| &resource.secrets).into_iter().flatten();
            secrets
                .map(|(name, secret)| (name.clone(), secret["value"].as_str().unwrap_or_default().to_owned()))
                .collect()
        })
    }

    /// Returns the fields of the installation that the vendor has set.
    #[must_use]
    pub fn installation_fields(&self, installation: &Installation) -> Value {
        self.with(installation, |installed| installed.fields.clone())
    }

    /// Returns the events that the vendor has sent.
    #[must_use]
    pub fn events(&self, installation: &Installation) -> Vec<Value> {
        self.with(installation, |installed| installed.events.clone())
    }

    /// Returns the interim usage that the vendor has sent.
    #[must_use]
    pub fn usage(&self, installation: &Installation) -> Vec<Value> {
        self.with(installation, |installed| installed.usage.clone())
    }

    /// Returns the balances that the vendor has sent.
    #[must_use]
    pub fn balances(&self, installation: &Installation) -> Vec<Value> {
        self.with(installation, |installed| installed.balances.clone())
    }

    /// Returns the invoices that the vendor has submitted.
    #[must_use]
    pub fn invoices(&self, installation: &Installation) -> Vec<InvoiceRecord> {
        self.with(installation, |installed| installed.invoices.clone())
    }

    /// Returns the number of invoices of all installations.
    #[must_use]
    pub fn invoice_count(&self) -> usize {
        self.state().installations.values().map(|installed| installed.invoices.len()).sum()
    }

    /// Adds an invoice of Vercel itself, such as for credits, and returns its id. An item is its name, the vendor's id of the
    /// resource, and the total, such as `10.00`.
    #[must_use]
    pub fn add_invoice(
        &self,
        installation: &Installation,
        items: &[(&str, Option<&str>, &str)],
        state: &str,
    ) -> String {
        let now = self.now().format(&Rfc3339).unwrap_or_default();
        let items = items.iter().map(|(name, resource, total)| {
            let mut item = json!({ "billingPlanId": "credits", "name": name, "price": total, "quantity": 1, "units": "purchase", "total": total });
            if let Some(resource) = resource {
                item["resourceId"] = json!(resource);
            }
            item
        });
        let period = json!({ "start": now, "end": now });
        let submitted = json!({ "invoiceDate": now, "period": period, "items": items.collect::<Vec<_>>() });
        let id = self.state().next_id("mi_");
        let record = InvoiceRecord { id: id.clone(), submitted, state: state.to_owned(), refund: None };
        self.with(installation, |installed| installed.invoices.push(record));
        id
    }

    /// Sets the state of an invoice, for example to `paid`.
    pub fn set_invoice_state(&self, installation: &Installation, invoice: &str, state: &str) {
        self.with(installation, |installed| {
            for known in installed.invoices.iter_mut().filter(|known| known.id == invoice) {
                state.clone_into(&mut known.state);
            }
        });
    }

    /// Begins the 24 hours after an uninstall in which final invoices are accepted.
    pub fn begin_finalizing(&self, installation: &Installation) {
        self.with(installation, |installed| installed.state = InstallationState::Finalizing);
    }

    /// Removes the installation: every call is answered 410 from now on.
    pub fn remove(&self, installation: &Installation) {
        self.with(installation, |installed| installed.state = InstallationState::Gone);
    }

    /// Returns the vendor's calls of the REST API and the token endpoint, the oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<ApiCall> {
        self.state().calls.clone()
    }

    /// Returns the calls with a body that Vercel's reference does not allow.
    #[must_use]
    pub fn problems(&self) -> Vec<ApiCall> {
        self.state().calls.iter().filter(|call| call.status == 400).cloned().collect()
    }

    /// Injects a fault into the REST API.
    pub fn inject_fault(&self, fault: Fault) {
        self.0.faults.inject(fault);
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, installation: &Installation, act: impl FnOnce(&mut Installed) -> T) -> T {
        let mut state = self.state();
        act(state.installations.get_mut(installation.id()).expect("an installation of this platform"))
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("client_id", &self.client_id()).finish_non_exhaustive()
    }
}
