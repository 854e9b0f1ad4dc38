//! Postgres backend: a connection pool, shared with other processes.

mod batcher;
mod pool;
pub(super) mod statement;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection};

use self::batcher::Batcher;
use self::pool::Pool;
use super::command::{BatchCommand, Command};
use super::connection::Connection;
use super::dialect::Dialect;
use super::migrations;
use crate::error::LedgerError;

pub(crate) struct Postgres<X> {
    pool: Arc<Pool<X>>,
    /// One batcher per batched command type, started by its first command; `None` once closed.
    batchers: Mutex<Option<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

impl<X: Send + Sync + 'static> Postgres<X> {
    /// Opens a pool, if the tables have the version of this program.
    pub(super) async fn open(
        url: &str,
        connections: u32,
        dialect: Dialect,
        context: Arc<X>,
    ) -> Result<Self, LedgerError> {
        let connections = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false) // would cost a round trip per use; a dead connection costs one failure
            .connect(url)
            .await
            .map_err(LedgerError::postgres)?;
        let mut connection = connections.acquire().await.map_err(LedgerError::postgres)?;
        migrations::check(&mut Connection::postgres(&mut connection, &dialect)).await?;
        drop(connection);
        let pool = Arc::new(Pool { connections, dialect, context });
        Ok(Self { pool, batchers: Mutex::new(Some(HashMap::new())) })
    }

    pub(super) async fn migrate(url: &str, dialect: &Dialect) -> Result<(), LedgerError> {
        let mut connection = PgConnection::connect(url).await.map_err(LedgerError::postgres)?;
        let mut db = Connection::postgres(&mut connection, dialect);
        if migrations::prepare(&mut db).await.is_err() {
            migrations::prepare(&mut db).await?; // another process created the table concurrently
        }
        let mut transaction = connection.begin().await.map_err(LedgerError::postgres)?;
        migrations::run(&mut Connection::postgres(&mut transaction, dialect)).await?;
        transaction.commit().await.map_err(LedgerError::postgres)?;
        connection.close().await.map_err(LedgerError::postgres)
    }

    pub(super) async fn write<C: Command<X>>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        self.pool.run_single(command).await
    }

    pub(super) async fn write_batched<C: BatchCommand<X>>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        if !command.is_batchable() {
            return self.pool.run_single(&command).await;
        }
        self.batcher::<C>()?.run(command).await
    }

    pub(super) async fn read<C: Command<X>>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        let mut connection = self.pool.connections.acquire().await.map_err(LedgerError::postgres)?;
        command.apply(&self.pool.context, &mut Connection::postgres(&mut connection, &self.pool.dialect)).await
    }

    pub(super) async fn close(&self) {
        self.batchers.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.pool.connections.close().await;
    }

    fn batcher<C: BatchCommand<X>>(&self) -> Result<Arc<Batcher<X, C>>, LedgerError> {
        let mut batchers = self.batchers.lock().unwrap_or_else(PoisonError::into_inner);
        let batchers = batchers.as_mut().ok_or_else(LedgerError::closed)?;
        let batcher =
            batchers.entry(TypeId::of::<C>()).or_insert_with(|| Arc::new(Batcher::<X, C>::start(&self.pool))).clone();
        batcher.downcast().map_err(|_| LedgerError::closed())
    }
}
