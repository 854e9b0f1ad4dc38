//! An operation's result: written if its fence is still the resource's, or not at all.

use sqlx::{AnyConnection, Executor};

use super::lease::Lease;
use super::{Engine, Kind, Resource, place};
use crate::db::Columns;
use crate::error::LedgerError;
use crate::stored::{StoredKind, StoredReply};

impl Engine {
    /// Says whether the result was written: a process that was paused past its lease comes too late.
    pub(super) async fn finish(
        &self,
        on: &mut AnyConnection,
        lease: &Lease,
        reply: &StoredReply,
    ) -> Result<bool, LedgerError> {
        if !self.is_ours(on, lease).await? {
            return Ok(false);
        }
        match (lease.kind, reply) {
            (Kind::Provision, StoredReply::Provisioned { id, .. }) => self.provisioned(on, lease, id, reply).await?,
            (Kind::Provision, failed) if failed.is_transient() => self.take_down(on, lease).await?,
            (Kind::Provision, _) => self.not_provisioned(on, lease, reply).await?,
            (Kind::PlanChange, StoredReply::PlanChanged { .. }) => self.plan_changed(on, lease, reply).await?,
            (Kind::PlanChange, _) => {}
            (Kind::Deprovision, _) => self.removed(on, lease).await?,
        }
        self.end(on, lease.operation, &lease.addon, &lease.key, reply).await?;
        if lease.kind == Kind::PlanChange {
            self.settle(on, lease.resource).await?;
        }
        Ok(true)
    }

    /// The fence is compared on the resource's row, which is held from here to the commit.
    async fn is_ours(&self, on: &mut AnyConnection, lease: &Lease) -> Result<bool, LedgerError> {
        let fence = self.db.sql("SELECT fence FROM maitre_resources WHERE id = $1 {lock}");
        let row = on.fetch_optional(sqlx::query(fence).bind(lease.resource)).await?;
        let ours = "SELECT count(*) AS open FROM maitre_operations WHERE id = $1 AND fence = $2 AND state = 'open'";
        let open = on.fetch_one(sqlx::query(ours).bind(lease.operation).bind(lease.fence)).await?.number("open")?;
        let fence = row.map(|row| row.number("fence")).transpose()?;
        Ok(fence == Some(lease.fence) && open == 1)
    }

    /// A removal that was asked for meanwhile stays asked for.
    async fn provisioned(
        &self,
        on: &mut AnyConnection,
        lease: &Lease,
        id: &str,
        reply: &StoredReply,
    ) -> Result<(), LedgerError> {
        let done = self.db.sql(
            "UPDATE maitre_resources SET provider_id = $2, reply = $3, plan = $4, changed_at = {now},
             state = CASE WHEN state = 'removing' THEN state ELSE 'provisioned' END WHERE id = $1",
        );
        let sealed = self.seal_reply(&lease.addon, &lease.key, reply);
        on.execute(sqlx::query(done).bind(lease.resource).bind(id).bind(sealed).bind(&lease.plan)).await?;
        Ok(())
    }

    async fn not_provisioned(
        &self,
        on: &mut AnyConnection,
        lease: &Lease,
        reply: &StoredReply,
    ) -> Result<(), LedgerError> {
        let refused = self.db.sql(
            "UPDATE maitre_resources SET reply = $2, changed_at = {now},
             state = CASE WHEN state = 'removing' THEN state ELSE 'refused' END WHERE id = $1",
        );
        let sealed = self.seal_reply(&lease.addon, &lease.key, reply);
        on.execute(sqlx::query(refused).bind(lease.resource).bind(sealed)).await?;
        Ok(())
    }

    /// Nobody will ask again, and something may have been made: remove it.
    async fn take_down(&self, on: &mut AnyConnection, lease: &Lease) -> Result<(), LedgerError> {
        let row =
            self.db.sql("UPDATE maitre_resources SET state = 'removing', changed_at = {now} WHERE id = $1 RETURNING *");
        let resource = Resource::read(&on.fetch_one(sqlx::query(row).bind(lease.resource)).await?)?;
        self.after(on, &resource, Kind::Deprovision, None, None).await?;
        Ok(())
    }

    /// A replayed provision carries the config of today, so the change goes into the stored reply.
    async fn plan_changed(
        &self,
        on: &mut AnyConnection,
        lease: &Lease,
        reply: &StoredReply,
    ) -> Result<(), LedgerError> {
        let row = on.fetch_one(sqlx::query("SELECT reply FROM maitre_resources WHERE id = $1").bind(lease.resource));
        let sealed = match row.await?.maybe_bytes("reply")? {
            Some(sealed) => {
                let first = self.open_reply(&lease.addon, &lease.key, &sealed)?;
                Some(self.seal_reply(&lease.addon, &lease.key, &first.with_config_of(reply)))
            }
            None => None,
        };
        let change = self.db.sql("UPDATE maitre_resources SET plan = $2, reply = $3, changed_at = {now} WHERE id = $1");
        on.execute(sqlx::query(change).bind(lease.resource).bind(&lease.plan).bind(sealed)).await?;
        Ok(())
    }

