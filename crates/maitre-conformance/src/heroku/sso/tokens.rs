//! Verification of tokens.

use maitre_testkit::sign;

use super::forms::{Form, forged, tokens, with_tokens, without_tokens};
use super::sign_in::{NEEDS, USER_TOKEN, must_be_forbidden, must_not_be_signed_in};
use crate::check::{Capability, Case, Citation};
use crate::heroku::addon::Version;
use crate::heroku::citation;
use crate::heroku::target::Target;
use crate::sign_on::must_be_signed_in;
use crate::verdict::Verdict;

const FORBIDDEN: Citation = citation::single_sign_on("a bad or missing token is answered 403");
const BINDS: Citation =
    citation::single_sign_on("user_scoped_resource_token covers resource, user and address; recommended");

const VERIFY: &str = "Compute the token yourself from the fields and the salt, compare in constant time, and answer 403 if \
                      it differs. The page may be friendly, but its status must be 403.";
const STRONGEST: &str = "Only check the strongest token in the form: user_scoped_resource_token, otherwise \
                         resource_token. A valid weaker token must not override an invalid stronger one.";

const USER_SCOPED: &str = "user_scoped_resource_token is the SHA-256 of resource_id:sso_salt:timestamp:user_id:email: these \
                           fields of the form, decoded (the email address contains a +), in this order, joined by \
                           colons, in lowercase hex, with the timestamp as sent and the manifest's api.sso_salt.";
const RESOURCE: &str = "resource_token is the SHA-1 of resource_id:sso_salt:timestamp, joined and written likewise.";
const VERSION_1: &str = "token is the SHA-1 of id:sso_salt:timestamp, where id is the add-on's own id of the resource, joined \
                         and written likewise.";
const UNPARSED: &str = "Is the form parsed? A form without any field gets the same response: read the body as \
                        application/x-www-form-urlencoded.";

const UNREAD: &str = "Is the query read? A request without any field gets the same response.";

/// Age of the second form, in seconds.
const OLDER: i64 = 20;

pub(in crate::heroku) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.sso-token.lets-in",
        "Heroku's form, with all three tokens, opens the dashboard.",
        citation::single_sign_on("a valid token opens a session and redirects to the dashboard"),
        |target| Box::pin(lets_in(target)),
    )
    .needs(NEEDS),
    Case::should("heroku.sso-token.user-scoped", "The SHA-256 token is accepted on its own.", BINDS, |target| {
        Box::pin(user_scoped(target))
    })
    .needs(USER_TOKEN),
    Case::info(
        "heroku.sso-token.resource",
        "The SHA-1 resource_token is accepted on its own.",
        citation::single_sign_on("resource_token was the only one until 2026"),
        |target| Box::pin(resource_token(target)),
    )
    .needs(USER_TOKEN),
    Case::info(
        "heroku.sso-token.version-1",
        "The token of version 1, as sent by kensa, is accepted on its own.",
        citation::kensa("id, token, timestamp, nav-data, email and app"),
        |target| Box::pin(version_1(target)),
    )
    .needs(NEEDS),
    Case::must(
        "heroku.sso-token.unknown-fields",
        "Unknown fields are ignored.",
        citation::single_sign_on("query parameters of the link are passed through"),
        |target| Box::pin(unknown_fields(target)),
    )
    .needs(NEEDS),
    Case::must("heroku.sso-token.wrong", "Wrong tokens are answered 403.", FORBIDDEN, |target| Box::pin(wrong(target)))
        .needs(NEEDS),
    Case::must("heroku.sso-token.missing", "A form without a token is answered 403.", FORBIDDEN, |target| {
        Box::pin(missing(target))
    })
    .needs(NEEDS),
    Case::must("heroku.sso-token.empty", "Empty tokens are answered 403.", FORBIDDEN, |target| Box::pin(empty(target)))
        .needs(NEEDS),
    Case::must("heroku.sso-token.part", "The beginning of a token is answered 403.", FORBIDDEN, |target| {
        Box::pin(part(target))
    })
    .needs(NEEDS),
    Case::must(
        "heroku.sso-token.other-salt",
        "A token signed with an empty salt or with the password is answered 403.",
        FORBIDDEN,
        |target| Box::pin(other_salt(target)),
    )
    .needs(NEEDS),
    Case::must(
        "heroku.sso-token.other-resource",
        "The token of one resource does not open another.",
        FORBIDDEN,
        |target| Box::pin(other_resource(target)),
    )
    .needs(NEEDS),
    Case::must("heroku.sso-token.other-time", "A token with another timestamp is answered 403.", FORBIDDEN, |target| {
        Box::pin(other_time(target))
    })
    .needs(NEEDS),
    Case::should(
        "heroku.sso-token.strongest-decides",
        "A wrong SHA-256 token is refused, even with a valid SHA-1 token.",
        BINDS,
        |target| Box::pin(strongest(target)),
    )
    .needs(USER_TOKEN),
    Case::should(
        "heroku.sso-token.altered-email",
        "A form with a changed email address is refused.",
        BINDS,
        |target| Box::pin(altered(target, "email", "mallory@example.org")),
    )
    .needs(USER_TOKEN),
    Case::should("heroku.sso-token.altered-user", "A form with a changed user is refused.", BINDS, |target| {
        Box::pin(altered(target, "user_id", "00000000-0000-4000-8000-000000000000"))
    })
    .needs(USER_TOKEN),
    Case::should(
        "heroku.sso-token.in-the-query",
        "A form in the query of the URL is refused.",
        citation::practice("URLs, with their tokens, are stored in logs and browser histories"),
        |target| Box::pin(in_the_query(target)),
    )
    .needs(&[Capability::SignOnForm]),
    Case::should(
        "heroku.sso-token.unknown-resource",
        "A valid token for an unknown resource is refused.",
        citation::practice("a page with 404, and nothing is created"),
        |target| Box::pin(unknown_resource(target)),
    )
    .needs(NEEDS),
    Case::should(
        "heroku.sso-token.removed-resource",
        "A valid token for a deprovisioned resource is refused.",
        citation::practice("the dashboard is deleted with the add-on"),
        |target| Box::pin(removed_resource(target)),
    )
    .needs(NEEDS),
];

