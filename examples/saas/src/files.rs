//! Settings that are read from files, and whose secrets are reloaded when the files change.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use maitre::{Reload, Secret, SecretFiles};

/// The files that were read, by the setting that names them.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<&'static str, PathBuf>);

impl Files {
    /// Returns the text of the file that a variable names, or the one that is compiled in.
    pub(crate) fn text(&mut self, name: &'static str, compiled_in: &str) -> anyhow::Result<String> {
        match env::var(name) {
            Ok(path) => self.read(name, path),
            Err(_) => Ok(compiled_in.to_owned()),
        }
    }

    /// Returns a secret: from the file that the variable with `_FILE` at its end names, or from the variable. A file may have
    /// several lines, the current secret first.
    pub(crate) fn secret(&mut self, name: &'static str) -> anyhow::Result<Option<Secret>> {
        match env::var(format!("{name}_FILE")) {
            Ok(path) => {
                let text = self.read(name, path)?;
                Ok(Some(text.lines().next().unwrap_or_default().trim().into()))
            }
            Err(_) => Ok(env::var(name).ok().map(Secret::from)),
        }
    }

    fn read(&mut self, name: &'static str, path: String) -> anyhow::Result<String> {
        let text = fs::read_to_string(&path).with_context(|| format!("{name}: {path} cannot be read"))?;
        self.0.insert(name, path.into());
        Ok(text)
    }

    /// Adds the file of a setting, if it has one, to those that are watched for `target`.
    pub(crate) fn watch(&self, files: SecretFiles, name: &str, target: impl Reload) -> SecretFiles {
        match self.0.get(name) {
            Some(path) => files.with_file(path, target),
            None => files,
        }
    }
}
