//! Arguments of every command: the database and its keys.

use anyhow::Context as _;
use clap::Args;
use maitre_ledger::{Keys, Ledger, LedgerBuilder};

/// Database of the ledger.
#[derive(Args)]
pub(super) struct DatabaseArgs {
    /// Database of the ledger: `sqlite://FILE` or `postgres://…`
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: String,

    /// Encryption keys. Defaults to the key file beside a SQLite database
    #[arg(long = "key", value_name = "KEYS", env = "MAITRE_KEY", hide_env_values = true)]
    keys: Option<String>,
}

impl DatabaseArgs {
    /// Opens the ledger. It neither creates a database or a key nor starts a worker.
    pub(super) async fn open(&self) -> anyhow::Result<Ledger> {
        let ledger: LedgerBuilder = Ledger::builder(&self.database_url).connections(2).must_exist(true);
        let ledger = match &self.keys {
            Some(keys) => ledger.keys(keys.parse::<Keys>()?),
            None => ledger,
        };
        ledger.open().await.with_context(|| format!("cannot open {}", maitre_core::mask_urls(&self.database_url)))
    }
}
