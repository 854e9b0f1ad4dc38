//! Key file of a SQLite database, beside the database.

use std::io::Write;
use std::path::{Path, PathBuf};

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Generate, Key};

use crate::keys::{KeyError, Keys};

/// Returns the path of the key file beside a database.
fn path_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    PathBuf::from(path)
}

/// Reads the key file beside a database.
pub(crate) fn load(database: &Path) -> Result<Keys, KeyError> {
    let path = path_of(database);
    std::fs::read_to_string(&path).map_err(|error| KeyError::File(path, error))?.trim().parse()
}

/// Reads the key file beside a database. Creates it, readable only by its owner, if it does not exist.
pub(crate) fn load_or_create(database: &Path) -> Result<Keys, KeyError> {
    let path = path_of(database);
    let file_error = |error| KeyError::File(path.clone(), error);
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match create(&path) {
                // created concurrently by another process
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                created => created.map_err(file_error)?,
            }
            tracing::warn!(
                path = %path.display(),
                "created a key file: it decrypts every secret in the database, and no secret can be read without it; \
                 set MAITRE_KEY to keep the key elsewhere"
            );
            std::fs::read_to_string(&path).map_err(file_error)?.trim().parse()
        }
        Err(error) => Err(file_error(error)),
    }
}

/// Writes the key to a temporary file and links it, so that no other process reads a partial key.
fn create(path: &Path) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("key.{}", uuid::Uuid::new_v4().simple()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let key = Key::<XChaCha20Poly1305>::generate();
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(hex::encode(key).as_bytes())?;
        file.sync_all()
    });
    let linked = written.and_then(|()| std::fs::hard_link(&temporary, path));
    let _ = std::fs::remove_file(&temporary);
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_created_once_and_only_for_its_owner() {
        let folder = std::env::temp_dir().join(format!("maitre-keys-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let database = folder.join("maitre.db");
        let sealed = load_or_create(&database).unwrap().seal("", b"secret");
        assert_eq!(load_or_create(&database).unwrap().open("", &sealed).unwrap(), b"secret");
        let file = folder.join("maitre.db.key");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions()) & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
