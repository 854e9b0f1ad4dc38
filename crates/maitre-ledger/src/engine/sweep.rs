//! What ends by itself: marks, sessions, and provisions that nobody asks for any more.

use super::Engine;
use super::begin::{after, enter};
use super::finish::drop_what_is_parked;
use super::lease::drop_what_waits;
use super::records::{Kind, Resource};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;
use crate::rules::State;

/// The outcome says whether there was anything to take down.
pub(crate) struct Sweep;

impl Command for Sweep {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        on.run("DELETE FROM maitre_marks WHERE expires_at <= {now}", &[]).await?;
        on.run("DELETE FROM maitre_sessions WHERE expires_at <= {now}", &[]).await?;
        let forgotten = "SELECT * FROM maitre_resources WHERE state IN ('provisioning', 'parked') AND id IN
             (SELECT resource FROM maitre_operations WHERE kind = 'provision' AND state IN ('open', 'parked')
              AND cause IS NOT NULL AND lease_until <= {now} AND last_asked_at <= {now} - $1) LIMIT 100 {skip_locked}";
        let rows = on.rows(forgotten, values![engine.limits.patience]).await?;
        for row in &rows {
            let resource = Resource::read(row)?;
            tracing::warn!(
                resource = %resource.key, addon = %resource.addon,
                "nobody has asked for a day for what could not be provisioned: taking it down"
            );
            drop_what_waits(engine, on, &resource, i64::MAX).await?;
            drop_what_is_parked(engine, on, resource.id, &resource.addon, &resource.key).await?;
            let resource = enter(on, &resource, State::Removing).await?;
            after(on, &resource, Kind::Deprovision, None, None).await?;
        }
        Ok(!rows.is_empty())
    }
}
