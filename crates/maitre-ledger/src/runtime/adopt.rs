//! `Ledger::adopt`: existing resources in bulk.

use std::collections::HashMap;

use maitre_core::AddonId;

use super::ledger::Ledger;
use crate::engine::{Adopt, AdoptMode, AdoptReport, Adopted, Adoption, Contradiction, ContradictionKind, RaiseFences};
use crate::error::LedgerError;

/// Resources per transaction.
const BATCH: usize = 250;

impl Ledger {
    /// Adopts resources that the ledger did not provision: those that were sold before the ledger was there, or lost in a
    /// restore from a backup. Later requests are answered as for any other resource.
    ///
    /// It can be repeated after an interruption: a resource that the ledger knows with the same values is unchanged. One that
    /// contradicts the ledger is not adopted, and is listed in the report. It can run beside other work.
    ///
    /// ```
    /// use maitre_core::AddonId;
    /// use maitre_ledger::{Adoption, Ledger};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-adopt-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let url = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # Ledger::migrate(&url).await?;
    /// let ledger = Ledger::open(&url).await?;
    /// let lantern = Adoption::new(AddonId::new("heroku", "lantern"), "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", "basic")
    ///     .with_provider_id("641")
    ///     .with_config([("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4")]);
    /// assert_eq!(ledger.adopt_dry_run([lantern.clone()]).await?.adopted, 1);
    /// assert_eq!(ledger.adopt([lantern.clone()]).await?.adopted, 1);
    /// assert_eq!(ledger.adopt([lantern]).await?.unchanged, 1);
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the database fails. The batches before it are adopted.
    pub async fn adopt(
        &self,
        resources: impl IntoIterator<Item = Adoption, IntoIter: Send>,
    ) -> Result<AdoptReport, LedgerError> {
        self.adopt_all(resources.into_iter(), AdoptMode::Write).await
    }

    /// Returns the report that [`Ledger::adopt`] would return now, and changes nothing.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn adopt_dry_run(
        &self,
        resources: impl IntoIterator<Item = Adoption, IntoIter: Send>,
    ) -> Result<AdoptReport, LedgerError> {
        self.adopt_all(resources.into_iter(), AdoptMode::DryRun).await
    }

    /// Raises the fencing tokens of all resources above those that were handed out before the database was restored from a
    /// backup, and returns their number. Run it after a restore, before the add-on is called: the vendor's tables may have
    /// seen higher tokens than the backup.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn raise_fences(&self) -> Result<u64, LedgerError> {
        let (mut raised, mut next) = (0, Some(0));
        while let Some(after) = next {
            let count;
            (count, next) = self.inner.db.write(RaiseFences { after }).await?;
            raised += count;
        }
        Ok(raised)
    }

    pub(super) async fn adopt_all(
        &self,
        resources: impl Iterator<Item = Adoption> + Send,
        mode: AdoptMode,
    ) -> Result<AdoptReport, LedgerError> {
        let mut report = AdoptReport::default();
        let mut import = Import::default();
        let mut batch = Vec::with_capacity(BATCH);
        for (index, adoption) in resources.enumerate() {
            let position = index + 1;
            match import.check(position, &adoption) {
                Ok(true) => batch.push((position, adoption)),
                Ok(false) => report.unchanged += 1,
                Err(kind) => report.contradictions.push(contradiction(position, &adoption, kind)),
            }
            if batch.len() == BATCH {
                self.adopt_batch(std::mem::take(&mut batch), &mode, &mut report).await?;
            }
        }
        self.adopt_batch(batch, &mode, &mut report).await?;
        report.contradictions.sort_by_key(|contradiction| contradiction.position);
        Ok(report)
    }

    async fn adopt_batch(
        &self,
        mut batch: Vec<(usize, Adoption)>,
        mode: &AdoptMode,
        report: &mut AdoptReport,
    ) -> Result<(), LedgerError> {
        if batch.is_empty() {
            return Ok(());
        }
        batch.sort_by(|(_, one), (_, next)| (one.addon(), one.key()).cmp(&(next.addon(), next.key())));
        let resources = batch.iter().map(|(_, adoption)| adoption.clone()).collect();
        let command = Adopt { resources, mode: mode.clone() };
        let db = &self.inner.db;
        let outcomes = if mode.is_dry_run() { db.read(command).await? } else { db.write(command).await? };
        for ((position, adoption), outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                Adopted::New => report.adopted += 1,
                Adopted::Unchanged => report.unchanged += 1,
                Adopted::Contradicts(kind) => {
                    report.contradictions.push(contradiction(position, &adoption, kind));
                }
            }
        }
        Ok(())
    }
}

fn contradiction(position: usize, adoption: &Adoption, kind: ContradictionKind) -> Contradiction {
    Contradiction { position, addon: adoption.addon().clone(), key: adoption.key().to_owned(), kind }
}

/// Ids of an import, to find resources that contradict each other.
#[derive(Default)]
struct Import {
    /// Position and digest of the resource with this key.
    keys: HashMap<(AddonId, String), (usize, [u8; 32])>,
    /// Key of the resource with this provider id.
    provider_ids: HashMap<(AddonId, String), String>,
}

impl Import {
    /// Returns whether the resource is new in this import; `false` if it is repeated.
    fn check(&mut self, position: usize, adoption: &Adoption) -> Result<bool, ContradictionKind> {
        if let Some(value) = adoption.invalid() {
            return Err(ContradictionKind::Invalid(value));
        }
        let (id, digest) = ((adoption.addon().clone(), adoption.key().to_owned()), adoption.digest());
        if let Some((first, known)) = self.keys.get(&id) {
            return if *known == digest { Ok(false) } else { Err(ContradictionKind::Duplicate(*first)) };
        }
        if let Some(key) = self.provider_ids.get(&id) {
            return Err(ContradictionKind::IdTaken(key.clone()));
        }
        if let Some(own_id) = adoption.own_id() {
            let own = (adoption.addon().clone(), own_id.to_owned());
            if self.keys.contains_key(&own) {
                return Err(ContradictionKind::IdTaken(own_id.to_owned()));
            }
            if let Some(key) = self.provider_ids.get(&own) {
                return Err(ContradictionKind::IdTaken(key.clone()));
            }
            self.provider_ids.insert(own, adoption.key().to_owned());
        }
        self.keys.insert(id, (position, digest));
        Ok(true)
    }
}
