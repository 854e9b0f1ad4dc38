//! Single sign-on tokens that were used.

use sha2::{Digest, Sha256};

use super::Engine;
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Marks a token as used; the outcome says whether it was new. The weaker ones are marked without complaint, so that no
/// form can be stripped to them and used again; and where one of them has decided before, this is the form that was
/// stripped.
pub(crate) struct Mark {
    pub(crate) decider: Vec<u8>,
    pub(crate) weaker: Vec<Vec<u8>>,
    pub(crate) lasts: Milliseconds,
}

impl Command for Mark {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let mark =
            "INSERT INTO maitre_used_tokens (hash, expires_at) VALUES ($1, {now} + $2) ON CONFLICT (hash) DO UPDATE
             SET expires_at = excluded.expires_at WHERE maitre_used_tokens.expires_at <= {now}";
        if on.run(mark, values![&self.decider, self.lasts]).await? == 0 {
            return Ok(false);
        }
        let mut stripped = false;
        for hash in &self.weaker {
            let mark = "INSERT INTO maitre_used_tokens (hash, expires_at) VALUES ($1, {now} + $2) ON CONFLICT (hash) DO NOTHING";
            on.run(mark, values![hash, self.lasts]).await?;
            let used = "SELECT hash FROM maitre_used_tokens WHERE hash = $1 AND expires_at > {now}";
            stripped |= on.maybe_row(used, values![&decided(hash)]).await?.is_some();
        }
        let mark =
            "INSERT INTO maitre_used_tokens (hash, expires_at) VALUES ($1, {now} + $2) ON CONFLICT (hash) DO UPDATE
             SET expires_at = excluded.expires_at";
        on.run(mark, values![&decided(&self.decider), self.lasts]).await?;
        Ok(!stripped)
    }
}

/// What tells a token that decided from one that only stood beside the decider: two people may sign in within one
/// second, and their forms hold the same weaker tokens.
fn decided(hash: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(b"decided ").chain_update(hash).finalize().to_vec()
}
