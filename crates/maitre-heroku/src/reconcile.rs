use std::{collections::BTreeMap, error, fmt};

use maitre_core::{Backend, Deprovision, FailureKind, ResourceId, ResourceSummary};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{Error, Platform, api::Install};

/// How many resources are read at once.
const PAGE: u32 = 500;

/// How far apart two sightings must be to act on what both of them saw.
const APART: Duration = Duration::hours(24);

/// What was different between the ledger and Heroku's list of installs at one time. Keep it as JSON, and compare it with
/// one that is a day younger.
///
/// ```
/// use maitre_heroku::Sighting;
///
/// let json = r#"{"seen_at":"2026-03-04T05:06:07Z","unknown_here":[],"unknown_there":[{"uuid":"7b0c","plan":"basic"}],"other_plan":[]}"#;
/// let sighting: Sighting = serde_json::from_str(json)?;
/// assert_eq!(serde_json::to_string(&sighting)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sighting {
    /// When it was looked at.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
    /// Heroku bills them, and there is nothing here: their provision was lost, or removed here alone.
    pub unknown_here: Vec<Difference>,
    /// They are here, and Heroku does not bill them: their removal never arrived.
    pub unknown_there: Vec<Difference>,
    /// They have another plan at Heroku than the [`plan`](Difference::plan) here.
    pub other_plan: Vec<Difference>,
}

/// A resource that only one side has, or that is another one there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// Heroku's id of it: the resource's key.
    pub uuid: String,
    /// Its plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Its plan at Heroku, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_there: Option<String>,
}

/// What [`Platform::settle`] did about a resource, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// It would be removed here.
    WouldRemove(String),
    /// It was removed here.
    Removed(String),
    /// It is being removed here; the cause why it is not done.
    Removing(String, String),
}

/// The two sightings are not 24 h apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSoon;

impl fmt::Display for TooSoon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sightings are less than 24 hours apart: what is under way looks like a difference, so wait")
    }
}

impl error::Error for TooSoon {}

impl Sighting {
    /// What an earlier sighting saw as well.
    ///
    /// ```
    /// use maitre_heroku::Sighting;
    ///
    /// let at = |seen_at: &str, uuids: &str| {
    ///     let json = format!(r#"{{"seen_at":"{seen_at}","unknown_here":[],"unknown_there":[{uuids}],"other_plan":[]}}"#);
    ///     serde_json::from_str::<Sighting>(&json)
    /// };
    /// let yesterday = at("2026-03-04T05:06:07Z", r#"{"uuid":"a"},{"uuid":"b"}"#)?;
    /// let today = at("2026-03-05T05:06:07Z", r#"{"uuid":"b"},{"uuid":"c"}"#)?;
    ///
    /// let confirmed = today.confirmed_since(&yesterday)?;
    /// assert_eq!(confirmed.unknown_there.len(), 1);
    /// assert_eq!(confirmed.unknown_there[0].uuid, "b");
    /// assert!(today.confirmed_since(&today).is_err(), "two looks on one day are one");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TooSoon`] where there are less than 24 h between them.
    pub fn confirmed_since(&self, earlier: &Self) -> Result<Self, TooSoon> {
        if self.seen_at - earlier.seen_at < APART {
            return Err(TooSoon);
        }
        let both = |now: &[Difference], then: &[Difference]| -> Vec<Difference> {
            now.iter().filter(|now| then.iter().any(|then| then.uuid == now.uuid)).cloned().collect()
        };
        Ok(Self {
            seen_at: self.seen_at,
            unknown_here: both(&self.unknown_here, &earlier.unknown_here),
            unknown_there: both(&self.unknown_there, &earlier.unknown_there),
            other_plan: both(&self.other_plan, &earlier.other_plan),
        })
    }

    /// Whether the two sides are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unknown_here.is_empty() && self.unknown_there.is_empty() && self.other_plan.is_empty()
    }

    fn new(
        seen_at: OffsetDateTime,
        here: &BTreeMap<String, ResourceSummary>,
        there: &BTreeMap<String, Install>,
    ) -> Self {
        let is_here = |uuid: &String| here.get(uuid).is_some_and(|known| !known.removed);
        let difference = |uuid: &str, plan: &Option<String>| Difference {
            uuid: uuid.to_owned(),
            plan: plan.clone(),
            plan_there: None,
        };
        let billed_alone = there.iter().filter(|(uuid, _)| !is_here(uuid));
        let living_alone = here.iter().filter(|(uuid, known)| known.lives && !there.contains_key(*uuid));
        let other_plan = here.iter().filter(|(_, known)| known.lives).filter_map(|(uuid, known)| {
            let plan = there.get(uuid)?.plan.as_deref()?;
            let plan = plan.split_once(':').map_or(plan, |(_, bare)| bare);
            let mut other = difference(uuid, &known.plan);
            other.plan_there = Some(plan.to_owned());
            (known.plan.as_deref() != Some(plan)).then_some(other)
        });
        Self {
            seen_at,
            unknown_here: billed_alone.map(|(uuid, install)| difference(uuid, &install.plan)).collect(),
            unknown_there: living_alone.map(|(uuid, known)| difference(uuid, &known.plan)).collect(),
            other_plan: other_plan.collect(),
        }
    }
}

