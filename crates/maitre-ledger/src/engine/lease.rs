//! Who may run an operation, and for how long.

use sqlx::{AnyConnection, Executor};

use super::{Engine, Kind};
use crate::db::Columns;
use crate::error::LedgerError;
use crate::rules::State;
use crate::stored::{StoredKind, StoredReply, StoredRequest};

/// The right to run one operation until the lease ends. Its fence is the resource's highest: a result is written under
/// it or not at all.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) operation: i64,
    pub(crate) resource: i64,
    pub(crate) fence: i64,
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) plan: Option<String>,
}

/// What became of an attempt to take an operation over.
pub(crate) enum Claimed {
    /// It is ours now; ask the listener this.
    Ours(Lease, StoredRequest),
    /// It has an answer.
    Ended(StoredReply),
    /// Somebody works on it, or on one before it in its lane.
    Busy,
    /// It failed and will be tried later.
    Deferred,
    /// It was parked: a person has to look at it.
    Parked,
}

impl Engine {
    pub(super) async fn claim(&self, on: &mut AnyConnection, operation: i64) -> Result<Claimed, LedgerError> {
        // the resource's row stands for its lane, so two claims of one lane come one after the other
        let lane = self.db.sql(
            "SELECT * FROM maitre_resources WHERE id = (SELECT resource FROM maitre_operations WHERE id = $1) {lock}",
        );
        let Some(row) = on.fetch_optional(sqlx::query(lane).bind(operation)).await? else {
            return Err(LedgerError::damaged("an operation without a resource"));
        };
        let resource = super::Resource::read(&row)?;
        let look = self.db.sql(
            "SELECT kind, state, plan, request, reply, attempts,
             CASE WHEN lease_until > {now} THEN 1 ELSE 0 END AS leased, CASE WHEN due_at > {now} THEN 1 ELSE 0 END AS early
             FROM maitre_operations WHERE id = $1",
        );
        let row = on.fetch_one(sqlx::query(look).bind(operation)).await?;
        let kind = Kind::read(&row.text("kind")?)?;
        match row.text("state")?.as_str() {
            "open" => {}
            "parked" => return Ok(Claimed::Parked),
            _ => {
                let sealed = row.maybe_bytes("reply")?.ok_or(LedgerError::damaged("an answer that is not there"))?;
                return Ok(Claimed::Ended(self.open_reply(&resource.addon, &resource.key, &sealed)?));
            }
        }
        if row.number("leased")? == 1 || !self.lane_is_free(on, &resource, operation, kind).await? {
            return Ok(Claimed::Busy);
        }
        let plan = row.maybe_text("plan")?;
        if let Some(reply) = self.settled(&resource, kind, plan.as_deref())? {
            self.end(on, operation, &resource.addon, &resource.key, &reply).await?;
            self.settle(on, resource.id).await?;
            return Ok(Claimed::Ended(reply));
        }
        if row.number("early")? == 1 {
            return Ok(Claimed::Deferred);
        }

        let state = match kind {
            Kind::Provision => State::Provisioning,
            Kind::PlanChange => State::Changing,
            Kind::Deprovision => State::Removing,
        };
        let fence = resource.fence + 1;
        let enter = self.db.sql("UPDATE maitre_resources SET state = $2, fence = $3, changed_at = {now} WHERE id = $1");
        on.execute(sqlx::query(enter).bind(resource.id).bind(state.as_str()).bind(fence)).await?;
        let take = self.db.sql(
            "UPDATE maitre_operations SET attempts = attempts + 1, fence = $2, lease_owner = $3, lease_until = {now} + $4
             WHERE id = $1",
        );
        let take = sqlx::query(take).bind(operation).bind(fence).bind(&self.owner).bind(self.limits.lease);
        on.execute(take).await?;
        let request = match row.maybe_bytes("request")? {
            Some(sealed) => self.open_request(&resource.addon, &resource.key, kind, &sealed)?,
            None => StoredRequest::Deprovision,
        };
        let lease =
            Lease { operation, resource: resource.id, fence, addon: resource.addon, key: resource.key, kind, plan };
        Ok(Claimed::Ours(lease, request))
    }

