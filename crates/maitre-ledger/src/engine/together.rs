//! On Postgres, provisions that are begun or ended at the same time are one round trip and one commit, and so are callers
//! who are let go at the same time.
//!
//! What these statements do is what the commands do one by one, as far as a provision meets nobody else's work; all that
//! needs a decision under a lock is left to the command itself.

use super::errand::Noted;
use super::records::{Kind, Resource};
use super::{Accept, Accepted, AskProvision, Begun, Engine, Finish, Finished, Lease};
use crate::db::{Command, Connection, Row, values};
use crate::error::LedgerError;
use crate::stored::StoredReply;

/// A command that can be done together with others of its kind.
pub(crate) trait Together: Command {
    /// What it is about. Two about the same do not go together, and they go in this order, so that two processes never
    /// wait for each other.
    type About: Ord + Send;

    fn about(&self) -> Self::About;

    /// Whether it may go with others at all.
    fn fits(&self) -> bool {
        true
    }

    /// The outcomes, in the order of the commands; none for what has to be done alone.
    fn apply_all(
        commands: &[&Self],
        engine: &Engine,
        on: &mut Connection<'_>,
    ) -> impl Future<Output = Result<Vec<Option<Self::Outcome>>, LedgerError>> + Send;
}

impl Together for AskProvision {
    type About = (String, String);

    fn about(&self) -> (String, String) {
        (self.addon.clone(), self.key.clone())
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
        let noted: Vec<_> = commands
            .iter()
            .map(|ask| ask.errand.as_ref().map(|errand| Noted::of(&ask.addon, errand, engine)))
            .collect();
        let texts = |of: for<'n> fn(&'n Noted<'n>) -> Option<&'n str>| {
            noted.iter().map(|errand| errand.as_ref().and_then(of)).collect::<Vec<_>>()
        };
        let numbers =
            |of: fn(&Noted<'_>) -> i64| noted.iter().map(|errand| errand.as_ref().map_or(0, of)).collect::<Vec<_>>();
        let payloads: Vec<_> =
            noted.iter().map(|errand| errand.as_ref().map_or(Vec::new(), |it| it.payload.clone())).collect();
        let (kinds, names) = (texts(|errand| Some(errand.kind)), texts(|errand| Some(errand.name)));
        let about = texts(|errand| errand.resource.as_deref());
        // no errand ended in 1970
        let (afters, ends) = (numbers(|errand| errand.after), numbers(|errand| errand.ends_at.unwrap_or(0)));
        let begin = "SELECT * FROM maitre_begin_provisions_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     {clock_offset})";
        let values = values![
            &addons[..],
            &keys[..],
            &plans[..],
            &askeds[..],
            &requests[..],
            &kinds[..],
            &names[..],
            &about[..],
            &payloads[..],
            &afters[..],
            &ends[..],
            &engine.owner,
            engine.limits.lease,
        ];
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
        let Some(operation) = row.maybe_number("operation")? else {
            // another order of what is known may bring another errand
            return if self.errand.is_some() { Ok(None) } else { self.known(engine, resource) };
        };
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
    type About = (String, String);

    fn about(&self) -> (String, String) {
        (self.lease.addon.clone(), self.lease.key.clone())
    }

    fn fits(&self) -> bool {
        !self.was_told() && matches!((self.lease.kind, &self.reply), (Kind::Provision, StoredReply::Provisioned { .. }))
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
        let end = "SELECT maitre_end_provisions_v1($1, $2, $3, $4, $5, $6, {clock_offset}) AS ended";
        let values = values![&resources[..], &operations[..], &fences[..], &provider_ids[..], &plans[..], &replies[..]];
        let ended = on.rows(end, values).await?.iter().map(|row| row.number("ended")).collect::<Result<Vec<_>, _>>()?;
        Ok(operations.iter().map(|operation| ended.contains(operation).then_some(Finished::Written)).collect())
    }
}

impl Together for Accept {
    type About = i64;

    fn about(&self) -> i64 {
        self.operation
    }

    async fn apply_all(
        commands: &[&Self],
        engine: &Engine,
        on: &mut Connection<'_>,
    ) -> Result<Vec<Option<Accepted>>, LedgerError> {
        let operations: Vec<_> = commands.iter().map(|command| command.operation).collect();
        let patiences: Vec<_> = commands.iter().map(|command| command.patience).collect();
        let accept = "SELECT * FROM maitre_accept_operations_v1($1, $2, {clock_offset})";
        let mut outcomes: Vec<_> = commands.iter().map(|_| None).collect();
        for row in on.rows(accept, values![&operations[..], &patiences[..]]).await? {
            let operation = row.number("operation")?;
            let place = operations.iter().position(|asked| *asked == operation);
            let Some(outcome) = place.and_then(|place| outcomes.get_mut(place)) else { continue };
            let (addon, key, progress) = (row.text("addon")?, row.text("key")?, row.maybe_bytes("progress")?);
            *outcome = Some(engine.goes_on(&addon, &key, progress.as_deref())?);
        }
        Ok(outcomes)
    }
}
