//! What ends by itself: marks, sessions, and provisions that nobody asks for any more.

use sqlx::{AnyConnection, Executor};

use super::{Engine, Kind, Resource};
use crate::error::LedgerError;
use crate::rules::State;

impl Engine {
    /// Says whether there was anything to take down.
    pub(super) async fn sweep(&self, on: &mut AnyConnection) -> Result<bool, LedgerError> {
        for expired in [
            "DELETE FROM maitre_marks WHERE expires_at <= {now}",
            "DELETE FROM maitre_sessions WHERE expires_at <= {now}",
        ] {
            on.execute(sqlx::query(self.db.sql(expired))).await?;
        }
        let forgotten = self.db.sql(
            "SELECT * FROM maitre_resources WHERE state IN ('provisioning', 'parked') AND id IN
             (SELECT resource FROM maitre_operations WHERE kind = 'provision' AND state IN ('open', 'parked')
              AND cause IS NOT NULL AND lease_until <= {now} AND last_asked_at <= {now} - $1) LIMIT 100 {skip_locked}",
        );
        let rows = on.fetch_all(sqlx::query(forgotten).bind(self.limits.patience)).await?;
        for row in &rows {
            let resource = Resource::read(row)?;
            tracing::warn!(
                resource = %resource.key, addon = %resource.addon,
                "nobody has asked for a day for what could not be provisioned: taking it down"
            );
            self.drop_what_waits(on, &resource).await?;
            self.drop_what_is_parked(on, resource.id, &resource.addon, &resource.key).await?;
            let resource = self.enter(on, &resource, State::Removing).await?;
            self.after(on, &resource, Kind::Deprovision, None, None).await?;
        }
        Ok(!rows.is_empty())
    }
}
