//! Recording of usage.

use maitre_core::AccountId;

use super::{jobs::JobKind, line::Usage, statement::StatementState, store::Change};
use crate::{
    models::Period,
    platform::{Platform, PlatformError},
};

impl Platform {
    /// Records usage in the ledger. A worker reports it to Vercel hourly, and submits the invoice after the end of the
    /// period, once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-meter-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// use maitre_vercel::{Amount, Client, Period, Platform, Usage, connect};
    ///
    /// let client = Client::new("oac_lantern", "client secret", connect().build()?)?;
    /// let platform = Platform::builder(client, ledger.store()).build();
    ///
    /// let (installation, march) = ("icfg_1".into(), Period::month_of(time::macros::datetime!(2026-03-04 0:00 UTC)));
    /// let requests = |thousands| Usage::new("ltn_1", "basic", "Requests", Amount::from_cents(2), thousands, "1,000");
    /// platform.meter(&installation, march, requests(40.0)).await?;
    /// platform.meter(&installation, march, requests(45.0)).await?; // the running total, not an increment
    /// let statement = platform.statement(&installation, march).await?.unwrap();
    /// assert_eq!(statement.total(), Amount::from_cents(90));
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`PlatformError::PeriodClosed`] if the invoice of the period is being sent or was sent, and an error if the
    /// ledger cannot be written.
    pub async fn meter(&self, installation: &AccountId, period: Period, usage: Usage) -> Result<(), PlatformError> {
        if self.read_statement(installation, period).await?.is_none() {
            // before the statement, so that a process that dies in between leaves none without a job
            self.enqueue_billing(JobKind::Usage, installation, period).await?;
        }
        let now = self.0.client.now();
        self.change_statement(installation, period, |statement| {
            if statement.state != StatementState::Open {
                return Err(PlatformError::PeriodClosed(period));
            }
            let changed = statement.set(usage.clone(), now);
            Ok(if changed { Change::Write(()) } else { Change::Keep(()) })
        })
        .await
    }
}
