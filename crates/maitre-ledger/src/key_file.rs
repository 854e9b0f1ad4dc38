//! The key of an embedded database, in a file beside it.

use std::io::Write;
use std::path::{Path, PathBuf};

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Generate, Key};

use crate::seal::{KeyError, Keys};

impl Keys {
    /// The key in a file beside an embedded database; made, for its owner alone, if it is not there.
    pub(crate) fn beside(database: &Path) -> Result<Self, KeyError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".key");
        let path = PathBuf::from(path);
        let wrong = |error| KeyError::File(path.clone(), error);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(text.trim()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                match make(&path) {
                    // another process was quicker
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                    made => made.map_err(wrong)?,
                }
                tracing::warn!(
                    path = %path.display(),
                    "made a key file: whoever has it and the database reads every secret, and without it nobody does; \
                     set MAITRE_KEY to keep the key elsewhere"
                );
                Self::parse(std::fs::read_to_string(&path).map_err(wrong)?.trim())
            }
            Err(error) => Err(wrong(error)),
        }
    }
}

/// Written under another name and linked into place, so that no other process reads half a key.
fn make(path: &Path) -> std::io::Result<()> {
    let draft = path.with_extension(format!("key.{}", uuid::Uuid::new_v4().simple()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let key = Key::<XChaCha20Poly1305>::generate();
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(hex::encode(key).as_bytes())?;
        file.sync_all()
    });
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    let _ = std::fs::remove_file(&draft);
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("maitre-keys-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let database = folder.join("maitre.db");
        let sealed = Keys::beside(&database).unwrap().seal("", b"secret");
        assert_eq!(Keys::beside(&database).unwrap().open("", &sealed).unwrap(), b"secret");
        let file = folder.join("maitre.db.key");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions()) & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
