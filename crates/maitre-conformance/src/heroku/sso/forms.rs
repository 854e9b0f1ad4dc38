//! Single sign-on forms, and their tokens.

use maitre_testkit::heroku::LaunchForm;
use maitre_testkit::{Call, SignOn};
use time::OffsetDateTime;

use crate::heroku::addon::Version;
use crate::heroku::resource::Resource;
use crate::heroku::target::Target;
use crate::sign_on::SsoEndpoint;
use crate::verdict::Stop;

/// Form of a sign-on, or the link of one by GET.
pub(in crate::heroku) type Form = Call<SignOn<LaunchForm>>;

/// Age of a form, in seconds.
const FORM_AGE: i64 = 3;

/// Names of the fields with a token.
const TOKENS: [&str; 3] = ["token", "resource_token", "user_scoped_resource_token"];

impl Target {
    /// Returns the form of a sign-on a few seconds ago, so that its timestamp differs from the add-on's clock.
    pub(in crate::heroku) fn sso_form(&self, resource: &Resource) -> Result<Form, Stop> {
        self.sso_form_at(resource, -FORM_AGE)
    }

    /// Returns the form of a sign-on this many seconds from now, or a little earlier.
    pub(super) fn sso_form_at(&self, resource: &Resource, offset: i64) -> Result<Form, Stop> {
        let wanted = OffsetDateTime::now_utc().unix_timestamp().saturating_add(offset);
        self.sso_form_with_timestamp(resource, &self.timestamps.unused(wanted).to_string())
    }

    /// Returns a form that is signed with this text as its timestamp.
    pub(super) fn sso_form_with_timestamp(&self, resource: &Resource, timestamp: &str) -> Result<Form, Stop> {
        let endpoint = self.sso_endpoint()?;
        if endpoint.by_get {
            let link = self.heroku.single_sign_on(&resource.uuid).provider_id(&resource.id).timestamp(timestamp);
            return Ok(link.by_get());
        }
        let form = self.sso_heroku.single_sign_on(&resource.uuid).provider_id(&resource.id).timestamp(timestamp);
        let form = if self.version == Version::One { form.only_legacy() } else { form };
        Ok(form.path(&endpoint.path))
    }

    pub(in crate::heroku) fn sso_endpoint(&self) -> Result<&SsoEndpoint, Stop> {
        self.sso.as_ref().ok_or_else(|| Stop::skipped("the manifest has no sso_url"))
    }
}

/// Returns the tokens of a form, by field.
pub(in crate::heroku) fn tokens(form: &Form) -> Vec<(String, String)> {
    let mut fields = form.fields();
    fields.retain(|(name, _)| TOKENS.contains(&name.as_str()));
    fields
}

/// Replaces each token of a form.
pub(in crate::heroku) fn with_tokens(form: Form, replacement: impl Fn(&str, &str) -> String) -> Form {
    let tokens = tokens(&form);
    tokens.into_iter().fold(form, |form, (name, token)| {
        let token = replacement(&name, &token);
        form.set(name, token)
    })
}

/// Removes each token of a form.
pub(super) fn without_tokens(form: Form) -> Form {
    let tokens = tokens(&form);
    tokens.into_iter().fold(form, |form, (name, _)| form.without(name))
}

/// Forges the tokens of a form, in the right length.
pub(in crate::heroku) fn forged(form: Form) -> Form {
    with_tokens(form, |_, token| "0".repeat(token.len()))
}
