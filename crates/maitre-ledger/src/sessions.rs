//! People's sessions in the ledger's database, so that every process knows them.

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

use crate::db::{Command, Connection, values};
use crate::engine::{Engine, RESOURCE};
use crate::error::LedgerError;
use crate::ledger::{Inner, Ledger};

/// A `tower-sessions` store in the ledger's database.
///
/// Ids are stored as hashes and data is sealed, so that a copy of the database opens nobody's session. A session that
/// was opened for a resource dies with it.
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
/// let id = session.id().expect("a saved session has one");
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
    /// A session store on the same database.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions { ledger: self.inner.clone() }
    }
}

fn hash(id: Id) -> Vec<u8> {
    Sha256::digest(id.0.to_le_bytes()).to_vec()
}

/// A row's data is bound to its id: a row that was copied to another id does not open.
fn place(hash: &[u8]) -> String {
    format!("session {}", hex::encode(hash))
}

fn backend(error: impl Into<LedgerError>) -> Error {
    Error::Backend(maitre_core::error_chain(&error.into()))
}

impl Sessions {
    /// Says whether the row was written: of two that create the same id, one is told no.
    async fn write(&self, record: &Record, statement: &'static str) -> Result<bool> {
        let hash = hash(record.id);
        let data = serde_json::to_vec(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        let sealed = self.ledger.engine.keys.seal(&place(&hash), &data);
        let resource = record.data.get(RESOURCE).and_then(Value::as_str).map(ToOwned::to_owned);
        let expires_at = record.expiry_date.unix_timestamp().saturating_mul(1000);
        self.ledger.db.write(Write { statement, hash, sealed, resource, expires_at }).await.map_err(backend)
    }
}

#[async_trait]
impl SessionStore for Sessions {
    /// Always under an id that nobody has seen, whatever id the record came with.
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            record.id = Id::default();
            let insert = "INSERT INTO maitre_sessions (hash, data, resource, expires_at) VALUES ($1, $2, $3, $4)
                          ON CONFLICT (hash) DO NOTHING";
            if self.write(record, insert).await? {
                return Ok(());
            }
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let upsert = "INSERT INTO maitre_sessions (hash, data, resource, expires_at) VALUES ($1, $2, $3, $4)
                      ON CONFLICT (hash) DO UPDATE SET data = excluded.data, resource = excluded.resource,
                      expires_at = excluded.expires_at";
        self.write(record, upsert).await.map(drop)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let hash = hash(*id);
        let found = self.ledger.db.read(Load { hash: hash.clone() }).await.map_err(backend)?;
        let Some((sealed, expires_at)) = found else { return Ok(None) };
        let Ok(data) = self.ledger.engine.keys.open(&place(&hash), &sealed) else {
            tracing::warn!("a session cannot be opened: its key is not in MAITRE_KEY any more");
            return Ok(None); // the person signs in once more
        };
        let data: HashMap<String, Value> =
            serde_json::from_slice(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(expires_at / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.ledger.db.write(Delete { hash: hash(*id) }).await.map_err(backend)
    }
}

#[async_trait]
impl ExpiredDeletion for Sessions {
    async fn delete_expired(&self) -> Result<()> {
        self.ledger.db.write(DeleteExpired).await.map_err(backend)
    }
}

struct Write {
    statement: &'static str,
    hash: Vec<u8>,
    sealed: Vec<u8>,
    resource: Option<String>,
    expires_at: i64,
}

impl Command for Write {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> std::result::Result<bool, LedgerError> {
        let Self { statement, hash, sealed, resource, expires_at } = self;
        Ok(on.run(statement, values![hash, sealed, resource.as_deref(), *expires_at]).await? == 1)
    }
}

struct Load {
    hash: Vec<u8>,
}

impl Command for Load {
    type Outcome = Option<(Vec<u8>, i64)>;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> std::result::Result<Self::Outcome, LedgerError> {
        let select = "SELECT data, expires_at FROM maitre_sessions WHERE hash = $1 AND expires_at > {now}";
        let row = on.maybe_row(select, values![&self.hash]).await?;
        row.map(|row| Ok((row.maybe_bytes("data")?.unwrap_or_default(), row.number("expires_at")?))).transpose()
    }
}

struct Delete {
    hash: Vec<u8>,
}

impl Command for Delete {
    type Outcome = ();

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> std::result::Result<(), LedgerError> {
        on.run("DELETE FROM maitre_sessions WHERE hash = $1", values![&self.hash]).await.map(drop)
    }
}

struct DeleteExpired;

impl Command for DeleteExpired {
    type Outcome = ();

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> std::result::Result<(), LedgerError> {
        on.run("DELETE FROM maitre_sessions WHERE expires_at <= {now}", &[]).await.map(drop)
    }
}
