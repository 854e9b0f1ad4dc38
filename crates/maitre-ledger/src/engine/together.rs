//! On Postgres, provisions that are begun or ended at the same time are one round trip and one commit.
//!
//! What these statements do is what the commands do one by one, as far as a provision meets nobody else's work; all that
//! needs a decision under a lock is left to the command itself.

use super::records::{Kind, Resource};
use super::{AskProvision, Begun, Engine, Finish, Finished, Lease};
use crate::db::{Command, Connection, Row, values};
use crate::error::LedgerError;
use crate::stored::StoredReply;

/// A command that can be done together with others of its kind.
pub(crate) trait Together: Command {
    /// Whether it may go with others at all.
    fn fits(&self) -> bool;

    /// Whom it is about. Two about the same one do not go together, and they go in this order, so that two processes
    /// never wait for each other.
    fn about(&self) -> (&str, &str);

    /// The outcomes, in the order of the commands; none for what has to be done alone.
    fn apply_all(
        commands: &[&Self],
        engine: &Engine,
        on: &mut Connection<'_>,
    ) -> impl Future<Output = Result<Vec<Option<Self::Outcome>>, LedgerError>> + Send;
}

impl Together for AskProvision {
    fn fits(&self) -> bool {
        self.errand.is_none()
    }

    fn about(&self) -> (&str, &str) {
        (&self.addon, &self.key)
    }

    async fn apply_all(
        commands: &[&Self],
        engine: &Engine,
        on: &mut Connection<'_>,
    ) -> Result<Vec<Option<Begun>>, LedgerError> {
        let column = |of: fn(&Self) -> &str| commands.iter().map(|command| Some(of(command))).collect::<Vec<_>>();
        let sealed = |of: fn(&Self, &Engine) -> Vec<u8>| commands.iter().map(|ask| of(ask, engine)).collect::<Vec<_>>();
        let (addons, keys, plans) = (column(|ask| &ask.addon), column(|ask| &ask.key), column(|ask| &ask.plan));
        let (askeds, requests) = (sealed(Self::sealed_asked), sealed(Self::sealed_request));
        let begin = "SELECT * FROM maitre_begin_provisions($1, $2, $3, $4, $5, $6, $7, {turned})";
        let (owner, length) = (&engine.owner, engine.limits.lease);
        let values = values![&addons[..], &keys[..], &plans[..], &askeds[..], &requests[..], owner, length];
        let mut outcomes: Vec<_> = commands.iter().map(|_| None).collect();
        for row in on.rows(begin, values).await? {
            let place = usize::try_from(row.number("place")? - 1).unwrap_or(usize::MAX);
            let (Some(command), Some(outcome)) = (commands.get(place), outcomes.get_mut(place)) else { continue };
            *outcome = command.begun(engine, &row)?;
        }
        Ok(outcomes)
    }
}

impl AskProvision {
    fn begun(&self, engine: &Engine, row: &Row) -> Result<Option<Begun>, LedgerError> {
        let resource = Resource::read(row)?;
        let Some(operation) = row.maybe_number("operation")? else { return self.known(engine, resource) };
        Ok(Some(Begun::Run(Lease {
            operation,
            resource: resource.id,
            fence: resource.fence,
            addon: resource.addon,
            key: resource.key,
            kind: Kind::Provision,
            plan: resource.plan,
        })))
    }
}

impl Together for Finish {
    fn fits(&self) -> bool {
        !self.was_told() && matches!((self.lease.kind, &self.reply), (Kind::Provision, StoredReply::Provisioned { .. }))
    }

    fn about(&self) -> (&str, &str) {
        (&self.lease.addon, &self.lease.key)
    }

    async fn apply_all(
        commands: &[&Self],
        _: &Engine,
        on: &mut Connection<'_>,
    ) -> Result<Vec<Option<Finished>>, LedgerError> {
        let leases: Vec<_> = commands.iter().map(|command| &command.lease).collect();
        let numbers = |of: fn(&Lease) -> i64| leases.iter().map(|lease| of(lease)).collect::<Vec<_>>();
        let resources = numbers(|lease| lease.resource);
        let (operations, fences) = (numbers(|lease| lease.operation), numbers(|lease| lease.fence));
        let provider_ids: Vec<_> = commands.iter().map(|command| command.provider_id()).collect();
        let plans: Vec<_> = leases.iter().map(|lease| lease.plan.as_deref()).collect();
        let replies: Vec<_> = commands.iter().map(|command| command.sealed.clone()).collect();
        let end = "SELECT maitre_end_provisions($1, $2, $3, $4, $5, $6, {turned}) AS ended";
        let values = values![&resources[..], &operations[..], &fences[..], &provider_ids[..], &plans[..], &replies[..]];
        let ended = on.rows(end, values).await?.iter().map(|row| row.number("ended")).collect::<Result<Vec<_>, _>>()?;
        Ok(operations.iter().map(|operation| ended.contains(operation).then_some(Finished::Written)).collect())
    }
}

impl Finish {
    fn provider_id(&self) -> Option<&str> {
        match &self.reply {
            StoredReply::Provisioned { id, own, .. } => Some(own.as_ref().unwrap_or(id)),
            _ => None,
        }
    }
}
