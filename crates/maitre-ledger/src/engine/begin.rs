//! An event arrives: the table decides, and the intent is written down before anything is done.

use sqlx::{AnyConnection, Executor};

use super::lease::Lease;
use super::{Begun, Engine, Kind, Resource, is_uuid, key_of, place};
use crate::db::Columns;
use crate::error::LedgerError;
use crate::rules::{self, Decision, State};
use crate::stored::{StoredKind, StoredReply};

impl Engine {
    pub(super) async fn begin_provision(
        &self,
        on: &mut AnyConnection,
        addon: &str,
        key: &str,
        plan: &str,
        asked: &[u8],
        request: &[u8],
    ) -> Result<Begun, LedgerError> {
        let sealed_asked = self.keys.seal(&place(addon, key, "asked"), asked);
        let insert = self.db.sql(
            "INSERT INTO maitre_resources (addon, key, state, plan, asked, fence, created_at, changed_at)
             VALUES ($1, $2, 'provisioning', $3, $4, 1, {now}, {now}) ON CONFLICT (addon, key) DO NOTHING RETURNING *",
        );
        let insert = sqlx::query(insert).bind(addon).bind(key).bind(plan).bind(&sealed_asked);
        if let Some(row) = on.fetch_optional(insert).await? {
            return self.run(on, &Resource::read(&row)?, Kind::Provision, Some(plan), Some(request)).await;
        }

        let Some(resource) = self.resource(on, addon, key).await? else {
            return Ok(Begun::Unavailable); // removed with its history between the two statements: ask again
        };
        let as_first_asked = match &resource.asked {
            Some(sealed) => self.keys.open(&place(addon, &resource.key, "asked"), sealed)? == asked,
            None => false,
        };
        match rules::provision(Some(resource.state), as_first_asked) {
            Decision::Join => self.join(on, &resource, Kind::Provision, None).await,
            Decision::Replay => self.replay(&resource),
            Decision::Run => {
                self.supersede(on, &resource).await?;
                let again = self.db.sql(
                    "UPDATE maitre_resources SET state = 'provisioning', plan = $2, asked = $3, reply = NULL,
                     fence = fence + 1, changed_at = {now} WHERE id = $1 RETURNING *",
                );
                let again = sqlx::query(again).bind(resource.id).bind(plan).bind(&sealed_asked);
                let resource = Resource::read(&on.fetch_one(again).await?)?;
                self.run(on, &resource, Kind::Provision, Some(plan), Some(request)).await
            }
            decision => Ok(refuse(decision)),
        }
    }

    pub(super) async fn begin_plan_change(
        &self,
        on: &mut AnyConnection,
        addon: &str,
        id: &str,
        plan: &str,
        request: &[u8],
    ) -> Result<Begun, LedgerError> {
        let Some(resource) = self.resource(on, addon, id).await? else { return Ok(Begun::Unknown) };
        let (state, next) = match self.next_plan(on, resource.id).await? {
            // also one that waited for the provision, and one that a person has ordered again
            Some(next) if resource.state.lives() => (State::Changing, Some(next)),
            _ => (resource.state, resource.plan.clone()),
        };
        match rules::plan_change(Some(state), next.as_deref() == Some(plan)) {
            Decision::NoCall => {
                tracing::info!(resource = %resource.key, plan, "asked for the plan that it has: answered without a call");
                Ok(Begun::NoCall)
            }
            Decision::Run => {
                let resource = self.enter(on, &resource, State::Changing).await?;
                self.run(on, &resource, Kind::PlanChange, Some(plan), Some(request)).await
            }
            Decision::After => self.after(on, &resource, Kind::PlanChange, Some(plan), Some(request)).await,
            Decision::Join => self.join(on, &resource, Kind::PlanChange, Some(plan)).await,
            decision => Ok(refuse(decision)),
        }
    }

