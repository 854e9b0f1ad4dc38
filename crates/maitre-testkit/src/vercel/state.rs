//! State of the platform.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{installation::Installation, key::SigningKey, shape::cents};

/// A vendor's call of the REST API.
///
/// `Debug` does not print the body, which may contain secrets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiCall {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Body; null without one.
    pub body: Value,
    /// Status of the response.
    pub status: u16,
    /// Reason why the call was refused, if it was.
    pub problem: Option<String>,
}

impl fmt::Debug for ApiCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.method, self.path, self.status)?;
        self.problem.iter().try_for_each(|problem| write!(f, " ({problem})"))
    }
}

/// An invoice that a vendor has submitted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InvoiceRecord {
    /// Vercel's id.
    pub id: String,
    /// Body as submitted.
    pub submitted: Value,
    /// State, such as `pending` or `paid`.
    pub state: String,
    /// Reason and total of the refund, if there is one.
    pub refund: Option<(String, String)>,
}

impl InvoiceRecord {
    /// Returns the total in cents: all items without the discounts.
    #[must_use]
    pub fn total_cents(&self) -> i64 {
        let sum = |list: &str, field: &str| -> i64 {
            let items = self.submitted[list].as_array().map_or(&[][..], Vec::as_slice);
            items.iter().filter_map(|item| cents(item[field].as_str()?)).sum()
        };
        sum("items", "total") - sum("discounts", "amount")
    }
}

/// State of one installation at Vercel.
pub(super) struct Installed {
    pub(super) tokens: Vec<String>,
    pub(super) client_secret_uses: usize,
    pub(super) state: InstallationState,
    /// Fields that the vendor has set: `status`, `externalId`, `billingPlan`, `notification`.
    pub(super) fields: Value,
    pub(super) resources: BTreeMap<String, Resource>,
    pub(super) events: Vec<Value>,
    pub(super) usage: Vec<Value>,
    pub(super) balances: Vec<Value>,
    pub(super) invoices: Vec<InvoiceRecord>,
    pub(super) members: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InstallationState {
    Active,
    Finalizing,
    Gone,
}

impl Installed {
    pub(super) fn new(installation: &Installation) -> Self {
        let member = json!({ "id": installation.user_id(), "role": "ADMIN", "userEmail": "ada@customer.example" });
        Self {
            tokens: vec![installation.access_token().to_owned()],
            client_secret_uses: 0,
            state: InstallationState::Active,
            fields: json!({}),
            resources: BTreeMap::new(),
            events: Vec::new(),
            usage: Vec::new(),
            balances: Vec::new(),
            invoices: Vec::new(),
            members: BTreeMap::from([(installation.user_id().to_owned(), member)]),
        }
    }
}

/// A resource as Vercel knows it.
#[derive(Clone)]
pub(super) struct Resource {
    pub(super) internal_id: String,
    pub(super) fields: Value,
    /// Secrets by name.
    pub(super) secrets: BTreeMap<String, Value>,
}

pub(super) struct State {
    pub(super) url: Option<String>,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// Published keys; the last one signs.
    pub(super) keys: Vec<SigningKey>,
    pub(super) signing: SigningKey,
    pub(super) discovery_fetches: usize,
    pub(super) jwks_fetches: usize,
    pub(super) jwks_status: Option<u16>,
    /// Difference between the clock of the platform and the system's.
    pub(super) offset: time::Duration,
    /// Codes and their id tokens, which are removed by the exchange.
    pub(super) codes: HashMap<String, String>,
    pub(super) installations: HashMap<String, Installed>,
    pub(super) calls: Vec<ApiCall>,
    pub(super) serial: u64,
}

impl State {
    pub(super) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.offset
    }

    /// Returns the next id with this prefix.
    pub(super) fn next_id(&mut self, prefix: &str) -> String {
        self.serial += 1;
        format!("{prefix}{}", self.serial)
    }
}
