//! Reloading secrets from files, without a restart.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use maitre_core::{Reload, ReloadError};
use time::OffsetDateTime;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Interval of looking at the files. A new content is loaded when it is the same at two looks.
const INTERVAL: Duration = Duration::from_millis(250);

/// Files with secrets, which are read again when they change, and on SIGHUP. Pass it to
/// [`Serve::secret_files`](crate::Serve::secret_files).
///
/// A new secret is in use within a second, and requests in progress are not affected. A secret that is no longer in its file
/// is accepted for the overlap, an hour unless set. If a file is invalid or missing, the secrets in use stay, and an error
/// in the log names the file and the reason. No secret is logged.
///
/// The files are looked at four times a second, so a mounted volume or a renamed file is noticed like a written one.
///
/// ```
/// # use maitre::*;
/// # use maitre_core::doctest::Widgets;
/// # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("maitre-reload-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("addon-manifest.json");
/// # let manifest = |password: &str| format!(r#"{{"id": "lantern", "api": {{"password": "{password}", "sso_salt": "salt"}}}}"#);
/// # std::fs::write(&path, manifest("older"))?;
/// use std::time::Duration;
///
/// let addon = Addon::<Heroku>::from_manifest(&path, Widgets)?;
/// let mut files = SecretFiles::new().with_file(&path, addon.clone()).with_overlap(Duration::from_secs(600));
/// assert_eq!(files.reload_changed()?, 1);
/// assert_eq!(files.reload_changed()?, 0, "nothing has changed");
///
/// std::fs::write(&path, manifest("newer"))?;
/// assert_eq!(files.reload_changed()?, 1, "both passwords are accepted for ten minutes");
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct SecretFiles {
    files: Vec<File>,
    overlap: Duration,
}

impl Default for SecretFiles {
    fn default() -> Self {
        Self { files: Vec::new(), overlap: Duration::from_hours(1) }
    }
}

impl SecretFiles {
    /// Creates an empty set of files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and what it is for, such as an [`Addon`](crate::Addon) with its manifest, or the keys of a ledger with a
    /// file in the format of `MAITRE_KEY`. It is loaded at the first look. A file may be added more than once.
    pub fn with_file(mut self, path: impl AsRef<Path>, target: impl Reload) -> Self {
        let path = path.as_ref().to_owned();
        self.files.push(File { path, target: Arc::new(target), loaded: None, pending: None, unreadable: 0 });
        self
    }

    /// Sets for how long secrets that are no longer in their file are accepted. Defaults to an hour. A secret that was
    /// configured with an end keeps it, and a key of a ledger decrypts until the process ends.
    pub fn with_overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// Reads the files, and loads those that have changed. Returns their number.
    ///
    /// # Errors
    /// Returns the first error; the other files are loaded nevertheless.
    pub fn reload_changed(&mut self) -> Result<usize, ReloadError> {
        self.look(true)
    }

    /// Loads the files that have changed: `immediately`, or if the same new content was seen before.
    fn look(&mut self, immediately: bool) -> Result<usize, ReloadError> {
        let (mut reloaded, mut first) = (0, None);
        for file in &mut self.files {
            match file.look(self.overlap, immediately) {
                Ok(true) => {
                    tracing::info!(path = %file.path.display(), "reloaded secrets");
                    reloaded += 1;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(path = %file.path.display(), %error, "the secrets in use stay");
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(reloaded), Err)
    }

    /// Watches the files until the future is dropped.
    pub(crate) async fn watch(mut self) {
        let mut hangup = Hangup::new();
        let mut immediately = true;
        loop {
            let looked = spawn_blocking(move || {
                let _ = self.look(immediately); // the error is logged
                self
            });
            let Ok(files) = looked.await else {
                tracing::error!("the files of the secrets are no longer watched");
                return;
            };
            self = files;
            immediately = tokio::select! {
                () = hangup.received() => true,
                () = sleep(INTERVAL) => false,
            };
        }
    }
}

impl fmt::Debug for SecretFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.files.iter().map(|file| &file.path).collect();
        f.debug_struct("SecretFiles").field("paths", &paths).finish_non_exhaustive()
    }
}

struct File {
    path: PathBuf,
    target: Arc<dyn Reload>,
    /// Content that was loaded, or could not be loaded.
    loaded: Option<Fingerprint>,
    /// Another content at the last look, which may have been incomplete.
    pending: Option<Fingerprint>,
    /// Number of looks in a row at which the file could not be read.
    unreadable: u32,
}

impl File {
    fn look(&mut self, overlap: Duration, immediately: bool) -> Result<bool, ReloadError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) => {
                self.unreadable = self.unreadable.saturating_add(1);
                // a file that is being replaced may be missing for a moment
                let reported = if immediately { 1 } else { 2 };
                return if self.unreadable == reported { Err(ReloadError::new(error)) } else { Ok(false) };
            }
        };
        self.unreadable = 0;
        let now = Some(Fingerprint::of(&text));
        let last = std::mem::replace(&mut self.pending, now);
        if now == self.loaded || !(immediately || now == last) {
            return Ok(false);
        }
        self.loaded = now;
        self.target.reload(&text, OffsetDateTime::now_utc(), overlap).map(|()| true)
    }
}

/// Hash of a content, so that no copy of a secret is kept.
#[derive(Clone, Copy, PartialEq)]
struct Fingerprint(u64);

impl Fingerprint {
    fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Receiver of SIGHUP, where there is one.
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn received(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