impl Platform {
    /// Compares the ledger with Heroku's list of installs, and changes nothing. It takes the [password](Self::password).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-sighting-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// # let heroku = maitre_testkit::platform::Platform::new("lantern", "s3cr3t-example", "client secret");
    /// # let api = heroku.serve().await?;
    /// # let client = maitre_heroku::Client::builder("client secret").base_url(api.url()).build()?;
    /// # let platform = maitre_heroku::Platform::new("lantern", client, ledger.store());
    /// # let install = heroku.install("basic");
    /// let platform = platform.password("s3cr3t-example");
    /// let today = platform.sighting().await?;
    /// assert_eq!(today.unknown_here[0].uuid, install.uuid(), "a customer has it, and no order came here");
    /// let kept = serde_json::to_string(&today)?; // until tomorrow
    /// # drop(kept);
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoPassword`], and what befalls the list or the records.
    pub async fn sighting(&self) -> Result<Sighting, Error> {
        let password = self.needs_password()?;
        let (mut here, mut last): (BTreeMap<_, _>, Option<String>) = (BTreeMap::new(), None);
        loop {
            let page = self.0.records.resources(&self.0.addon, last.as_deref(), PAGE).await;
            let page = page.map_err(|failure| Error::records(&failure))?;
            let Some(end) = page.last() else { break };
            last = Some(end.resource.as_str().to_owned());
            here.extend(page.into_iter().map(|known| (known.resource.as_str().to_owned(), known)));
        }
        let there = self.0.client.installs(self.0.addon.slug(), password).all().await?;
        let there = there.into_iter().map(|install| (install.uuid.clone(), install)).collect();
        Ok(Sighting::new(self.now(), &here, &there))
    }

    /// Removes here what a [confirmed](Sighting::confirmed_since) sighting says that Heroku does not bill: as a removal that
    /// Heroku had asked for, by the add-on's own listener. Without `for_real` it says what it would do.
    ///
    /// What is unknown here it leaves alone: without a grant nothing can be made of it, and only its customer or Heroku's
    /// support can remove it.
    ///
    /// ```
    /// # use std::error::Error;
    /// # use maitre_core::Backend;
    /// # use maitre_heroku::{Platform, Sighting};
    /// # async fn run(platform: Platform, addon: impl Backend, yesterday: Sighting) -> Result<(), Box<dyn Error>> {
    /// let confirmed = platform.sighting().await?.confirmed_since(&yesterday)?;
    /// for would in platform.settle(&confirmed, &addon, false).await {
    ///     println!("{would:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn settle(&self, confirmed: &Sighting, listener: &impl Backend, for_real: bool) -> Vec<Settled> {
        let mut settled = Vec::with_capacity(confirmed.unknown_there.len());
        for Difference { uuid, .. } in &confirmed.unknown_there {
            settled.push(if for_real { self.remove(uuid, listener).await } else { Settled::WouldRemove(uuid.clone()) });
        }
        settled
    }

    async fn remove(&self, uuid: &str, listener: &impl Backend) -> Settled {
        let request = Deprovision::new(self.0.addon.clone(), ResourceId::from(uuid));
        match listener.deprovision(request).await {
            Ok(_) => Settled::Removed(uuid.to_owned()),
            Err(failure) if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) => {
                Settled::Removed(uuid.to_owned())
            }
            Err(failure) => {
                let cause = failure.cause().unwrap_or_else(|| format!("{:?}", failure.kind()));
                Settled::Removing(uuid.to_owned(), cause)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn sighting(seen_at: OffsetDateTime, unknown_there: &[&str]) -> Sighting {
        let unknown_there = unknown_there
            .iter()
            .map(|uuid| Difference { uuid: (*uuid).to_owned(), plan: None, plan_there: None })
            .collect();
        Sighting { seen_at, unknown_here: Vec::new(), unknown_there, other_plan: Vec::new() }
    }

    #[test]
    fn what_was_seen_twice_a_day_apart_is_confirmed() {
        let first = sighting(datetime!(2026-03-04 05:06:07 UTC), &["a", "b"]);
        let second = sighting(datetime!(2026-03-05 05:06:07 UTC), &["b", "c"]);
        assert_eq!(second.confirmed_since(&first).unwrap().unknown_there, second.unknown_there[..1]);
    }

    #[test]
    fn a_second_less_than_a_day_is_too_soon() {
        let first = sighting(datetime!(2026-03-04 05:06:07 UTC), &["a"]);
        let second = sighting(datetime!(2026-03-05 05:06:06 UTC), &["a"]);
        assert_eq!(second.confirmed_since(&first).unwrap_err(), TooSoon);
        assert_eq!(first.confirmed_since(&second).unwrap_err(), TooSoon);
    }
}
