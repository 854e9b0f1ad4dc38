//! What is not done in time, and goes on: the marketplace is told so, and told again when it is done.

use super::Engine;
use super::lease::Lease;
use super::records::{Resource, place};
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;
use crate::stored::{StoredKind, StoredReply};

/// Lets an operation's caller go with "accepted". From here on its end is told to the marketplace.
pub(crate) struct Accept {
    pub(crate) operation: i64,
    /// How long the marketplace waits to be told.
    pub(crate) patience: Milliseconds,
}

pub(crate) enum Accepted {
    /// It goes on; what the listener said last of how far it is.
    GoesOn(Option<String>),
    /// It has ended meanwhile.
    Ended(StoredReply),
    /// It was parked: a person has to look at it.
    Parked,
}

impl Command for Accept {
    type Outcome = Accepted;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Accepted, LedgerError> {
        let resource = Resource::of_operation(on, self.operation).await?;
        let accept = "UPDATE maitre_operations SET accepted_at = COALESCE(accepted_at, {now}), last_requested_at = {now},
             completion_deadline = COALESCE(completion_deadline, {now} + $2) WHERE id = $1 AND state = 'open' RETURNING progress";
        if let Some(row) = on.maybe_row(accept, values![self.operation, self.patience]).await? {
            return engine.goes_on(&resource.addon, &resource.key, row.maybe_bytes("progress")?.as_deref());
        }
        let look = "SELECT state, reply FROM maitre_operations WHERE id = $1";
        let row = on.row(look, values![self.operation]).await?;
        match row.text("state")?.as_str() {
            "parked" => Ok(Accepted::Parked),
            _ => engine.reply_of_operation(&resource, row.maybe_bytes("reply")?).map(Accepted::Ended),
        }
    }
}

/// How far it is, in the listener's words.
pub(crate) struct Say {
    pub(crate) lease: Lease,
    pub(crate) sentence: String,
}

impl Command for Say {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Self { lease, sentence } = self;
        let sealed = engine.keys.seal(&place(&lease.addon, &lease.key, "progress"), sentence.as_bytes());
        let say = "UPDATE maitre_operations SET progress = $3 WHERE id = $1 AND fence = $2 AND state = 'open'";
        Ok(on.run(say, values![lease.operation, lease.fence, &sealed]).await? == 1)
    }
}

impl Engine {
    /// With what the listener said last, sealed as it was written down.
    pub(super) fn goes_on(&self, addon: &str, key: &str, said: Option<&[u8]>) -> Result<Accepted, LedgerError> {
        let said = said.map(|sealed| self.keys.open(&place(addon, key, "progress"), sealed)).transpose()?;
        Ok(Accepted::GoesOn(said.map(|text| String::from_utf8_lossy(&text).into_owned())))
    }

    /// An operation's own answer, or its resource's.
    pub(super) fn reply_of_operation(
        &self,
        resource: &Resource,
        own: Option<Vec<u8>>,
    ) -> Result<StoredReply, LedgerError> {
        match own {
            Some(sealed) => self.open_reply(&resource.addon, &resource.key, &sealed),
            // a provision's answer stands in its resource, for as long as that lives
            None if resource.reply.is_some() => self.reply_of(resource),
            None => Ok(StoredReply::Failed { kind: StoredKind::Gone, message: None }),
        }
    }
}

/// The work is done, and the marketplace is to be told: the same lease goes on with that.
pub(super) async fn tell(on: &mut Connection<'_>, lease: &Lease, sealed_reply: &[u8]) -> Result<(), LedgerError> {
    let tell =
        "UPDATE maitre_operations SET notifying = TRUE, reply = $2, request = NULL, last_error = NULL, attempt = 1,
         scheduled_at = {now} WHERE id = $1";
    on.run(tell, values![lease.operation, sealed_reply]).await.map(drop)
}

/// Says who waits for an hour, for half of the time, and for nearly all of it: at 1, 6 and 11 of Heroku's 12 hours.
pub(super) async fn raise_alarms(on: &mut Connection<'_>) -> Result<(), LedgerError> {
    for (alarm, twelfths) in [(1, 1), (2, 6), (3, 11)] {
        let late = "SELECT o.id AS id, o.kind AS kind, r.key AS key, r.addon AS addon,
             (completion_deadline - {now}) / 1000 AS seconds_left
             FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource
             WHERE o.state = 'open' AND o.completion_deadline IS NOT NULL AND o.alarm_level < $1
               AND {now} - o.accepted_at >= (o.completion_deadline - o.accepted_at) * $2 / 12 LIMIT 100 {skip_locked}";
        for row in on.rows(late, values![alarm, twelfths]).await? {
            let (key, addon, kind) = (row.text("key")?, row.text("addon")?, row.text("kind")?);
            tracing::error!(
                resource = key,
                addon,
                seconds_left = row.number("seconds_left")?,
                "a {kind} was accepted long ago and is not done: the marketplace will give it up"
            );
            crate::observe::late(&addon, &kind);
            let raised = "UPDATE maitre_operations SET alarm_level = $2 WHERE id = $1";
            on.run(raised, values![row.number("id")?, alarm]).await?;
        }
    }
    Ok(())
}