    pub(super) async fn begin_deprovision(
        &self,
        on: &mut AnyConnection,
        addon: &str,
        id: &str,
    ) -> Result<Begun, LedgerError> {
        let mut resource = self.resource(on, addon, id).await?;
        if resource.is_none() && !self.bury(on, addon, id).await? {
            // it was ordered between the two statements
            resource = self.resource(on, addon, &key_of(id)).await?;
        }
        let Some(resource) = resource else { return Ok(Begun::Unknown) };
        match rules::deprovision(Some(resource.state)) {
            Decision::Run => {
                let resource = self.enter(on, &resource, State::Removing).await?;
                self.run(on, &resource, Kind::Deprovision, None, None).await
            }
            Decision::After => {
                self.drop_what_waits(on, &resource).await?;
                let removing =
                    self.db.sql("UPDATE maitre_resources SET state = 'removing', changed_at = {now} WHERE id = $1");
                on.execute(sqlx::query(removing).bind(resource.id)).await?;
                self.after(on, &resource, Kind::Deprovision, None, None).await
            }
            Decision::Join => self.join(on, &resource, Kind::Deprovision, None).await,
            Decision::NoCall => {
                let removed = self.db.sql(
                    "UPDATE maitre_resources SET state = 'removed', reply = NULL, changed_at = {now} WHERE id = $1",
                );
                on.execute(sqlx::query(removed).bind(resource.id)).await?;
                Ok(Begun::NoCall)
            }
            decision => Ok(refuse(decision)),
        }
    }

    /// A deprovision that overtook its provision leaves a tombstone, so that the provision stays dead; but only a key
    /// that could be a marketplace's, or anybody's slip would be kept for ever.
    ///
    /// Says no where there is a resource by this key.
    async fn bury(&self, on: &mut AnyConnection, addon: &str, id: &str) -> Result<bool, LedgerError> {
        if !is_uuid(id) {
            return Ok(true);
        }
        let tombstone = self.db.sql(
            "INSERT INTO maitre_resources (addon, key, state, created_at, changed_at)
             VALUES ($1, $2, 'removed', {now}, {now}) ON CONFLICT (addon, key) DO NOTHING",
        );
        let tombstone = sqlx::query(tombstone).bind(addon).bind(key_of(id).into_owned());
        Ok(on.execute(tombstone).await?.rows_affected() == 1)
    }

    /// Another state, under the next fence.
    pub(super) async fn enter(
        &self,
        on: &mut AnyConnection,
        resource: &Resource,
        state: State,
    ) -> Result<Resource, LedgerError> {
        let change = self.db.sql(
            "UPDATE maitre_resources SET state = $2, fence = fence + 1, changed_at = {now} WHERE id = $1 RETURNING *",
        );
        Resource::read(&on.fetch_one(sqlx::query(change).bind(resource.id).bind(state.as_str())).await?)
    }

