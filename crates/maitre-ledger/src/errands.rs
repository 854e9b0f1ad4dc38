//! Running errands, beside a provision or when a worker finds them.

use maitre_core::{Failure, FailureKind, JobOutcome, Listener, Result};
use tokio::runtime::Handle;
use tracing::Instrument;

use crate::engine::{EndErrand, Ended, RenewErrand, TakeErrand, Which};
use crate::heartbeat::Told;
use crate::kept::DurableListener;

impl<L: Listener> DurableListener<L> {
    /// Runs an errand beside what it was written down with.
    pub(crate) fn run_beside(&self, errand: Which) {
        let kept = self.clone();
        let run = async move {
            if let Err(failure) = kept.run_errand(errand).await {
                tracing::info!(?failure, "an errand is put off");
            }
        };
        drop(Handle::try_current().map(|runtime| runtime.spawn(run.in_current_span())));
    }

    /// Runs an errand, if nobody does and its time has come.
    pub(crate) async fn run_errand(&self, which: Which) -> Result<()> {
        let Some(follow) = self.follow.clone() else { return Ok(()) };
        let Some(run) = self.ledger.db.write(TakeErrand(which)).await? else { return Ok(()) };
        let _running = self.ledger.running.enter();
        let addon = self.ledger.addon_id(&run.addon)?;
        let span = tracing::info_span!("errand", kind = run.errand.kind, addon = run.addon);
        let errand = run.errand.clone();
        let work = async move { follow.run_job(&addon, &errand).await };
        let ended = match self.ledger.under_lease(|| RenewErrand(run.clone()), work).instrument(span).await {
            Told::Stopped => return Ok(()), // its lease ends by itself
            Told::LeaseLost => Ended::Failed { cause: "the lease was lost".to_owned(), for_good: false },
            Told::Said(Ok(JobOutcome::Snooze(rest, payload))) => Ended::Again(rest, payload),
            Told::Said(Ok(_)) => Ended::Done,
            // what it was about is not there any more
            Told::Said(Err(failure)) if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) => {
                Ended::Done
            }
            Told::Said(Err(failure)) => {
                Ended::Failed { for_good: failure.kind() != FailureKind::Unavailable, cause: cause(&failure) }
            }
        };
        self.ledger.db.write(EndErrand { run, ended }).await?;
        Ok(())
    }
}

fn cause(failure: &Failure) -> String {
    failure.cause().or_else(|| failure.message().map(ToOwned::to_owned)).unwrap_or_default()
}
