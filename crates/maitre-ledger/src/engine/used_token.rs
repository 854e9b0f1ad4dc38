//! Used single sign-on tokens.

use sha2::{Digest, Sha256};

use super::context::Engine;
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Marks a token as used. Returns whether it was new.
///
/// A form may contain weaker tokens beside the one that was verified. They are marked too, so that the form cannot be
/// stripped to a weaker token and used again; a weaker token that was itself verified before means that this form was
/// used in stripped form.
pub(crate) struct MarkTokenUsed {
    pub(crate) verified: Vec<u8>,
    pub(crate) weaker: Vec<Vec<u8>>,
    pub(crate) valid_for: Milliseconds,
}

impl Command<Engine> for MarkTokenUsed {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let mark = "INSERT INTO maitre_used_tokens (hash, expires_at) VALUES ($1, {now} + $2)
             ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at
             WHERE maitre_used_tokens.expires_at <= {now}";
        if db.execute(mark, values![&self.verified, self.valid_for]).await? == 0 {
            return Ok(false);
        }
        let mut stripped = false;
        for hash in &self.weaker {
            let mark = "INSERT INTO maitre_used_tokens (hash, expires_at) VALUES ($1, {now} + $2)
                 ON CONFLICT (hash) DO NOTHING";
            db.execute(mark, values![hash, self.valid_for]).await?;
            let used = "SELECT hash FROM maitre_used_tokens WHERE hash = $1 AND expires_at > {now}";
            stripped |= db.optional_row(used, values![&verified_hash(hash)]).await?.is_some();
        }
        let mark = "INSERT INTO maitre_used_tokens (hash, expires_at) VALUES ($1, {now} + $2)
             ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at";
        db.execute(mark, values![&verified_hash(&self.verified), self.valid_for]).await?;
        Ok(!stripped)
    }
}

/// Distinguishes a verified token from one that was only in the form: two users may sign in within one second, and their
/// forms contain the same weaker tokens.
fn verified_hash(hash: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(b"verified ").chain_update(hash).finalize().to_vec()
}