    /// What was secret or a person's goes with the resource; its key and the vendor's name of it stay as a tombstone.
    async fn removed(&self, on: &mut AnyConnection, lease: &Lease) -> Result<(), LedgerError> {
        let removed = self.db.sql(
            "UPDATE maitre_resources SET state = 'removed', reply = NULL, asked = NULL, changed_at = {now} WHERE id = $1",
        );
        on.execute(sqlx::query(removed).bind(lease.resource)).await?;
        self.drop_what_is_parked(on, lease.resource, &lease.addon, &lease.key).await?;
        let requests = "UPDATE maitre_operations SET request = NULL WHERE resource = $1 AND request IS NOT NULL";
        on.execute(sqlx::query(requests).bind(lease.resource)).await?;
        let sessions = "DELETE FROM maitre_sessions WHERE resource = $1";
        on.execute(sqlx::query(sessions).bind(format!("{} {}", lease.addon, lease.key))).await?;
        Ok(())
    }

    /// What a person should have looked at went with the resource.
    pub(super) async fn drop_what_is_parked(
        &self,
        on: &mut AnyConnection,
        resource: i64,
        addon: &str,
        key: &str,
    ) -> Result<(), LedgerError> {
        let parked = self.db.sql(
            "UPDATE maitre_operations SET state = 'dropped', reply = $2, request = NULL, ended_at = {now}
             WHERE resource = $1 AND state = 'parked'",
        );
        let gone = self.seal_reply(addon, key, &StoredReply::Failed { kind: StoredKind::Gone, message: None });
        on.execute(sqlx::query(parked).bind(resource).bind(gone)).await?;
        Ok(())
    }

    /// Closes an operation with its answer. A finished request holds nothing that is needed again.
    pub(super) async fn end(
        &self,
        on: &mut AnyConnection,
        operation: i64,
        addon: &str,
        key: &str,
        reply: &StoredReply,
    ) -> Result<(), LedgerError> {
        let end = self.db.sql(
            "UPDATE maitre_operations SET state = 'done', reply = $2, request = NULL, cause = NULL, lease_until = 0,
             ended_at = {now} WHERE id = $1",
        );
        on.execute(sqlx::query(end).bind(operation).bind(self.seal_reply(addon, key, reply))).await?;
        Ok(())
    }

    /// A resource is changing as long as a plan change is open.
    pub(super) async fn settle(&self, on: &mut AnyConnection, resource: i64) -> Result<(), LedgerError> {
        let settle = self.db.sql(
            "UPDATE maitre_resources SET state = 'provisioned', changed_at = {now} WHERE id = $1 AND state = 'changing'
             AND NOT EXISTS (SELECT 1 FROM maitre_operations
                             WHERE resource = $1 AND state = 'open' AND kind = 'plan change')",
        );
        on.execute(sqlx::query(settle).bind(resource)).await?;
        Ok(())
    }

    /// It did not work out this time: later again, or, when that has been said too often, a person has to look.
    ///
    /// A removal is never given up: until it is done the customer's data is there and nobody pays for it.
    pub(super) async fn defer(&self, on: &mut AnyConnection, lease: &Lease, cause: &str) -> Result<bool, LedgerError> {
        if !self.is_ours(on, lease).await? {
            return Ok(false);
        }
        let sealed = self.keys.seal(&place(&lease.addon, &lease.key, "cause"), cause.as_bytes());
        let look = "SELECT attempts FROM maitre_operations WHERE id = $1";
        let attempts = on.fetch_one(sqlx::query(look).bind(lease.operation)).await?.number("attempts")?;
        if attempts < self.limits.attempts || lease.kind == Kind::Deprovision {
            let later = self
                .db
                .sql("UPDATE maitre_operations SET lease_until = 0, cause = $2, due_at = {now} + $3 WHERE id = $1");
            let later = sqlx::query(later).bind(lease.operation).bind(sealed).bind(self.backoff(attempts));
            on.execute(later).await?;
            return Ok(true);
        }
        tracing::error!(
            resource = %lease.key, addon = %lease.addon, attempts, cause,
            "parked a {}: look at the cause, then retry or abandon it", lease.kind.as_str()
        );
        let park = self.db.sql(
            "UPDATE maitre_operations SET state = 'parked', lease_until = 0, cause = $2, ended_at = {now} WHERE id = $1",
        );
        on.execute(sqlx::query(park).bind(lease.operation).bind(sealed)).await?;
        if lease.kind == Kind::Provision {
            let parked = self.db.sql(
                "UPDATE maitre_resources SET state = 'parked', changed_at = {now} WHERE id = $1 AND state = 'provisioning'",
            );
            on.execute(sqlx::query(parked).bind(lease.resource)).await?;
        } else {
            self.settle(on, lease.resource).await?;
        }
        Ok(true)
    }

    /// Doubles up to the limit; between half and all of it, so that what failed together does not come back together.
    fn backoff(&self, attempts: i64) -> i64 {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
        let full = self.limits.first_backoff.saturating_mul(1 << doublings).min(self.limits.last_backoff);
        let share = i64::from(uuid::Uuid::new_v4().as_bytes()[0]);
        full / 2 + full / 2 * share / 255
    }
}

impl StoredReply {
    /// Whether it says nothing for good.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { kind: StoredKind::Unavailable, .. })
    }
}
