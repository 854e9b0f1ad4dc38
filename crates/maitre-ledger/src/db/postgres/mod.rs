//! Postgres backend: a connection pool, shared with other processes.

mod batcher;
mod cause;
mod connect;
mod pool;
pub(super) mod statement;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection as _;
use sqlx::postgres::PgConnectOptions;

use self::batcher::Batcher;
pub(crate) use self::cause::{cause, is_connection_unusable};
use self::pool::{BEGIN, Pool};
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
    /// Opens a pool, if the tables have the version of this program. Statements are prepared unless the URL or `prepared`
    /// says otherwise.
    pub(super) async fn open(
        url: &str,
        connections: u32,
        prepared: bool,
        dialect: Dialect,
        context: Arc<X>,
    ) -> Result<Self, LedgerError> {
        let (options, prepared_by_url) = connect::parse(url)?;
        let prepared = prepared && prepared_by_url;
        check(&options, &dialect, prepared).await?;
        if prepared {
            // prepares the same statement again, which fails behind a pooler without prepared statements
            check(&options, &dialect, prepared).await?;
        }
        let pool = Arc::new(Pool::new(options, connections, prepared, dialect, context));
        Ok(Self { pool, batchers: Mutex::new(Some(HashMap::new())) })
    }

    pub(super) async fn migrate(url: &str, dialect: &Dialect) -> Result<(), LedgerError> {
        let (options, _) = connect::parse(url)?;
        let mut connection = connect::connect(&options).await?;
        let mut db = Connection::postgres(&mut connection, dialect, false);
        if migrations::prepare(&mut db).await.is_err() {
            migrations::prepare(&mut db).await?; // another process created the table concurrently
        }
        let mut transaction = connection.begin().await.map_err(LedgerError::postgres)?;
        migrations::run(&mut Connection::postgres(&mut transaction, dialect, false)).await?;
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
        self.pool.read(command).await
    }

    pub(super) async fn close(&self) {
        self.batchers.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.pool.close().await;
    }

    fn batcher<C: BatchCommand<X>>(&self) -> Result<Arc<Batcher<X, C>>, LedgerError> {
        let mut batchers = self.batchers.lock().unwrap_or_else(PoisonError::into_inner);
        let batchers = batchers.as_mut().ok_or_else(LedgerError::closed)?;
        let batcher =
            batchers.entry(TypeId::of::<C>()).or_insert_with(|| Arc::new(Batcher::<X, C>::start(&self.pool))).clone();
        batcher.downcast().map_err(|_| LedgerError::closed())
    }
}

/// Checks that the server can be reached and that its tables have the version of this program.
async fn check(options: &PgConnectOptions, dialect: &Dialect, prepared: bool) -> Result<(), LedgerError> {
    let mut connection = connect::connect(options).await?;
    let mut transaction = connection.begin_with(BEGIN).await.map_err(LedgerError::postgres)?;
    migrations::check(&mut Connection::postgres(&mut transaction, dialect, prepared)).await?;
    transaction.commit().await.map_err(LedgerError::postgres)?;
    connection.close().await.map_err(LedgerError::postgres)
}
