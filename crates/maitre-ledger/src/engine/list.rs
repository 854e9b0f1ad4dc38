//! List of all resources, for operators.

use maitre_core::AddonId;
use time::OffsetDateTime;

use super::context::Engine;
use super::rows::{addon_id, timestamp};
use super::rules::State;
use crate::db::{Command, Connection, Row, values};
use crate::error::LedgerError;

/// Filter of [`Ledger::resources`](crate::Ledger::resources). Without conditions it selects all resources.
///
/// ```
/// use maitre_ledger::{ResourceFilter, State};
///
/// let filter = ResourceFilter::new().with_state(State::Parked).with_plan("basic").with_limit(20);
/// assert_eq!(format!("{filter:?}").matches("Some").count(), 2);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ResourceFilter {
    addon: Option<AddonId>,
    state: Option<State>,
    plan: Option<String>,
    after: i64,
    limit: u32,
}

impl Default for ResourceFilter {
    fn default() -> Self {
        Self { addon: None, state: None, plan: None, after: 0, limit: 100 }
    }
}

impl ResourceFilter {
    /// Creates a filter that selects the first hundred resources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects resources of this add-on.
    pub fn with_addon(mut self, addon: AddonId) -> Self {
        self.addon = Some(addon);
        self
    }

    /// Selects resources in this state.
    pub fn with_state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Selects resources with this plan.
    pub fn with_plan(mut self, plan: impl Into<String>) -> Self {
        self.plan = Some(plan.into());
        self
    }

    /// Selects the resources after the one with this [`id`](ListedResource::id), for the next page.
    pub fn with_after(mut self, id: i64) -> Self {
        self.after = id;
        self
    }

    /// Maximum number of resources. Defaults to 100.
    pub fn with_limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }
}

/// Resource in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedResource {
    /// Place in the list, which is in the order of the first requests.
    pub id: i64,
    /// Add-on of the resource.
    pub addon: AddonId,
    /// Key: the marketplace's id of the resource.
    pub key: String,
    /// Vendor's id of the resource, if it differs from the key.
    pub provider_id: Option<String>,
    /// State of the resource.
    pub state: State,
    /// Plan of the resource.
    pub plan: Option<String>,
    /// Time of the first request.
    pub created_at: OffsetDateTime,
    /// Time of the last change.
    pub updated_at: OffsetDateTime,
}

impl ListedResource {
    fn read(row: &Row) -> Result<Self, LedgerError> {
        let row = row.of("maitre_resources")?;
        Ok(Self {
            id: row.id,
            addon: addon_id(&row.text("addon")?)?,
            key: row.text("key")?,
            provider_id: row.optional_text("provider_id")?,
            state: row.parse("state")?,
            plan: row.optional_text("plan")?,
            created_at: timestamp(row.number("created_at")?),
            updated_at: timestamp(row.number("updated_at")?),
        })
    }
}

/// Lists resources of all add-ons in the order of their first requests.
pub(crate) struct ListAllResources(pub(crate) ResourceFilter);

impl Command<Engine> for ListAllResources {
    type Outcome = Vec<ListedResource>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Vec<ListedResource>, LedgerError> {
        let ResourceFilter { addon, state, plan, after, limit } = &self.0;
        let list = "SELECT id, addon, key, provider_id, state, plan, created_at, updated_at FROM maitre_resources
             WHERE id > $1 AND (addon = $2 OR $2 IS NULL) AND (state = $3 OR $3 IS NULL) AND (plan = $4 OR $4 IS NULL)
             ORDER BY id LIMIT $5";
        let (addon, state) = (addon.as_ref().map(ToString::to_string), state.map(State::as_str));
        let values = values![*after, addon.as_deref(), state, plan.as_deref(), i64::from(*limit)];
        db.rows(list, values).await?.iter().map(ListedResource::read).collect()
    }
}
