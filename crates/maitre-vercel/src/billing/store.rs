//! Statements in the ledger: values of the add-on, so that they outlive the resources.

use maitre_core::{AccountId, ResourceId};

use super::statement::Statement;
use crate::{
    models::Period,
    platform::{Platform, PlatformError, store},
};

/// Attempts to write a statement that other processes change at the same time.
const ATTEMPTS: usize = 100;

/// A statement and its version.
pub(super) struct Versioned {
    pub(super) statement: Statement,
    pub(super) version: i64,
}

/// Decision of a change.
pub(super) enum Change<T> {
    /// Write the statement.
    Write(T),
    /// Leave it as it is.
    Keep(T),
}

impl Platform {
    /// Returns the record of an installation and period, if anything was metered.
    ///
    /// # Errors
    /// Returns an error if the ledger cannot be read.
    pub async fn statement(
        &self,
        installation: &AccountId,
        period: Period,
    ) -> Result<Option<Statement>, PlatformError> {
        Ok(self.read_statement(installation, period).await?.map(|versioned| versioned.statement))
    }

    pub(super) async fn read_statement(
        &self,
        installation: &AccountId,
        period: Period,
    ) -> Result<Option<Versioned>, PlatformError> {
        let (addon, name) = (ResourceId::from(""), name(installation, period));
        let stored = self.0.store.read(&self.0.addon, &addon, &name).await.map_err(|failure| store(&failure))?;
        let Some(stored) = stored else { return Ok(None) };
        let statement = serde_json::from_slice(&stored.value)
            .map_err(|error| PlatformError::Store(format!("cannot parse the stored {name}: {error}")))?;
        Ok(Some(Versioned { statement, version: stored.version }))
    }

    /// Changes a statement, or creates it. The change is repeated if another process was faster.
    pub(super) async fn change_statement<T>(
        &self,
        installation: &AccountId,
        period: Period,
        mut change: impl FnMut(&mut Statement) -> Result<Change<T>, PlatformError>,
    ) -> Result<T, PlatformError> {
        let (addon, name) = (ResourceId::from(""), name(installation, period));
        for _ in 0..ATTEMPTS {
            let known = self.read_statement(installation, period).await?;
            let (mut statement, version) =
                known.map_or_else(|| (Statement::new(period), 0), |known| (known.statement, known.version));
            let result = match change(&mut statement)? {
                Change::Keep(result) => return Ok(result),
                Change::Write(result) => result,
            };
            let value = serde_json::to_vec(&statement).map_err(|error| PlatformError::Store(error.to_string()))?;
            let written = self.0.store.write(&self.0.addon, &addon, &name, &value, version).await;
            if written.map_err(|failure| store(&failure))? {
                return Ok(result);
            }
        }
        Err(PlatformError::Contended(period))
    }
}

fn name(installation: &AccountId, period: Period) -> String {
    format!("billing {installation} {}", period.external_id())
}
