//! A pool of connections to Postgres, shared by many processes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection};
use tokio::sync::{mpsc, oneshot};

use super::{Command, Connection, Row, Value, Words, migrations};
use crate::engine::{Accept, Accepted, AskProvision, Begun, Engine, Finish, Finished, Together};
use crate::error::LedgerError;

/// More than this do not share one commit.
const LARGEST_BATCH: usize = 256;

/// How many statements of a kind are on their way at once: while one waits for the disk, the next is gathered.
const SERVERS: usize = 2;

/// A process that stops in the middle of a transaction holds up nobody for longer than this, and nobody waits longer for
/// a row. It rides with the beginning, so it costs no round trip.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL lock_timeout = '15s'";

pub(crate) struct Postgres {
    pool: Arc<Pool>,
    begins: Queue<AskProvision>,
    ends: Queue<Finish>,
    accepts: Queue<Accept>,
}

struct Pool {
    connections: PgPool,
    words: Words,
    engine: Arc<Engine>,
}

impl Postgres {
    /// A pool, if the tables are of this program's version.
    pub(super) async fn open(
        url: &str,
        connections: u32,
        words: Words,
        engine: Arc<Engine>,
    ) -> Result<Self, LedgerError> {
        let connections = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false) // it would be a round trip before each use; a dead connection costs one failure
            .connect(url)
            .await?;
        let mut connection = connections.acquire().await?;
        migrations::check(&mut Connection::postgres(&mut connection, &words)).await?;
        drop(connection);
        let pool = Arc::new(Pool { connections, words, engine });
        Ok(Self { begins: Queue::open(&pool), ends: Queue::open(&pool), accepts: Queue::open(&pool), pool })
    }

    pub(super) async fn migrate(url: &str, words: &Words) -> Result<(), LedgerError> {
        let mut connection = PgConnection::connect(url).await?;
        let mut on = Connection::postgres(&mut connection, words);
        if migrations::prepare(&mut on).await.is_err() {
            migrations::prepare(&mut on).await?; // two at once: the other one has made the table by now
        }
        let mut transaction = connection.begin().await?;
        migrations::run(&mut Connection::postgres(&mut transaction, words)).await?;
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    pub(super) async fn write<C: Command>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        self.pool.alone(command).await
    }

    pub(super) async fn begin(&self, ask: AskProvision) -> Result<Begun, LedgerError> {
        self.begins.ask(&self.pool, ask).await
    }

    pub(super) async fn finish(&self, finish: Finish) -> Result<Finished, LedgerError> {
        self.ends.ask(&self.pool, finish).await
    }

    pub(super) async fn accept(&self, accept: Accept) -> Result<Accepted, LedgerError> {
        self.accepts.ask(&self.pool, accept).await
    }

    pub(super) async fn read<C: Command>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        let mut connection = self.pool.connections.acquire().await?;
        command.apply(&self.pool.engine, &mut Connection::postgres(&mut connection, &self.pool.words)).await
    }

    pub(super) async fn close(&self) {
        self.begins.close();
        self.ends.close();
        self.accepts.close();
        self.pool.connections.close().await;
    }
}

impl Pool {
    /// One command, one transaction.
    async fn alone<C: Command>(&self, command: &C) -> Result<C::Outcome, LedgerError> {
        let mut transaction = self.connections.begin_with(BEGIN).await?;
        let outcome = command.apply(&self.engine, &mut Connection::postgres(&mut transaction, &self.words)).await?;
        transaction.commit().await?;
        Ok(outcome)
    }

    /// Commands of one kind by one statement, which is its own transaction.
    async fn together<C: Together>(&self, commands: &[&C]) -> Result<Vec<Option<C::Outcome>>, LedgerError> {
        let mut connection = self.connections.acquire().await?;
        C::apply_all(commands, &self.engine, &mut Connection::postgres(&mut connection, &self.words)).await
    }
}

/// Commands of one kind: what comes while a statement is on its way goes with the next one, without a wait for more.
struct Queue<C: Together>(Mutex<Option<mpsc::Sender<Asked<C>>>>);

struct Asked<C: Together> {
    command: C,
    answer: oneshot::Sender<Result<C::Outcome, LedgerError>>,
}

impl<C: Together> Queue<C> {
    fn open(pool: &Arc<Pool>) -> Self {
        let (queue, waiting) = mpsc::channel(4 * LARGEST_BATCH);
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        for _ in 0..SERVERS {
            tokio::spawn(serve(pool.clone(), waiting.clone()));
        }
        Self(Mutex::new(Some(queue)))
    }

    async fn ask(&self, pool: &Pool, command: C) -> Result<C::Outcome, LedgerError> {
        if !command.fits() {
            return pool.alone(&command).await;
        }
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(LedgerError::closed)?;
        let (answer, answered) = oneshot::channel();
        queue.send(Asked { command, answer }).await.map_err(|_| LedgerError::closed())?;
        answered.await.map_err(|_| LedgerError::closed())?
    }

    fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

async fn serve<C: Together>(pool: Arc<Pool>, waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Asked<C>>>>) {
    let mut batch = Vec::with_capacity(LARGEST_BATCH);
    loop {
        if waiting.lock().await.recv_many(&mut batch, LARGEST_BATCH).await == 0 {
            return;
        }
        let mut first = BTreeMap::new();
        for asked in batch.drain(..) {
            if let Some(other) = first.insert(asked.command.about(), asked) {
                do_alone(&pool, other);
            }
        }
        let commands: Vec<_> = first.values().map(|asked| &asked.command).collect();
        // whatever spoils the statement, each hears of its own trouble
        let outcomes = pool.together(&commands).await.unwrap_or_default();
        let mut outcomes = outcomes.into_iter();
        for asked in first.into_values() {
            match outcomes.next().flatten() {
                Some(outcome) => {
                    drop(asked.command); // what it shares with the one who asked is that one's now
                    let _ = asked.answer.send(Ok(outcome)); // whoever asked may have gone
                }
                None => do_alone(&pool, asked),
            }
        }
    }
}

/// What has to wait for others does so without holding anybody up.
fn do_alone<C: Together>(pool: &Arc<Pool>, Asked { command, answer }: Asked<C>) {
    let pool = pool.clone();
    tokio::spawn(async move { answer.send(pool.alone(&command).await) });
}

fn query<'q>(text: Arc<str>, values: &'q [Value<'q>]) -> Query<'q, sqlx::Postgres, PgArguments> {
    // the text is one of our own literals; see `Words`
    values.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, value| match *value {
        Value::Number(number) => query.bind(number),
        Value::MaybeNumber(number) => query.bind(number),
        Value::Numbers(numbers) => query.bind(numbers),
        Value::Text(text) => query.bind(text),
        Value::Texts(texts) => query.bind(texts),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::ManyBytes(many) => query.bind(many),
    })
}

pub(super) async fn rows(on: &mut PgConnection, text: Arc<str>, values: &[Value<'_>]) -> Result<Vec<Row>, sqlx::Error> {
    Ok(on.fetch_all(query(text, values)).await?.into_iter().map(Row::Postgres).collect())
}

pub(super) async fn run(on: &mut PgConnection, text: Arc<str>, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
    Ok(on.execute(query(text, values)).await?.rows_affected())
}
