//! Accounts: their rows, and the commands on them.

use std::collections::BTreeSet;

use maitre_core::{
    Account, AccountState, CloseAccount, Failure, FailureKind, OpenAccount, ResourceSummary, Secret, TraceParent,
};
use serde_json::{Map, Value};

use super::context::Engine;
use super::find::{find_resource, summary};
use super::rows::Resource;
use super::rules::{self, Decision};
use super::transitions::{Overtaken, cancel_open, schedule_deprovision, tombstone};
use crate::db::{Command, Connection, Row, values};
use crate::error::LedgerError;

/// Row of `maitre_accounts`.
struct AccountRow {
    id: i64,
    addon: String,
    key: String,
    state: AccountState,
    credentials: Option<Vec<u8>>,
    details: Option<Vec<u8>>,
    /// Whether the listener has closed it.
    is_closed: bool,
}

/// Returns the associated data of a column of an account.
pub(super) fn account_aad(addon: &str, key: &str, column: &str) -> String {
    format!("{column} of the account {addon} {key}")
}

fn state_of(name: &str) -> Result<AccountState, LedgerError> {
    let states = [AccountState::Active, AccountState::Finalizing, AccountState::Gone];
    let state = states.into_iter().find(|state| state.as_str() == name);
    state.ok_or_else(|| LedgerError::corrupt(format!("unexpected account state {name:?}")))
}

impl AccountRow {
    fn read(row: &Row) -> Result<Self, LedgerError> {
        let row = row.of("maitre_accounts")?;
        Ok(Self {
            id: row.id,
            addon: row.text("addon")?,
            key: row.text("key")?,
            state: state_of(&row.text("state")?)?,
            credentials: row.optional_bytes("credentials")?,
            details: row.optional_bytes("details")?,
            is_closed: row.optional_number("closed_at")?.is_some(),
        })
    }

    async fn find(db: &mut Connection<'_>, addon: &str, key: &str) -> Result<Option<Self>, LedgerError> {
        let select = "SELECT * FROM maitre_accounts WHERE addon = $1 AND key = $2";
        db.optional_row(select, values![addon, key]).await?.map(|row| Self::read(&row)).transpose()
    }

    /// Locks the account until the transaction ends. It is locked before its resources.
    async fn lock(db: &mut Connection<'_>, addon: &str, key: &str) -> Result<Option<Self>, LedgerError> {
        let select = "SELECT * FROM maitre_accounts WHERE addon = $1 AND key = $2 {lock}";
        db.optional_row(select, values![addon, key]).await?.map(|row| Self::read(&row)).transpose()
    }

    async fn record(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Account, LedgerError> {
        let mut account = Account::new(self.key.as_str(), self.state);
        let aad = |column| account_aad(&self.addon, &self.key, column);
        account.credentials = engine.open_text(&aad("credentials"), self.credentials.as_deref())?.map(Secret::from);
        if let Some(sealed) = &self.details {
            let aad = aad("details");
            let details: Map<String, Value> = serde_json::from_slice(&engine.open(&aad, sealed)?)
                .map_err(|error| LedgerError::corrupt(format!("cannot parse the {aad}: {error}")))?;
            account.details = details.into();
        }
        let plans = "SELECT plan FROM maitre_resources WHERE addon = $1 AND account = $2 AND plan IS NOT NULL
             UNION SELECT o.plan AS plan FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
             WHERE r.addon = $1 AND r.account = $2 AND o.plan IS NOT NULL";
        let rows = db.rows(plans, values![&self.addon, &self.key]).await?;
        account.plans = rows.iter().map(|row| row.text("plan")).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(account)
    }
}

/// Locks an account, and returns whether resources can be provisioned in it.
pub(super) async fn is_open(db: &mut Connection<'_>, addon: &str, account: &str) -> Result<bool, LedgerError> {
    Ok(AccountRow::lock(db, addon, account).await?.is_some_and(|account| account.state.is_open()))
}

/// Opens an account, or replaces the credentials and details of an open one.
pub(crate) struct Open(pub(crate) OpenAccount);

impl Command<Engine> for Open {
    type Outcome = Result<Account, FailureKind>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let OpenAccount { credentials, details, reopen, .. } = &self.0;
        let (addon, key) = (self.0.addon.to_string(), self.0.account.as_str());
        let aad = |column| account_aad(&addon, key, column);
        let credentials =
            credentials.as_ref().map(|secret| engine.keys.seal(&aad("credentials"), secret.expose().as_bytes()));
        let details = engine.keys.seal(&aad("details"), &serde_json::to_vec(details.as_map()).unwrap_or_default());
        let insert = "INSERT INTO maitre_accounts (addon, key, state, created_at, updated_at)
             VALUES ($1, $2, 'active', {now}, {now}) ON CONFLICT (addon, key) DO NOTHING";
        db.execute(insert, values![&addon, key]).await?;
        let Some(row) = AccountRow::lock(db, &addon, key).await? else { return Ok(Err(FailureKind::Unavailable)) };
        if !row.state.is_open() && !reopen {
            return Ok(Err(FailureKind::Gone));
        }
        let update = "UPDATE maitre_accounts SET state = 'active', credentials = $2, details = $3, updated_at = {now},
             closed_at = NULL WHERE id = $1 RETURNING *";
        let row = AccountRow::read(&db.row(update, values![row.id, credentials.as_deref(), &details]).await?)?;
        row.record(engine, db).await.map(Ok)
    }
}

