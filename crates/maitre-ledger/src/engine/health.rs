//! Check of the database and its tables, for readiness.

use std::time::Duration;

use super::context::Engine;
use crate::db::{Command, Connection, check_not_too_old};
use crate::error::LedgerError;

/// Returns the age of the oldest open operation, if the tables are not older than this program.
pub(crate) struct CheckHealth;

impl Command<Engine> for CheckHealth {
    type Outcome = Duration;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Duration, LedgerError> {
        check_not_too_old(db).await?;
        let age =
            "SELECT {now} - COALESCE((SELECT min(requested_at) FROM maitre_operations WHERE state = 'open'), {now})
             AS age";
        let age = db.row(age, &[]).await?.number("age")?;
        Ok(Duration::from_millis(age.try_into().unwrap_or_default()))
    }
}
