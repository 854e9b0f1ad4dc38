//! User sessions in the ledger's database, shared by all processes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::{Error, ExpiredDeletion, Result};

use super::inner::Inner;
use super::ledger::Ledger;
use crate::engine::{DeleteExpiredSessions, DeleteSession, LoadSession, SESSION_RESOURCE, WriteSession, session_aad};
use crate::error::LedgerError;

/// `tower-sessions` store in the ledger's database.
///
/// Ids are stored as hashes and data is encrypted, so a copy of the database opens no session. A session opened for a
/// resource is deleted with the resource.
///
/// ```
/// use maitre_ledger::{Keys, Ledger};
/// use tower_sessions_core::{Session, SessionStore};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("maitre-sessions-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let url = format!("sqlite://{}", folder.join("maitre.db").display());
/// Ledger::migrate(&url).await?;
/// let ledger = Ledger::open(&url).await?;
/// let store = Arc::new(ledger.sessions()); // SessionManagerLayer::new(ledger.sessions()) in a program
///
/// let session = Session::new(None, store.clone(), None);
/// session.insert("widget", 641).await?;
/// session.save().await?;
/// let id = session.id().expect("a saved session has an id");
/// assert_eq!(Session::new(Some(id), store, None).get::<u32>("widget").await?, Some(641));
/// # ledger.close().await;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sessions {
    ledger: Arc<Inner>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Ledger {
    /// Returns a session store on the same database.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions { ledger: self.inner.clone() }
    }
}

fn hash(id: Id) -> Vec<u8> {
    Sha256::digest(id.0.to_le_bytes()).to_vec()
}

fn backend(error: impl Into<LedgerError>) -> Error {
    Error::Backend(maitre_core::error_chain(&error.into()))
}

impl Sessions {
    /// Returns whether the row was written; `false` if the id exists and is not to be replaced.
    async fn write(&self, record: &Record, replace: bool) -> Result<bool> {
        let hash = hash(record.id);
        let data = serde_json::to_vec(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        let sealed = self.ledger.engine.keys.seal(&session_aad(&hash), &data);
        let resource = record.data.get(SESSION_RESOURCE).and_then(Value::as_str).map(ToOwned::to_owned);
        let expires_at = record.expiry_date.unix_timestamp().saturating_mul(1000);
        let command = WriteSession { replace, hash, sealed, resource, expires_at };
        self.ledger.db.write(command).await.map_err(backend)
    }
}

#[async_trait]
impl SessionStore for Sessions {
    /// Creates the session under a new id, whatever id the record has.
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            record.id = Id::default();
            if self.write(record, false).await? {
                return Ok(());
            }
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.write(record, true).await.map(drop)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let hash = hash(*id);
        let found = self.ledger.db.read(LoadSession { hash: hash.clone() }).await.map_err(backend)?;
        let Some((sealed, expires_at)) = found else { return Ok(None) };
        let Ok(data) = self.ledger.engine.keys.open(&session_aad(&hash), &sealed) else {
            tracing::warn!("cannot decrypt a session: its key is no longer in MAITRE_KEY");
            return Ok(None); // the user signs in again
        };
        let data: HashMap<String, Value> =
            serde_json::from_slice(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(expires_at / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.ledger.db.write(DeleteSession { hash: hash(*id) }).await.map_err(backend)
    }
}

#[async_trait]
impl ExpiredDeletion for Sessions {
    async fn delete_expired(&self) -> Result<()> {
        self.ledger.db.write(DeleteExpiredSessions).await.map_err(backend)
    }
}
