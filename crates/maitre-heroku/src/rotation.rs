//! Credential rotation: jobs that run the two steps of [`Rotate`](crate::Rotate).

use std::{sync::Arc, time::Duration};

use maitre_core::{Failure, Job, JobOutcome, ResourceId};
use serde::{Deserialize, Serialize};

use crate::{error::Error, job::JobKind, platform::Platform, rotate::DynRotate};

/// Number of resources that one read of the ledger returns.
const PAGE_SIZE: u32 = 500;

#[derive(Serialize, Deserialize)]
struct RotationPayload {
    round: String,
    step: Step,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Add,
    DropOld,
}

impl RotationPayload {
    fn to_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| Error::Store(error.to_string()))
    }
}

impl Platform {
    /// Enqueues the rotation of one resource's credentials. Returns `false` if this round is already running for the
    /// resource, or completed within the last week.
    ///
    /// A worker [adds](crate::Rotate::add) new credentials and sends them to Heroku in one config change. After the
    /// [overlap](crate::PlatformBuilder::overlap) it [revokes](crate::Rotate::drop_old) the old ones. The worker's
    /// platform needs a [rotation](crate::PlatformBuilder::rotation).
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
    /// # let platform = maitre_heroku::Platform::builder("lantern", client, ledger.store()).build();
    /// let lantern = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21".into();
    /// assert!(platform.rotate(&lantern, "2026-11").await?, "a worker runs the new rotation");
    /// assert!(!platform.rotate(&lantern, "2026-11").await?, "the rotation is already enqueued");
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Store`] if the job cannot be stored.
    pub async fn rotate(&self, resource: &ResourceId, round: &str) -> Result<bool, Error> {
        self.enqueue_rotation(resource, round, Duration::ZERO).await
    }

    /// Enqueues the rotation of all provisioned resources, with this interval between them, because each change restarts
    /// the apps of one customer. Returns the number of rotations that were added.
    ///
    /// Calling it again with the same round adds the resources that were provisioned since.
    ///
    /// ```
    /// # async fn run(platform: maitre_heroku::Platform) -> Result<(), maitre_heroku::Error> {
    /// // a thousand customers in about eight hours
    /// let added = platform.rotate_all("2026-11", std::time::Duration::from_secs(30)).await?;
    /// println!("rotating the credentials of {added} resources");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Store`] if the ledger cannot be read or written. Rotations that were enqueued before the error
    /// run; call it again for the remaining resources.
    pub async fn rotate_all(&self, round: &str, interval: Duration) -> Result<u32, Error> {
        let (mut after, mut added): (Option<String>, u32) = (None, 0);
        loop {
            let page = self.0.store.resources(&self.0.addon, after.as_deref(), PAGE_SIZE).await;
            let page = page.map_err(|failure| Error::store(&failure))?;
            let Some(last) = page.last() else { return Ok(added) };
            after = Some(last.resource.as_str().to_owned());
            for summary in page.iter().filter(|summary| summary.lives) {
                if self.enqueue_rotation(&summary.resource, round, interval.saturating_mul(added)).await? {
                    added += 1;
                }
            }
        }
    }

    async fn enqueue_rotation(&self, resource: &ResourceId, round: &str, delay: Duration) -> Result<bool, Error> {
        let payload = RotationPayload { round: round.to_owned(), step: Step::Add }.to_json()?;
        let job = Job::new(JobKind::Rotation.as_str(), format!("{round}:{resource}"), payload);
        let job = job.with_resource(resource.clone()).with_delay(delay);
        self.0.store.enqueue(&self.0.addon, job).await.map_err(|failure| Error::store(&failure))
    }

    pub(crate) async fn run_rotation_step(
        &self,
        resource: &ResourceId,
        payload: &[u8],
    ) -> maitre_core::Result<JobOutcome> {
        let rotation: Arc<dyn DynRotate> = self.0.rotation.clone().ok_or_else(|| {
            Failure::unavailable("no credential rotation configured: call rotation() on the platform's builder")
        })?;
        let RotationPayload { round, step } = serde_json::from_slice(payload)?;
        match step {
            Step::Add => {
                let config = rotation.add(resource.clone(), &round).await?;
                self.set_config(resource, &config).await.map_err(Error::into_failure)?;
                self.0.store.update_config(&self.0.addon, resource, &config).await?;
                Ok(JobOutcome::Snooze(self.0.overlap, RotationPayload { round, step: Step::DropOld }.to_json()?))
            }
            Step::DropOld => rotation.drop_old(resource.clone(), &round).await.map(|()| JobOutcome::Complete),
        }
    }
}