    /// The answer to what the resource's state has decided meanwhile: it was removed, refused, or made by another order.
    fn settled(
        &self,
        resource: &super::Resource,
        kind: Kind,
        plan: Option<&str>,
    ) -> Result<Option<StoredReply>, LedgerError> {
        let failed = |kind| Some(StoredReply::Failed { kind, message: None });
        Ok(match (kind, resource.state) {
            (Kind::Provision, State::Provisioning | State::Parked) => None,
            (Kind::Provision | Kind::PlanChange, State::Removing | State::Removed) => failed(StoredKind::Gone),
            (Kind::Provision, _) => match &resource.reply {
                Some(sealed) => Some(self.open_reply(&resource.addon, &resource.key, sealed)?),
                None => return Err(LedgerError::damaged("a resource without its reply")),
            },
            (Kind::PlanChange, State::Refused) => failed(StoredKind::Unknown),
            (Kind::PlanChange, State::Parked | State::Provisioning) => failed(StoredKind::Unavailable),
            (Kind::PlanChange, _) if resource.plan.as_deref() == plan => {
                Some(StoredReply::PlanChanged { config: Vec::new(), message: None })
            }
            (Kind::Deprovision, State::Removed) => Some(StoredReply::Deprovisioned { message: None }),
            (Kind::PlanChange | Kind::Deprovision, _) => None,
        })
    }

    /// A removal does not wait for what a dead process left behind: it ends it.
    async fn lane_is_free(
        &self,
        on: &mut AnyConnection,
        resource: &super::Resource,
        operation: i64,
        kind: Kind,
    ) -> Result<bool, LedgerError> {
        if kind == Kind::Deprovision {
            let gone = StoredReply::Failed { kind: StoredKind::Gone, message: None };
            let drop = self.db.sql(
                "UPDATE maitre_operations SET state = 'dropped', reply = $3, request = NULL, ended_at = {now}
                 WHERE resource = $1 AND id < $2 AND state = 'open' AND lease_until <= {now}",
            );
            let reply = self.seal_reply(&resource.addon, &resource.key, &gone);
            on.execute(sqlx::query(drop).bind(resource.id).bind(operation).bind(reply)).await?;
        }
        let others = self.db.sql(
            "SELECT count(*) AS others FROM maitre_operations
             WHERE resource = $1 AND state = 'open' AND id <> $2 AND (id < $2 OR lease_until > {now})",
        );
        Ok(on.fetch_one(sqlx::query(others).bind(resource.id).bind(operation)).await?.number("others")? == 0)
    }

    /// A person says: once more, and at once. What was parked is open again, and its resource with it.
    pub(super) async fn retry(&self, on: &mut AnyConnection, operation: i64) -> Result<bool, LedgerError> {
        let retry = self.db.sql(
            "UPDATE maitre_operations SET state = 'open', attempts = 0, due_at = {now}, ended_at = NULL
             WHERE id = $1 AND state IN ('open', 'parked') AND lease_until <= {now}",
        );
        let changed = on.execute(sqlx::query(retry).bind(operation)).await?.rows_affected() == 1;
        let unpark = self.db.sql(
            "UPDATE maitre_resources SET state = 'provisioning', changed_at = {now} WHERE state = 'parked' AND id =
             (SELECT resource FROM maitre_operations WHERE id = $1 AND kind = 'provision' AND state = 'open')",
        );
        on.execute(sqlx::query(unpark).bind(operation)).await?;
        Ok(changed)
    }

    /// Says whether the lease was still ours.
    pub(super) async fn renew(&self, on: &mut AnyConnection, operation: i64, fence: i64) -> Result<bool, LedgerError> {
        let renew = self.db.sql(
            "UPDATE maitre_operations SET lease_until = {now} + $3
             WHERE id = $1 AND fence = $2 AND state = 'open' AND lease_until > {now}",
        );
        let renewed = on.execute(sqlx::query(renew).bind(operation).bind(fence).bind(self.limits.lease)).await?;
        Ok(renewed.rows_affected() == 1)
    }
}
