//! Batched commands on Postgres: provisions that begin or complete concurrently, and callers that are answered
//! "accepted" concurrently, share one round trip and one commit.
//!
//! The SQL functions do the same as the commands for the common case; whatever needs a decision under a lock is left to
//! the command itself.

use maitre_core::FailureKind;

use super::accept::{AcceptOutcome, MarkAccepted};
use super::begin::{BeginOutcome, BeginProvision};
use super::complete::{Complete, Recorded};
use super::context::Engine;
use super::job::NewJob;
use super::operation::OperationKind;
use super::rows::{Lease, Resource};
use super::rules::Decision;
use super::stored_reply::StoredReply;
use crate::db::{BatchCommand, Connection, Row, values};
use crate::error::LedgerError;

impl BatchCommand<Engine> for BeginProvision {
    type Key = (String, String);

    fn key(&self) -> (String, String) {
        (self.addon.clone(), self.key.clone())
    }

    /// A provision in an account needs the lock of the account.
    fn is_batchable(&self) -> bool {
        self.request.account.is_none()
    }

    async fn apply_batch(
        commands: &[&Self],
        engine: &Engine,
        db: &mut Connection<'_>,
    ) -> Result<Vec<Option<BeginOutcome>>, LedgerError> {
        let texts = |of: fn(&Self) -> &str| commands.iter().map(|command| Some(of(command))).collect::<Vec<_>>();
        let sealed =
            |of: fn(&Self, &Engine) -> Vec<u8>| commands.iter().map(|command| of(command, engine)).collect::<Vec<_>>();
        let (addons, keys, plans) =
            (texts(|begin| &begin.addon), texts(|begin| &begin.key), texts(|begin| &begin.plan));
        let (hashes, requests) = (sealed(Self::sealed_hash), sealed(Self::sealed_request));
        let jobs: Vec<_> =
            commands.iter().map(|begin| begin.job.as_ref().map(|job| NewJob::new(&begin.addon, job, engine))).collect();
        let job_texts = |of: for<'n> fn(&'n NewJob<'n>) -> Option<&'n str>| {
            jobs.iter().map(|job| job.as_ref().and_then(of)).collect::<Vec<_>>()
        };
        let job_numbers =
            |of: fn(&NewJob<'_>) -> i64| jobs.iter().map(|job| job.as_ref().map_or(0, of)).collect::<Vec<_>>();
        let payloads: Vec<_> =
            jobs.iter().map(|job| job.as_ref().map_or(Vec::new(), |job| job.payload.clone())).collect();
        let (kinds, names) = (job_texts(|job| Some(job.kind)), job_texts(|job| Some(job.name)));
        let resources = job_texts(|job| job.resource.as_deref());
        // 0 stands for no deadline
        let (delays, deadlines) = (job_numbers(|job| job.delay), job_numbers(|job| job.deadline.unwrap_or(0)));
        let begin = "SELECT * FROM maitre_begin_provisions_v2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     {clock_offset})";
        let values = values![
            &addons[..],
            &keys[..],
            &plans[..],
            &hashes[..],
            &requests[..],
            &kinds[..],
            &names[..],
            &resources[..],
            &payloads[..],
            &delays[..],
            &deadlines[..],
            &engine.owner,
            engine.limits.lease,
        ];
        let mut outcomes: Vec<_> = commands.iter().map(|_| None).collect();
        for row in db.rows(begin, values).await? {
            let index = usize::try_from(row.number("place")? - 1).unwrap_or(usize::MAX);
            let (Some(command), Some(outcome)) = (commands.get(index), outcomes.get_mut(index)) else { continue };
            *outcome = command.outcome(engine, &row)?;
        }
        Ok(outcomes)
    }
}

impl BeginProvision {
    fn outcome(&self, engine: &Engine, row: &Row) -> Result<Option<BeginOutcome>, LedgerError> {
        let resource = Resource::read(row)?;
        let Some(operation) = row.optional_number("operation")? else {
            // a repeated provision may bring another job
            return if self.job.is_some() { Ok(None) } else { self.outcome_without_lock(engine, resource) };
        };
        Ok(Some(BeginOutcome::Run(Lease {
            operation,
            resource: resource.id,
            fence: resource.fence,
            addon: resource.addon,
            key: resource.key,
            kind: OperationKind::Provision,
            plan: resource.plan,
            asks: false,
            keyed: true,
            binding: None,
            trace: None, // set when it runs
        })))
    }

