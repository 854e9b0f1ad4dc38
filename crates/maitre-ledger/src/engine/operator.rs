//! Operator actions on operations.

use super::context::Engine;
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Makes an open or parked operation due immediately, and reopens its resource. Returns whether there was such an
/// operation.
pub(crate) struct Retry {
    pub(crate) operation: i64,
}

impl Command<Engine> for Retry {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let retry = "UPDATE maitre_operations SET state = 'open', attempt = 0, scheduled_at = {now}, finished_at = NULL
             WHERE id = $1 AND state IN ('open', 'parked') AND lease_until <= {now}";
        let changed = db.execute(retry, values![self.operation]).await? == 1;
        let reopen = "UPDATE maitre_resources SET state = 'provisioning', updated_at = {now} WHERE state = 'parked'
             AND id = (SELECT resource_id FROM maitre_operations
                       WHERE id = $1 AND kind = 'provision' AND state = 'open')";
        db.execute(reopen, values![self.operation]).await?;
        Ok(changed)
    }
}

/// Abandons a parked operation. Returns whether there was such an operation.
pub(crate) struct Abandon {
    pub(crate) operation: i64,
}

impl Command<Engine> for Abandon {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let abandon =
            "UPDATE maitre_operations SET state = 'abandoned', request = NULL WHERE id = $1 AND state = 'parked'";
        Ok(db.execute(abandon, values![self.operation]).await? == 1)
    }
}
