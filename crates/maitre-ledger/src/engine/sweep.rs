//! Periodic cleanup: expired tokens and sessions, tombstones, completed jobs, abandoned provisions, and alarms.

use super::context::Engine;
use super::erase::delete_old_tombstones;
use super::job::delete_old_jobs;
use super::operation::OperationKind;
use super::rows::Resource;
use super::rules::State;
use super::transitions::{Overtaken, cancel_open, cancel_parked, enqueue, set_state};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Cleans up a batch. Returns whether there may be more to do.
pub(crate) struct Sweep;

impl Command<Engine> for Sweep {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        db.execute("DELETE FROM maitre_used_tokens WHERE expires_at <= {now}", &[]).await?;
        db.execute("DELETE FROM maitre_sessions WHERE expires_at <= {now}", &[]).await?;
        delete_old_jobs(db).await?;
        raise_alarms(db).await?;
        let mut more = false;
        if let Some(retention) = engine.limits.retention {
            more |= delete_old_tombstones(db, retention).await? > 0;
        }
        let abandon_after: &[_] = values![engine.limits.abandon_after];
        for (select, values, reason) in [
            (OPEN, abandon_after, "provision abandoned (no retry for 24 h): deprovisioning"),
            (PARKED, abandon_after, "parked provision abandoned (no retry for 24 h): deprovisioning"),
            (OVERDUE, &[], "provision missed its completion deadline: deprovisioning"),
        ] {
            let rows = db.rows(select, values).await?;
            more |= !rows.is_empty();
            for row in &rows {
                let resource = Resource::read(row)?;
                tracing::warn!(resource = %resource.key, addon = %resource.addon, "{reason}");
                abandon(engine, db, &resource).await?;
            }
        }
        Ok(more)
    }
}

/// Failed provisions that no process runs and that were not requested recently.
const OPEN: &str = "SELECT r.* FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
     WHERE o.state = 'open' AND o.kind = 'provision' AND o.last_error IS NOT NULL AND o.lease_until <= {now}
       AND o.last_requested_at <= {now} - $1 AND o.accepted_at IS NULL AND r.state = 'provisioning'
     LIMIT 100 {skip_locked}";

/// Parked provisions that were not requested recently.
const PARKED: &str = "SELECT r.* FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
     WHERE o.state = 'parked' AND o.kind = 'provision' AND o.last_requested_at <= {now} - $1 AND r.state = 'parked'
     LIMIT 100 {skip_locked}";

/// Accepted provisions whose completion deadline has passed, also those whose notification failed.
const OVERDUE: &str = "SELECT r.* FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
     WHERE o.state IN ('open', 'parked') AND o.kind = 'provision' AND o.completion_deadline <= {now}
       AND o.lease_until <= {now} AND r.state IN ('provisioning', 'parked') LIMIT 100 {skip_locked}";

async fn abandon(engine: &Engine, db: &mut Connection<'_>, resource: &Resource) -> Result<(), LedgerError> {
    cancel_open(engine, db, resource, i64::MAX, Overtaken::Idle).await?;
    cancel_parked(engine, db, resource.id, &resource.addon, &resource.key).await?;
    let resource = set_state(db, resource, State::Deprovisioning).await?;
    enqueue(db, &resource, OperationKind::Deprovision, None, None, None, None).await.map(drop)
}

/// Reports accepted operations that are still open after 1/12, 6/12 and 11/12 of their time; for Heroku's 12 hours
/// after 1, 6 and 11 hours.
async fn raise_alarms(db: &mut Connection<'_>) -> Result<(), LedgerError> {
    for (alarm_level, twelfths) in [(1, 1), (2, 6), (3, 11)] {
        let late = "SELECT o.id AS id, o.kind AS kind, r.key AS key, r.addon AS addon,
             (completion_deadline - {now}) / 1000 AS seconds_left
             FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
             WHERE o.state = 'open' AND o.completion_deadline IS NOT NULL AND o.alarm_level < $1
               AND {now} - o.accepted_at >= (o.completion_deadline - o.accepted_at) * $2 / 12 LIMIT 100 {skip_locked}";
        for row in db.rows(late, values![alarm_level, twelfths]).await? {
            let (key, addon, kind) = (row.text("key")?, row.text("addon")?, row.text("kind")?);
            let seconds_left = row.number("seconds_left")?;
            tracing::error!(
                resource = key,
                addon,
                seconds_left,
                "accepted {kind} still open: the marketplace gives up at the deadline"
            );
            crate::metrics::deadline_alarm(&addon, &kind);
            let raise = "UPDATE maitre_operations SET alarm_level = $2 WHERE id = $1";
            db.execute(raise, values![row.number("id")?, alarm_level]).await?;
        }
    }
    Ok(())
}