/// Posts two forms of different ages: an add-on that hashes its own clock accepts at most one, whatever the second.
async fn lets_in(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let endpoint = target.sso_endpoint()?;
    let formula = if endpoint.by_get || target.version == Version::One {
        VERSION_1.to_owned()
    } else {
        format!("{USER_SCOPED} Without it, {RESOURCE} Without both, {VERSION_1}")
    };
    for age in [0, OLDER] {
        let form = if age == 0 { target.sso_form(&resource)? } else { target.sso_form_at(&resource, -age)? };
        let signed_in = target.sign_in(target.browser()?, form).await?;
        if !(400..500).contains(&signed_in.response.status()) {
            must_be_signed_in(&signed_in, &formula)?;
            continue;
        }
        let empty = without_fields(target.sso_form(&resource)?);
        let empty = target.post(empty).await?;
        let is_same = (empty.status(), empty.body()) == (signed_in.response.status(), signed_in.response.body());
        let hint = match (is_same, endpoint.by_get) {
            (false, _) => "",
            (true, false) => UNPARSED,
            (true, true) => UNREAD,
        };
        must_be_signed_in(&signed_in, format!("{formula} {hint}").trim_end())?;
    }
    Ok(())
}

/// Removes all fields of a form or a link.
fn without_fields(form: Form) -> Form {
    let fields = form.fields();
    fields.into_iter().fold(form, |form, (name, _)| form.without(name))
}

async fn user_scoped(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    must_be_signed_in(&target.sign_in(target.browser()?, form.only_user_scoped()).await?, USER_SCOPED)
}

async fn resource_token(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    must_be_signed_in(&target.sign_in(target.browser()?, form.only_resource_token()).await?, RESOURCE)
}

async fn version_1(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let signed_in = target.sign_in(target.browser()?, form.only_legacy()).await?;
    if must_be_signed_in(&signed_in, VERSION_1).is_ok() {
        return Ok(());
    }
    let advice = format!(
        "No action is required: Heroku also sends stronger tokens. Only older checkers need this one: {VERSION_1}"
    );
    Err(signed_in.response.wrong_status("302", &advice))
}

async fn unknown_fields(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let form = form.set("action", "rotate").set("tab", "");
    must_be_signed_in(&target.sign_in(target.browser()?, form).await?, "Ignore the fields that you do not know.")
}

async fn wrong(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    must_be_forbidden(&target.post(forged(form)).await?, VERIFY)
}

async fn missing(target: &Target) -> Verdict {
    let (_, form) = target.form_to_forge().await?;
    must_be_forbidden(&target.post(without_tokens(form)).await?, VERIFY)
}

