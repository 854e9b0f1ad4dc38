//! Database layer: connections, dialect and batching. It knows no command.

mod command;
mod connection;
mod database;
mod dialect;
mod migrations;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod value;

#[cfg(feature = "postgres")]
pub(crate) use command::BatchCommand;
pub(crate) use command::Command;
pub(crate) use connection::Connection;
pub(crate) use database::Db;
pub(crate) use dialect::{DatabaseKind, Milliseconds};
pub(crate) use migrations::check_not_too_old;
#[cfg(feature = "postgres")]
pub(crate) use postgres::{cause as postgres_cause, is_connection_unusable};
pub(crate) use row::Row;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::{cause as sqlite_cause, file_of};
pub(crate) use value::{Value, values};

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("maitre-ledger needs a database: enable the feature `sqlite` or `postgres`");
