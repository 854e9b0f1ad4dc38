//! Single sign-on tokens that were used.

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Executor};

use super::Engine;
use crate::db::Milliseconds;
use crate::error::LedgerError;

impl Engine {
    /// Says whether the deciding token was new. The weaker ones are marked without complaint, so that no form can be
    /// stripped to them and used again; and where one of them has decided before, this is the form that was stripped.
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
        if !new {
            return Ok(false);
        }
        let mut stripped = false;
        for hash in weaker {
            let mark = self.db.sql(
                "INSERT INTO maitre_marks (hash, expires_at) VALUES ($1, {now} + $2) ON CONFLICT (hash) DO NOTHING",
            );
            on.execute(sqlx::query(mark).bind(hash.clone()).bind(for_milliseconds)).await?;
            let used = self.db.sql("SELECT hash FROM maitre_marks WHERE hash = $1 AND expires_at > {now}");
            stripped |= on.fetch_optional(sqlx::query(used).bind(decided(hash))).await?.is_some();
        }
        let mark = self.db.sql(
            "INSERT INTO maitre_marks (hash, expires_at) VALUES ($1, {now} + $2) ON CONFLICT (hash) DO UPDATE
             SET expires_at = excluded.expires_at",
        );
        on.execute(sqlx::query(mark).bind(decided(decider)).bind(for_milliseconds)).await?;
        Ok(!stripped)
    }
}

/// What tells a token that decided from one that only stood beside the decider: two people may sign in within one
/// second, and their forms hold the same weaker tokens.
fn decided(hash: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(b"decided ").chain_update(hash).finalize().to_vec()
}
