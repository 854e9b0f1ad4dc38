//! The subject of a suite: an add-on of one marketplace, by the secrets that both share.

use std::fmt;
use std::path::PathBuf;

use crate::error::SetupError;
use crate::manifest_input::ManifestInput;
use crate::marketplace::Marketplace;
use crate::quicknode::Secrets;

/// Source of a [`Subject`].
pub(crate) enum SubjectSource {
    ManifestText(String),
    ManifestFile(PathBuf),
    Broker(Credentials),
    QuickNode(Secrets),
}

/// Add-on to check.
pub(crate) enum Subject {
    /// An add-on for Heroku.
    Heroku(Box<ManifestInput>),
    /// A broker of the Open Service Broker API.
    Broker(Credentials),
    /// An add-on for QuickNode.
    QuickNode(Secrets),
}

/// Basic credentials.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl SubjectSource {
    pub(crate) fn marketplace(&self) -> Marketplace {
        match self {
            Self::ManifestText(_) | Self::ManifestFile(_) => Marketplace::Heroku,
            Self::Broker(_) => Marketplace::OpenServiceBroker,
            Self::QuickNode(_) => Marketplace::QuickNode,
        }
    }

    pub(crate) fn read(self) -> Result<Subject, SetupError> {
        Ok(match self {
            Self::ManifestText(text) => Subject::Heroku(Box::new(ManifestInput::parse(&text)?)),
            Self::ManifestFile(path) => Subject::Heroku(Box::new(ManifestInput::read(&path)?)),
            Self::Broker(credentials) => Subject::Broker(credentials),
            Self::QuickNode(secrets) => Subject::QuickNode(secrets),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}
