//! Rows of `maitre_sessions`.

use super::context::Engine;
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Returns the associated data of a session: a row copied to another id cannot be decrypted.
pub(crate) fn session_aad(hash: &[u8]) -> String {
    format!("session {}", hex::encode(hash))
}

/// Inserts or replaces a session by one of the two statements. Returns whether the row was written.
pub(crate) struct WriteSession {
    pub(crate) replace: bool,
    pub(crate) hash: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) resource: Option<String>,
    pub(crate) expires_at: i64,
}

const INSERT: &str = "INSERT INTO maitre_sessions (hash, data, resource, expires_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (hash) DO NOTHING";
const REPLACE: &str = "INSERT INTO maitre_sessions (hash, data, resource, expires_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (hash) DO UPDATE SET data = excluded.data, resource = excluded.resource,
     expires_at = excluded.expires_at";

impl Command<Engine> for WriteSession {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Self { replace, hash, sealed, resource, expires_at } = self;
        let statement = if *replace { REPLACE } else { INSERT };
        Ok(db.execute(statement, values![hash, sealed, resource.as_deref(), *expires_at]).await? == 1)
    }
}

/// Loads the sealed data and the expiry of a session that has not expired.
pub(crate) struct LoadSession {
    pub(crate) hash: Vec<u8>,
}

impl Command<Engine> for LoadSession {
    type Outcome = Option<(Vec<u8>, i64)>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let select = "SELECT data, expires_at FROM maitre_sessions WHERE hash = $1 AND expires_at > {now}";
        let row = db.optional_row(select, values![&self.hash]).await?;
        row.map(|row| Ok((row.bytes("data")?, row.number("expires_at")?))).transpose()
    }
}

pub(crate) struct DeleteSession {
    pub(crate) hash: Vec<u8>,
}

impl Command<Engine> for DeleteSession {
    type Outcome = ();

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        db.execute("DELETE FROM maitre_sessions WHERE hash = $1", values![&self.hash]).await.map(drop)
    }
}

pub(crate) struct DeleteExpiredSessions;

impl Command<Engine> for DeleteExpiredSessions {
    type Outcome = ();

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        db.execute("DELETE FROM maitre_sessions WHERE expires_at <= {now}", &[]).await.map(drop)
    }
}