    /// Writes an operation down that this process runs at once.
    async fn run(
        &self,
        on: &mut AnyConnection,
        resource: &Resource,
        kind: Kind,
        plan: Option<&str>,
        request: Option<&[u8]>,
    ) -> Result<Begun, LedgerError> {
        let sealed = request.map(|request| self.seal_request(&resource.addon, &resource.key, kind, request));
        let insert = self.db.sql(
            "INSERT INTO maitre_operations (resource, kind, state, plan, request, attempts, fence, lease_owner, lease_until,
             due_at, asked_at, last_asked_at)
             VALUES ($1, $2, 'open', $3, $4, 1, $5, $6, {now} + $7, {now}, {now}, {now}) RETURNING id",
        );
        let insert = sqlx::query(insert)
            .bind(resource.id)
            .bind(kind.as_str())
            .bind(plan)
            .bind(sealed)
            .bind(resource.fence)
            .bind(&self.owner)
            .bind(self.limits.lease);
        let operation = on.fetch_one(insert).await?.number("id")?;
        Ok(Begun::Run(Lease {
            operation,
            resource: resource.id,
            fence: resource.fence,
            addon: resource.addon.clone(),
            key: resource.key.clone(),
            kind,
            plan: plan.map(ToOwned::to_owned),
        }))
    }

    /// Writes an operation down whose turn comes when its lane is free.
    pub(super) async fn after(
        &self,
        on: &mut AnyConnection,
        resource: &Resource,
        kind: Kind,
        plan: Option<&str>,
        request: Option<&[u8]>,
    ) -> Result<Begun, LedgerError> {
        let sealed = request.map(|request| self.seal_request(&resource.addon, &resource.key, kind, request));
        let insert = self.db.sql(
            "INSERT INTO maitre_operations (resource, kind, state, plan, request, due_at, asked_at, last_asked_at)
             VALUES ($1, $2, 'open', $3, $4, {now}, {now}, {now}) RETURNING id",
        );
        let insert = sqlx::query(insert).bind(resource.id).bind(kind.as_str()).bind(plan).bind(sealed);
        let operation = on.fetch_one(insert).await?.number("id")?;
        Ok(Begun::Wait { operation, key: resource.key.clone() })
    }

    /// Finds the open operation that does the same, and lets it be tried again at once: somebody waits for it.
    async fn join(
        &self,
        on: &mut AnyConnection,
        resource: &Resource,
        kind: Kind,
        plan: Option<&str>,
    ) -> Result<Begun, LedgerError> {
        let touch = self.db.sql(
            "UPDATE maitre_operations SET last_asked_at = {now}, due_at = {now} WHERE id =
             (SELECT max(id) FROM maitre_operations WHERE resource = $1 AND state = 'open' AND kind = $2
              AND (plan = $3 OR $3 IS NULL)) RETURNING id",
        );
        let touch = sqlx::query(touch).bind(resource.id).bind(kind.as_str()).bind(plan);
        Ok(match on.fetch_optional(touch).await? {
            Some(row) => Begun::Wait { operation: row.number("id")?, key: resource.key.clone() },
            None => Begun::Unavailable,
        })
    }

    fn replay(&self, resource: &Resource) -> Result<Begun, LedgerError> {
        match &resource.reply {
            Some(sealed) => Ok(Begun::Reply(self.open_reply(&resource.addon, &resource.key, sealed)?)),
            None => Err(LedgerError::damaged("a resource without its reply")),
        }
    }

    /// The plan that a changing resource will have when all that is asked for is done.
    async fn next_plan(&self, on: &mut AnyConnection, resource: i64) -> Result<Option<String>, LedgerError> {
        let last = "SELECT plan FROM maitre_operations WHERE resource = $1 AND state = 'open' AND kind = 'plan change'
                    ORDER BY id DESC LIMIT 1";
        let row = on.fetch_optional(sqlx::query(last).bind(resource)).await?;
        row.map(|row| row.maybe_text("plan")).transpose().map(Option::flatten)
    }

    /// A new order takes the place of the one that was parked, also where a person has just ordered that one again.
    async fn supersede(&self, on: &mut AnyConnection, resource: &Resource) -> Result<(), LedgerError> {
        let failed = StoredReply::Failed { kind: StoredKind::Unavailable, message: None };
        let drop = self.db.sql(
            "UPDATE maitre_operations SET state = 'dropped', reply = $2, request = NULL, ended_at = {now}
             WHERE resource = $1 AND kind = 'provision' AND state IN ('open', 'parked')",
        );
        let reply = self.seal_reply(&resource.addon, &resource.key, &failed);
        on.execute(sqlx::query(drop).bind(resource.id).bind(reply)).await?;
        Ok(())
    }

    /// The terminal operation wins: what has not begun never will.
    pub(super) async fn drop_what_waits(&self, on: &mut AnyConnection, resource: &Resource) -> Result<(), LedgerError> {
        let gone = StoredReply::Failed { kind: StoredKind::Gone, message: None };
        let drop = self.db.sql(
            "UPDATE maitre_operations SET state = 'dropped', reply = $2, request = NULL, ended_at = {now}
             WHERE resource = $1 AND state = 'open' AND lease_until <= {now}",
        );
        let reply = self.seal_reply(&resource.addon, &resource.key, &gone);
        on.execute(sqlx::query(drop).bind(resource.id).bind(reply)).await?;
        Ok(())
    }
}

fn refuse(decision: Decision) -> Begun {
    match decision {
        Decision::Conflict => Begun::Conflict,
        Decision::Unknown => Begun::Unknown,
        Decision::Gone => Begun::Gone,
        _ => Begun::Unavailable,
    }
}