async fn empty(target: &Target) -> Verdict {
    let (_, form) = target.form_to_forge().await?;
    must_be_forbidden(&target.post(with_tokens(form, |_, _| String::new())).await?, VERIFY)
}

async fn part(target: &Target) -> Verdict {
    for keep in [1, 8, 39] {
        let (_, form) = target.form_to_forge().await?;
        let cut = with_tokens(form, |_, token| token.chars().take(keep).collect());
        let response = target.post(cut).await?.to(format!("the first {keep} characters of each token"));
        must_be_forbidden(&response, VERIFY)?;
    }
    Ok(())
}

async fn other_salt(target: &Target) -> Verdict {
    let (resource, _) = target.form_to_forge().await?;
    let password = target.password.clone();
    for (description, salt) in [("an empty salt", String::new()), ("the password as salt", password)] {
        if salt == target.salt {
            continue; // see heroku.manifest.secret-strength
        }
        let form = target.sso_form(&resource)?;
        let fields = form.fields();
        let field = |name: &str| fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        let (uuid, at) = (&resource.uuid, field("timestamp"));
        let forged = with_tokens(form, |name, _| match name {
            "token" => sign::token(&resource.id, &salt, at),
            "resource_token" => sign::resource_token(uuid, &salt, at),
            _ => sign::user_scoped_resource_token(uuid, &salt, at, field("user_id"), field("email")),
        });
        let response = target.post(forged).await?.to(format!("tokens signed with {description}"));
        must_be_forbidden(&response, "Sign with the manifest's api.sso_salt, and refuse to start without one.")?;
    }
    Ok(())
}

async fn other_resource(target: &Target) -> Verdict {
    let (_, form) = target.form_to_forge().await?;
    let other = target.ready_resource().await?;
    let timestamp = form.fields().into_iter().find(|(name, _)| name == "timestamp").map(|(_, value)| value);
    let stolen = tokens(&form);
    let form = target.sso_form_with_timestamp(&other, &timestamp.unwrap_or_default())?;
    let form = stolen.into_iter().fold(form, |form, (name, token)| form.set(name, token));
    let response = target.post(form).await?;
    must_be_forbidden(&response.to("tokens of one resource with the id of another"), VERIFY)
}

async fn other_time(target: &Target) -> Verdict {
    let (resource, form) = target.form_to_forge().await?;
    let (_, later) =
        target.sso_form(&resource)?.fields().into_iter().find(|(name, _)| name == "timestamp").unwrap_or_default();
    let response = target.post(form.set("timestamp", later)).await?.to("a timestamp that was not signed");
    must_be_forbidden(&response, VERIFY)
}

async fn strongest(target: &Target) -> Verdict {
    let (_, form) = target.form_to_forge().await?;
    let response = target.post(form.set("user_scoped_resource_token", "0".repeat(64))).await?;
    must_be_forbidden(&response.to("a wrong SHA-256 token with valid SHA-1 tokens"), STRONGEST)
}

async fn altered(target: &Target, field: &str, value: &str) -> Verdict {
    let (_, form) = target.form_to_forge().await?;
    let response =
        target.post(form.set(field, value)).await?.to(format!("a form whose {field} was changed after signing"));
    must_be_forbidden(
        &response,
        "Verify user_scoped_resource_token: it is the only token that covers the user. With SHA-1 only, anyone with a fresh \
         token can impersonate another user.",
    )
}

async fn in_the_query(target: &Target) -> Verdict {
    let (_, form) = target.valid_form().await?;
    let query = String::from_utf8_lossy(form.request().body()).into_owned();
    let path = &target.sso_endpoint()?.path;
    let url = format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' });
    let response = target.post(form.path(url).body("a=b")).await?.to("a form in the query");
    must_not_be_signed_in(&response, "Only read the fields from the body of the POST.")
}

async fn unknown_resource(target: &Target) -> Verdict {
    let (mut resource, _) = target.valid_form().await?;
    resource.uuid = target.heroku.new_uuid();
    resource.id.clone_from(&resource.uuid);
    let response = target.post(target.sso_form(&resource)?).await?.to("a valid token for an unknown resource");
    must_not_be_signed_in(&response, "Answer 404 with a page, and create nothing.")
}

async fn removed_resource(target: &Target) -> Verdict {
    let _ = target.valid_form().await?;
    let resource = target.deprovisioned_resource().await?;
    let response = target.post(target.sso_form(&resource)?).await?.to("a valid token for a deprovisioned resource");
    must_not_be_signed_in(&response, "Answer 404 with a page: an old link must not show anything.")
}
