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
        Self::new(&hex(), &hex(), &hex(), &hex())
    }

    /// Returns the installation whose ids and token contain these hexadecimal digits.
    pub(super) fn with(digits: &str) -> Self {
        Self::new(digits, digits, digits, digits)
    }

    fn new(id: &str, account: &str, user: &str, token: &str) -> Self {
        let short = |digits: &str| digits.chars().take(24).collect::<String>();
        Self {
            id: format!("icfg_{}", short(id)),
            account_id: short(account),
            user_id: short(user),
            access_token: format!("vcat_{token}"),
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