    /// Returns the outcome for an existing resource if it needs no lock.
    fn outcome_without_lock(&self, engine: &Engine, resource: Resource) -> Result<Option<BeginOutcome>, LedgerError> {
        Ok(match self.decide(engine, &resource)? {
            Decision::Join | Decision::Run => None,
            Decision::Replay => Some(BeginOutcome::Replay(resource)),
            Decision::Fail(kind) => Some(BeginOutcome::Fail(kind)),
            Decision::Ask | Decision::Enqueue | Decision::Unchanged => {
                Some(BeginOutcome::Fail(FailureKind::Unavailable))
            }
        })
    }
}

impl BatchCommand<Engine> for Complete {
    type Key = (String, String);

    fn key(&self) -> (String, String) {
        (self.lease.addon.clone(), self.lease.key.clone())
    }

    fn is_batchable(&self) -> bool {
        let is_provisioned = matches!(self.reply, StoredReply::Provisioned { .. });
        self.lease.kind == OperationKind::Provision && is_provisioned && !self.notified
    }

    async fn apply_batch(
        commands: &[&Self],
        _: &Engine,
        db: &mut Connection<'_>,
    ) -> Result<Vec<Option<Recorded>>, LedgerError> {
        let leases: Vec<_> = commands.iter().map(|command| &command.lease).collect();
        let numbers = |of: fn(&Lease) -> i64| leases.iter().map(|lease| of(lease)).collect::<Vec<_>>();
        let resources = numbers(|lease| lease.resource);
        let (operations, fences) = (numbers(|lease| lease.operation), numbers(|lease| lease.fence));
        let provider_ids: Vec<_> = commands.iter().map(|command| command.provider_id()).collect();
        let plans: Vec<_> = leases.iter().map(|lease| lease.plan.as_deref()).collect();
        let replies: Vec<_> = commands.iter().map(|command| command.sealed.clone()).collect();
        let end = "SELECT maitre_complete_provisions_v2($1, $2, $3, $4, $5, $6, {clock_offset}) AS operation";
        let values = values![&resources[..], &operations[..], &fences[..], &provider_ids[..], &plans[..], &replies[..]];
        let rows = db.rows(end, values).await?;
        let completed = rows.iter().map(|row| row.number("operation")).collect::<Result<Vec<_>, _>>()?;
        Ok(operations.iter().map(|operation| completed.contains(operation).then_some(Recorded::Written)).collect())
    }
}

impl BatchCommand<Engine> for MarkAccepted {
    type Key = i64;

    fn key(&self) -> i64 {
        self.operation
    }

    async fn apply_batch(
        commands: &[&Self],
        engine: &Engine,
        db: &mut Connection<'_>,
    ) -> Result<Vec<Option<AcceptOutcome>>, LedgerError> {
        let operations: Vec<_> = commands.iter().map(|command| command.operation).collect();
        let deadlines: Vec<_> = commands.iter().map(|command| command.deadline).collect();
        let accept = "SELECT * FROM maitre_accept_operations_v2($1, $2, {clock_offset})";
        let mut outcomes: Vec<_> = commands.iter().map(|_| None).collect();
        for row in db.rows(accept, values![&operations[..], &deadlines[..]]).await? {
            let operation = row.number("operation")?;
            let index = operations.iter().position(|marked| *marked == operation);
            let Some(outcome) = index.and_then(|index| outcomes.get_mut(index)) else { continue };
            let (addon, key, progress) = (row.text("addon")?, row.text("key")?, row.optional_bytes("progress")?);
            *outcome = Some(engine.pending(&addon, &key, progress.as_deref())?);
        }
        Ok(outcomes)
    }
}