/// Reads an account.
pub(crate) struct ReadAccount {
    pub(crate) addon: String,
    pub(crate) account: String,
}

impl Command<Engine> for ReadAccount {
    type Outcome = Option<Account>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Option<Account>, LedgerError> {
        match AccountRow::find(db, &self.addon, &self.account).await? {
            Some(row) => row.record(engine, db).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Reads the account of a resource.
pub(crate) struct ReadAccountOf {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
}

impl Command<Engine> for ReadAccountOf {
    type Outcome = Option<Account>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Option<Account>, LedgerError> {
        let Some(resource) = find_resource(db, &self.addon, &self.resource).await? else { return Ok(None) };
        let Some(account) = account_key(db, resource.id).await? else { return Ok(None) };
        ReadAccount { addon: resource.addon, account }.apply(engine, db).await
    }
}

/// Reads the key of a resource's account.
pub(crate) struct ReadAccountKey {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
}

impl Command<Engine> for ReadAccountKey {
    type Outcome = Option<String>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Option<String>, LedgerError> {
        match find_resource(db, &self.addon, &self.resource).await? {
            Some(resource) => account_key(db, resource.id).await,
            None => Ok(None),
        }
    }
}

/// Returns the key of a resource's account.
pub(super) async fn account_key(db: &mut Connection<'_>, resource: i64) -> Result<Option<String>, LedgerError> {
    db.row("SELECT account FROM maitre_resources WHERE id = $1", values![resource]).await?.optional_text("account")
}

/// Lists the resources of an account that are not deprovisioned or refused, oldest first.
pub(crate) struct ReadAccountResources {
    pub(crate) addon: String,
    pub(crate) account: String,
}

impl Command<Engine> for ReadAccountResources {
    type Outcome = Option<Vec<ResourceSummary>>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        if AccountRow::find(db, &self.addon, &self.account).await?.is_none() {
            return Ok(None);
        }
        let rows = db.rows(LIVE, values![&self.addon, &self.account]).await?;
        rows.iter().map(summary).collect::<Result<Vec<_>, _>>().map(Some)
    }
}

const LIVE: &str = "SELECT * FROM maitre_resources WHERE addon = $1 AND account = $2
     AND state NOT IN ('deprovisioned', 'refused') ORDER BY id";

/// Begins to close an account: nothing can be provisioned in it, and the deprovisions of its resources are recorded.
pub(crate) struct BeginClose {
    pub(crate) request: CloseAccount,
    pub(crate) trace: Option<TraceParent>,
}

/// Next steps of closing an account.
pub(crate) struct Closing {
    /// Keys of the resources whose deprovision is recorded.
    pub(crate) resources: Vec<String>,
    /// Whether the listener has to close the account.
    pub(crate) is_new: bool,
}

impl Command<Engine> for BeginClose {
    /// `None` if the account is unknown.
    type Outcome = Option<Closing>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let Self { request, trace } = self;
        let (addon, key) = (request.addon.to_string(), request.account.as_str());
        let Some(account) = AccountRow::lock(db, &addon, key).await? else { return Ok(None) };
        if account.state.is_open() {
            let update = "UPDATE maitre_accounts SET state = 'finalizing', updated_at = {now} WHERE id = $1";
            db.execute(update, values![account.id]).await?;
        }
        let mut resources = Vec::new();
        if request.cascade {
            let select = "SELECT * FROM maitre_resources WHERE addon = $1 AND account = $2 AND state <> 'deprovisioned'
                 ORDER BY id {lock}";
            for row in db.rows(select, values![&addon, key]).await? {
                let resource = Resource::read(&row)?;
                match rules::deprovision(Some(resource.state), engine.limits.unknown) {
                    Decision::Run | Decision::Enqueue => {
                        cancel_open(engine, db, &resource, i64::MAX, Overtaken::Idle).await?;
                        schedule_deprovision(engine, db, resource.id, trace.as_ref()).await?;
                    }
                    Decision::Unchanged => {
                        tombstone(db, resource.id).await?;
                        continue;
                    }
                    _ => {}
                }
                resources.push(resource.key);
            }
        }
        Ok(Some(Closing { resources, is_new: !account.is_closed }))
    }
}

/// Records that the listener has closed an account. It is gone unless it has resources or has to send final invoices.
pub(crate) struct FinishClose(pub(crate) CloseAccount);

impl Command<Engine> for FinishClose {
    type Outcome = Option<Account>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let (addon, key) = (self.0.addon.to_string(), self.0.account.as_str());
        let Some(account) = AccountRow::lock(db, &addon, key).await? else { return Ok(None) };
        if account.state.is_open() {
            return account.record(engine, db).await.map(Some); // opened again in the meantime
        }
        let close = "UPDATE maitre_accounts SET closed_at = COALESCE(closed_at, {now}), updated_at = {now}
             WHERE id = $1 RETURNING *";
        let mut row = db.row(close, values![account.id]).await?;
        if !self.0.finalizing && db.rows(LIVE, values![&addon, key]).await?.is_empty() {
            let end = "UPDATE maitre_accounts SET state = 'gone', credentials = NULL, details = NULL WHERE id = $1
                 RETURNING *";
            row = db.row(end, values![account.id]).await?;
        }
        AccountRow::read(&row)?.record(engine, db).await.map(Some)
    }
}

/// Returns the failure of a provision in an account that is unknown or closed.
pub(crate) fn no_open_account() -> Failure {
    Failure::conflict("The account of this request does not exist or is closed.")
}
