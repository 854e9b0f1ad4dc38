//! The subject of a suite: an add-on of one marketplace, by the secrets that both share.

use std::fmt;
use std::path::PathBuf;

use crate::error::SetupError;
use crate::manifest_input::ManifestInput;
use crate::marketplace::Marketplace;
use crate::quicknode::Secrets;
use crate::vercel::Integration;

/// Source of a [`Subject`].
pub(crate) enum SubjectSource {
    ManifestText(Marketplace, String),
    ManifestFile(Marketplace, PathBuf),
    Broker(Credentials),
    QuickNode(Secrets),
    Vercel(Integration),
}

/// Add-on to check.
pub(crate) enum Subject {
    /// An add-on for Heroku.
    Heroku(Box<ManifestInput>),
    /// An add-on for a marketplace with Basic credentials and a signed sign-on.
    Basic(Marketplace, Box<ManifestInput>),
    /// A broker of the Open Service Broker API.
    Broker(Credentials),
    /// An add-on for QuickNode.
    QuickNode(Secrets),
    /// An integration at Vercel.
    Vercel(Integration),
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
            Self::ManifestText(marketplace, _) | Self::ManifestFile(marketplace, _) => *marketplace,
            Self::Broker(_) => Marketplace::OpenServiceBroker,
            Self::QuickNode(_) => Marketplace::QuickNode,
            Self::Vercel(_) => Marketplace::Vercel,
        }
    }

    pub(crate) fn read(self) -> Result<Subject, SetupError> {
        let (marketplace, input) = match self {
            Self::ManifestText(marketplace, text) => (marketplace, ManifestInput::parse(marketplace, &text)?),
            Self::ManifestFile(marketplace, path) => (marketplace, ManifestInput::read(marketplace, &path)?),
            Self::Broker(credentials) => return Ok(Subject::Broker(credentials)),
            Self::QuickNode(secrets) => return Ok(Subject::QuickNode(secrets)),
            Self::Vercel(integration) => return Ok(Subject::Vercel(integration)),
        };
        match marketplace {
            Marketplace::Heroku => Ok(Subject::Heroku(Box::new(input))),
            Marketplace::DigitalOcean | Marketplace::CleverCloud | Marketplace::Scalingo => {
                Ok(Subject::Basic(marketplace, Box::new(input)))
            }
            other => Err(SetupError::new(format!("maitre has no checks for {other} by a manifest"))),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}
