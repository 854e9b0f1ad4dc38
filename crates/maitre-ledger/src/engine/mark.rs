//! Single sign-on tokens that were used.

use sqlx::{AnyConnection, Executor};

use super::Engine;
use crate::db::Milliseconds;
use crate::error::LedgerError;

impl Engine {
    /// Says whether the deciding token was new. The weaker ones are marked without complaint, so that no form can be
    /// stripped to them and used again.
    pub(super) async fn mark(
        &self,
        on: &mut AnyConnection,
        decider: &[u8],
        weaker: &[Vec<u8>],
        for_milliseconds: Milliseconds,
    ) -> Result<bool, LedgerError> {
        let mark = self.db.sql(
            "INSERT INTO maitre_marks (hash, expires_at) VALUES ($1, {now} + $2) ON CONFLICT (hash) DO UPDATE
             SET expires_at = excluded.expires_at WHERE maitre_marks.expires_at <= {now}",
        );
        let new =
            on.execute(sqlx::query(mark).bind(decider.to_vec()).bind(for_milliseconds)).await?.rows_affected() == 1;
        for hash in weaker {
            let mark = self.db.sql(
                "INSERT INTO maitre_marks (hash, expires_at) VALUES ($1, {now} + $2) ON CONFLICT (hash) DO NOTHING",
            );
            on.execute(sqlx::query(mark).bind(hash.clone()).bind(for_milliseconds)).await?;
        }
        Ok(new)
    }
}
