use std::fmt;

use crate::generate;

/// Installation: one Vercel team that has accepted the vendor's terms.
///
/// `Debug` does not print the access token.
#[derive(Clone, PartialEq, Eq)]
pub struct Installation {
    id: String,
    account_id: String,
    user_id: String,
    access_token: String,
}

impl Installation {
    pub(super) fn generate() -> Self {
        let hex = || generate::new_uuid().replace('-', "");
        Self {
            id: format!("icfg_{}", &hex()[..24]),
            account_id: hex()[..24].to_owned(),
            user_id: hex()[..24].to_owned(),
            access_token: format!("vcat_{}", hex()),
        }
    }

    /// Returns the id, such as `icfg_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id of the team.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// Returns the id of the installing user.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// Returns the token that Vercel sends with the installation, for the vendor's calls of its API.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }
}

impl fmt::Debug for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installation")
            .field("id", &self.id)
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}
