//! What ends by itself: marks, sessions, tombstones, errands that are done, and provisions that nobody asks for any more.

use super::Engine;
use super::accept::raise_alarms;
use super::begin::{after, enter};
use super::erase::forget;
use super::errand;
use super::finish::drop_what_is_parked;
use super::lease::drop_what_waits;
use super::records::{Kind, Resource};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;
use crate::rules::State;

/// The outcome says whether there may be more to do.
pub(crate) struct Sweep;

impl Command for Sweep {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        on.run("DELETE FROM maitre_used_tokens WHERE expires_at <= {now}", &[]).await?;
        on.run("DELETE FROM maitre_sessions WHERE expires_at <= {now}", &[]).await?;
        errand::forget(on).await?;
        raise_alarms(on).await?;
        let mut more = false;
        if let Some(retention) = engine.limits.retention {
            more |= forget(on, retention).await? > 0;
        }
        let patience: &[_] = values![engine.limits.patience];
        for (forgotten, values, why) in [
            (OPEN, patience, "nobody has asked for a day for what could not be provisioned"),
            (PARKED, patience, "nobody has asked for a day for what could not be provisioned"),
            (GIVEN_UP, &[], "the marketplace has given up what was not provisioned in time"),
        ] {
            let rows = on.rows(forgotten, values).await?;
            more |= !rows.is_empty();
            for row in &rows {
                let resource = Resource::read(row)?;
                tracing::warn!(resource = %resource.key, addon = %resource.addon, "{why}: taking it down");
                take_down(engine, on, &resource).await?;
            }
        }
        Ok(more)
    }
}

/// Provisions that failed, that nobody works on and that nobody has asked for in a while.
const OPEN: &str = "SELECT r.* FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource
     WHERE o.state = 'open' AND o.kind = 'provision' AND o.last_error IS NOT NULL AND o.lease_until <= {now}
       AND o.last_requested_at <= {now} - $1 AND o.accepted_at IS NULL AND r.state = 'provisioning' LIMIT 100 {skip_locked}";

/// The same where a person should have looked.
const PARKED: &str = "SELECT r.* FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource
     WHERE o.state = 'parked' AND o.kind = 'provision' AND o.last_requested_at <= {now} - $1 AND r.state = 'parked'
     LIMIT 100 {skip_locked}";

/// Provisions that were accepted and that the marketplace does not wait for any more, also those of which it could not be
/// told.
const GIVEN_UP: &str = "SELECT r.* FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource
     WHERE o.state IN ('open', 'parked') AND o.kind = 'provision' AND o.completion_deadline <= {now}
       AND o.lease_until <= {now} AND r.state IN ('provisioning', 'parked') LIMIT 100 {skip_locked}";

async fn take_down(engine: &Engine, on: &mut Connection<'_>, resource: &Resource) -> Result<(), LedgerError> {
    drop_what_waits(engine, on, resource, i64::MAX).await?;
    drop_what_is_parked(engine, on, resource.id, &resource.addon, &resource.key).await?;
    let resource = enter(on, resource, State::Deprovisioning).await?;
    after(on, &resource, Kind::Deprovision, None, None).await.map(drop)
}
