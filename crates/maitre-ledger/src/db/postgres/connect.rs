//! URL parameters, and the first connection.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::{Instant, sleep};

use crate::error::LedgerError;

/// Time that a program waits at its start for a server that starts or has no free connection.
const START_TIMEOUT: Duration = Duration::from_secs(10);
const START_INTERVAL: Duration = Duration::from_millis(200);

const PREPARED_STATEMENTS: &str = "prepared_statements";

/// Parses a URL. Returns the driver's options and the value of the parameter `prepared_statements`.
pub(super) fn parse(url: &str) -> Result<(PgConnectOptions, bool), LedgerError> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut prepared = true;
    let mut parameters = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some((PREPARED_STATEMENTS, "true")) => prepared = true,
            Some((PREPARED_STATEMENTS, "false")) => prepared = false,
            Some((PREPARED_STATEMENTS, _)) => return Err(LedgerError::not_a_bool(PREPARED_STATEMENTS)),
            _ => parameters.push(parameter),
        }
    }
    let options: PgConnectOptions =
        format!("{address}?{}", parameters.join("&")).parse().map_err(LedgerError::postgres)?;
    // the ledger reads no floats, and poolers refuse start-up parameters that they do not know
    Ok((options.extra_float_digits(None), prepared))
}

/// Opens a connection outside the pool, whose errors would hide the cause of a failure. Waits for a server that starts or
/// has no free connection.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, LedgerError> {
    let end = Instant::now() + START_TIMEOUT;
    loop {
        match options.connect().await {
            Err(error) if is_temporary(&error) && Instant::now() < end => sleep(START_INTERVAL).await,
            result => return result.map_err(LedgerError::postgres),
        }
    }
}

fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_parameter_disables_prepared_statements() {
        for (url, expected) in [
            ("postgres://app@db/tally", true),
            ("postgres://app@db/tally?prepared_statements=true", true),
            ("postgres://app@db/tally?prepared_statements=false", false),
            ("postgres://app@db/tally?sslmode=disable&prepared_statements=false&application_name=tally", false),
        ] {
            let (options, prepared) = parse(url).unwrap();
            assert_eq!(prepared, expected, "{url}");
            assert_eq!(options.get_database(), Some("tally"), "{url}");
            assert_eq!(options.get_application_name().is_some(), url.contains("application_name"), "{url}");
        }
        let error = parse("postgres://app@db/tally?prepared_statements=no").unwrap_err();
        assert!(error.to_string().contains("prepared_statements"), "{error}");
    }
}
