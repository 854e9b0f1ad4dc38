//! A session store for `tower-sessions` 0.14 in a session layer of 0.15. `docs/nesting.md` contains this file.

use async_trait::async_trait;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions_core_014::SessionStore as OlderSessionStore;
use tower_sessions_core_014::session::{Id as OlderId, Record as OlderRecord};
use tower_sessions_core_014::session_store::Error as OlderError;

#[derive(Debug, Clone)]
pub struct OlderStore<S>(pub S);

fn older(record: &Record) -> OlderRecord {
    OlderRecord { id: OlderId(record.id.0), data: record.data.clone(), expiry_date: record.expiry_date }
}

fn error(error: OlderError) -> Error {
    match error {
        OlderError::Encode(cause) => Error::Encode(cause),
        OlderError::Decode(cause) => Error::Decode(cause),
        OlderError::Backend(cause) => Error::Backend(cause),
    }
}

#[async_trait]
impl<S: OlderSessionStore> SessionStore for OlderStore<S> {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut created = older(record);
        self.0.create(&mut created).await.map_err(error)?;
        record.id = Id(created.id.0);
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.0.save(&older(record)).await.map_err(error)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let record = self.0.load(&OlderId(id.0)).await.map_err(error)?;
        Ok(record.map(|it| Record { id: Id(it.id.0), data: it.data, expiry_date: it.expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.delete(&OlderId(id.0)).await.map_err(error)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tower_sessions::Session;
    use tower_sessions_memory_store_014::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn a_session_is_created_read_changed_and_deleted_in_the_older_store() {
        let store = Arc::new(OlderStore(MemoryStore::default()));
        let session = Session::new(None, store.clone(), None);
        session.insert("widget", 641).await.unwrap();
        session.save().await.unwrap();
        let id = session.id().unwrap();

        let read = Session::new(Some(id), store.clone(), None);
        assert_eq!(read.get::<u32>("widget").await.unwrap(), Some(641));
        read.insert("widget", 642).await.unwrap();
        read.cycle_id().await.unwrap();
        read.save().await.unwrap();
        let cycled = read.id().unwrap();
        assert_eq!(Session::new(Some(cycled), store.clone(), None).get::<u32>("widget").await.unwrap(), Some(642));
        assert_eq!(store.load(&id).await.unwrap(), None, "the earlier id");
        read.delete().await.unwrap();
        assert_eq!(store.load(&cycled).await.unwrap(), None);
    }
}
