//! Meaning of the driver's errors.

use sqlx::Error;

/// Whether no statement can run on the connection any longer, or none that writes. Another connection may be usable.
pub(crate) fn is_connection_unusable(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Protocol(_) | Error::BeginFailed => true,
        Error::Database(error) => error.code().is_some_and(|code| {
            // statements that were prepared before a migration: "cached plan must not change result type"
            (code == "0A000" && error.message().contains("cached plan"))
            // read-only after a failover; aborted transaction; terminated session or server; connection exception
                || matches!(&*code, "25006" | "25P02" | "25P03") || code.starts_with("57P0") || code.starts_with("08")
        }),
        _ => false,
    }
}

/// Returns the cause in the terms of an operator, if it is known.
pub(crate) fn cause(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Database(error) => {
            return cause_of_code(error.code().as_deref().unwrap_or_default(), error.message());
        }
        Error::Tls(error) => match error.to_string() {
            text if text.contains("does not support TLS") => {
                "the URL requires TLS (sslmode), which the server does not offer"
            }
            text if text.contains("without TLS") => {
                "the URL requires TLS (sslmode), which this program was built without: enable the feature `tls`"
            }
            _ => "the TLS handshake failed",
        },
        Error::PoolTimedOut => "no connection was available within 10 s",
        Error::PoolClosed => "the ledger is closed",
        Error::Io(_) => "the server cannot be reached",
        Error::Configuration(_) => "the URL is invalid",
        _ => return None,
    })
}

fn cause_of_code(code: &str, message: &str) -> Option<&'static str> {
    // PgBouncer reports all of its own errors as protocol violations
    let is_pooler = code == "08P01";
    Some(match code {
        _ if is_pooler && message.contains("statement pooling mode") => {
            "the pooler is in statement mode, which has no transactions: use `pool_mode = transaction`"
        }
        _ if is_pooler && message.contains("startup parameter") => {
            "the pooler refuses a start-up parameter: add it to `ignore_startup_parameters`"
        }
        _ if is_pooler && message.contains("no more connections") => {
            "the pooler's connection limit is reached: raise `max_client_conn`, or lower `connections` of the ledger"
        }
        _ if message.contains("SSL required") => {
            "the server accepts only TLS: enable the feature `tls` and add `sslmode=require` to the URL"
        }
        // the server does not tell whether it would admit the user with TLS
        "28000" if message.contains("no encryption") => {
            "the server does not admit this user from here without TLS: enable the feature `tls` and add \
             `sslmode=require` to the URL, or change `pg_hba.conf`"
        }
        "42P05" | "26000" => {
            "a pooler without prepared statements is in front of it: add `prepared_statements=false` to the URL"
        }
        "53300" => {
            "the server's connection limit is reached: raise `max_connections`, or lower `connections` of the ledger"
        }
        "25006" => "the server is read-only",
        "28P01" => "the user name or the password is wrong",
        "28000" => "the server does not admit this user from here",
        "3D000" => "the database does not exist",
        "42501" => "the user has too few privileges",
        "57P03" => "the server is starting or stopping",
        _ => return None,
    })
}
