use std::{sync::Arc, time::Duration};

use maitre_core::{BoxFuture, ConfigVars, Failure, Job, JobOutcome, ResourceId, Result};
use serde::{Deserialize, Serialize};

use crate::{Error, Platform};

/// What an errand to change credentials is called.
pub(crate) const ROTATION: &str = "rotation";

/// How many resources are read at once.
const PAGE: u32 = 500;

/// How a vendor changes the credentials of one resource, in two steps with hours between them (Heroku's article on
/// credential rolls).
///
/// Each step may be run again with the same arguments, after a crash, and must then end in the same state. A round is the
/// vendor's own name for one change, such as `2026-11`.
///
/// ```
/// use maitre_core::{ConfigVars, ResourceId, Result};
/// use maitre_heroku::Rotate;
///
/// struct Passwords;
///
/// impl Rotate for Passwords {
///     async fn add(&self, resource: ResourceId, round: &str) -> maitre_core::Result<ConfigVars> {
///         // create-or-get by resource and round, beside the old one
///         let mut config = ConfigVars::default();
///         config.set("LANTERN_URL", format!("https://u4:pw-of-{round}@lantern.example/{resource}"));
///         Ok(config)
///     }
///     async fn drop_old(&self, resource: ResourceId, round: &str) -> maitre_core::Result<()> {
///         println!("only the credentials of {round} open {resource} now");
///         Ok(())
///     }
/// }
/// # let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let config = rt.block_on(Passwords.add("7b0c".into(), "2026-11")).unwrap();
/// # assert_eq!(config.iter().len(), 1);
/// # assert!(rt.block_on(Passwords.drop_old("7b0c".into(), "2026-11")).is_ok());
/// ```
pub trait Rotate: Send + Sync + 'static {
    /// Makes new credentials beside the old ones, which stay good, and says the config vars that hold them: the same for
    /// the same round.
    fn add(&self, resource: ResourceId, round: &str) -> impl Future<Output = maitre_core::Result<ConfigVars>> + Send;

    /// Ends all credentials but those of this round.
    fn drop_old(&self, resource: ResourceId, round: &str) -> impl Future<Output = maitre_core::Result<()>> + Send;
}

/// [`Rotate`] behind a pointer.
pub(crate) trait DynRotate: Send + Sync {
    fn add<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<ConfigVars>>;
    fn drop_old<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<()>>;
}

impl<R: Rotate> DynRotate for R {
    fn add<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<ConfigVars>> {
        Box::pin(Rotate::add(self, resource, round))
    }
    fn drop_old<'a>(&'a self, resource: ResourceId, round: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(Rotate::drop_old(self, resource, round))
    }
}

#[derive(Serialize, Deserialize)]
struct Progress {
    round: String,
    step: Step,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Add,
    DropOld,
}

impl Progress {
    fn written(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| Error::Records(error.to_string()))
    }
}

impl Platform {
    /// Changes the credentials of one resource, by a worker: new ones are [added](Rotate::add) and told to Heroku in one
    /// change of the config, and after the [overlap](Self::overlap) the old ones are [dropped](Rotate::drop_old). It takes
    /// [`rotates_by`](Self::rotates_by). Says no where this round is under way already, or was done in the last week.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-rotate-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// # let client = maitre_heroku::Client::builder("client secret").build()?;
    /// # let platform = maitre_heroku::Platform::new("lantern", client, ledger.store());
    /// let lantern = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21".into();
    /// assert!(platform.rotate(&lantern, "2026-11").await?, "a worker does it");
    /// assert!(!platform.rotate(&lantern, "2026-11").await?, "it is the same one");
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Records`].
    pub async fn rotate(&self, resource: &ResourceId, round: &str) -> Result<bool, Error> {
        self.rotate_after(resource, round, Duration::ZERO).await
    }

    /// Changes the credentials of all resources that are there, one after the other with this pause between them, as each
    /// change restarts the apps of one customer. Says of how many; asked again, it adds those that are new since.
    ///
    /// ```
    /// # async fn run(platform: maitre_heroku::Platform) -> Result<(), maitre_heroku::Error> {
    /// // a thousand customers in about eight hours
    /// let begun = platform.rotate_all("2026-11", std::time::Duration::from_secs(30)).await?;
    /// println!("{begun} are being changed");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Records`]. What was written down until then goes on; ask again for the rest.
    pub async fn rotate_all(&self, round: &str, pause: Duration) -> Result<u32, Error> {
        let (mut last, mut begun): (Option<String>, u32) = (None, 0);
        loop {
            let page = self.0.records.resources(&self.0.addon, last.as_deref(), PAGE).await;
            let page = page.map_err(|failure| Error::records(&failure))?;
            let Some(end) = page.last() else { return Ok(begun) };
            last = Some(end.resource.as_str().to_owned());
            for known in page.iter().filter(|known| known.lives) {
                if self.rotate_after(&known.resource, round, pause.saturating_mul(begun)).await? {
                    begun += 1;
                }
            }
        }
    }

    async fn rotate_after(&self, resource: &ResourceId, round: &str, rest: Duration) -> Result<bool, Error> {
        let payload = Progress { round: round.to_owned(), step: Step::Add }.written()?;
        let errand =
            Job::new(ROTATION, format!("{round}:{resource}"), payload).with_resource(resource.clone()).with_delay(rest);
        self.0.records.enqueue(&self.0.addon, errand).await.map_err(|failure| Error::records(&failure))
    }

    pub(crate) async fn rotation_step(&self, resource: &ResourceId, payload: &[u8]) -> maitre_core::Result<JobOutcome> {
        let rotate: Arc<dyn DynRotate> = self.0.rotate.clone().ok_or_else(|| {
            Failure::unavailable("nobody here rotates credentials: give the platform of this process rotates_by()")
        })?;
        let Progress { round, step } = serde_json::from_slice(payload)?;
        match step {
            Step::Add => {
                let config = rotate.add(resource.clone(), &round).await?;
                self.set_config(resource, &config).await.map_err(Error::into_failure)?;
                self.0.records.update_config(&self.0.addon, resource, &config).await?;
                Ok(JobOutcome::Snooze(self.0.overlap, Progress { round, step: Step::DropOld }.written()?))
            }
            Step::DropOld => rotate.drop_old(resource.clone(), &round).await.map(|()| JobOutcome::Complete),
        }
    }
}
