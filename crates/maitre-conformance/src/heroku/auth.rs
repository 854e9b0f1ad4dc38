//! Authentication of lifecycle requests.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre_testkit::sign;

use super::citation;
use super::target::{PLAN_CHANGE, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::rules;
use crate::verdict::{Stop, Verdict};

const VERIFY: Citation = citation::reference("the vendor must verify the Basic credentials of every call");
const WRONG: Citation = citation::kensa("wrong credentials are answered 401 on POST, PUT and DELETE");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.auth.right-credentials",
        "The manifest's id and password are accepted.",
        citation::reference("Heroku calls with Basic, the manifest's id and api.password"),
        |target| Box::pin(right(target)),
    ),
    Case::must(
        "heroku.auth.wrong-password-provision",
        "A provision with a wrong password is answered 401.",
        WRONG,
        |target| Box::pin(wrong_on_provision(target)),
    ),
    Case::must(
        "heroku.auth.wrong-password-plan-change",
        "A plan change with a wrong password is answered 401.",
        WRONG,
        |target| Box::pin(wrong_on_plan_change(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.auth.wrong-password-deprovision",
        "A deprovision with a wrong password is answered 401.",
        WRONG,
        |target| Box::pin(wrong_on_deprovision(target)),
    ),
    Case::must(
        "heroku.auth.wrong-user",
        "A provision with the correct password of another user is answered 401.",
        WRONG,
        |target| Box::pin(wrong_user(target)),
    ),
    Case::must(
        "heroku.auth.wrong-user-plan-change",
        "A plan change with the correct password of another user is answered 401.",
        WRONG,
        |target| Box::pin(wrong_user_on_plan_change(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.auth.wrong-user-deprovision",
        "A deprovision with the correct password of another user is answered 401.",
        WRONG,
        |target| Box::pin(wrong_user_on_deprovision(target)),
    ),
    Case::must(
        "heroku.auth.similar-password",
        "A password that is similar to the correct one is answered 401.",
        WRONG,
        |target| Box::pin(similar(target)),
    ),
    Case::must(
        "heroku.auth.no-credentials",
        "A request without credentials takes effect on no route.",
        VERIFY,
        |target| Box::pin(none(target)),
    ),
    Case::should(
        "heroku.auth.no-credentials-401",
        "A request without credentials is answered 401, and causes no server error on any route.",
        citation::rfc(9110, "401 is the status of a request that lacks credentials"),
        |target| Box::pin(none_401(target)),
    ),
    Case::must(
        "heroku.auth.empty-credentials",
        "A request with empty credentials does not take effect.",
        VERIFY,
        |target| Box::pin(empty(target)),
    ),
    Case::should(
        "heroku.auth.other-scheme",
        "The correct credentials with another scheme, or without a scheme, are refused.",
        citation::rfc(7617, "the scheme is Basic"),
        |target| Box::pin(other_scheme(target)),
    ),
    Case::should(
        "heroku.auth.strict-base64",
        "Credentials in invalid base64 are refused.",
        citation::rfc(4648, "characters outside the alphabet are rejected"),
        |target| Box::pin(invalid_base64(target)),
    ),
    Case::should(
        "heroku.auth.scheme-in-any-case",
        "The scheme is accepted in lowercase.",
        citation::rfc(9110, "the names of authentication schemes are case-insensitive"),
        |target| Box::pin(lowercase_scheme(target)),
    ),
    Case::should(
        "heroku.auth.challenge",
        "A 401 has a WWW-Authenticate header.",
        citation::rfc(9110, "a 401 carries WWW-Authenticate"),
        |target| Box::pin(challenge(target)),
    ),
    Case::must(
        "heroku.auth.before-the-plan",
        "Credentials are checked before the plan.",
        citation::kensa("a wrong password is answered 401 whatever the plan"),
        |target| Box::pin(before_the_plan(target)),
    ),
    Case::should(
        "heroku.auth.before-the-body",
        "Credentials are checked before the body is parsed.",
        citation::practice("an unauthenticated request is neither parsed nor stored"),
        |target| Box::pin(before_the_body(target)),
    ),
    Case::should(
        "heroku.auth.before-the-resource",
        "An unauthenticated request does not reveal whether a resource exists.",
        citation::practice("an unauthenticated request is answered 401 on every path"),
        |target| Box::pin(before_the_resource(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must("heroku.auth.refused-is-not-done", "A refused deprovision does not take effect.", VERIFY, |target| {
        Box::pin(not_done(target))
    })
    .needs(PLAN_CHANGE),
];

async fn right(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision()).await?;
    if matches!(response.status(), 401 | 403) {
        return Err(response.wrong_status(
            "a success",
            "Either the manifest belongs to another add-on, or the add-on parses the header incorrectly: decode all of it, \
             whatever its length, as UTF-8, and split at the first colon.",
        ));
    }
    // another failure does not show whether the credentials are accepted
    response.is_success().then_some(()).ok_or_else(|| {
        Stop::skipped(format!("a provision is answered {} (see heroku.provision.succeeds)", response.status()))
    })
}

async fn wrong_on_provision(target: &Target) -> Verdict {
    target.require_provision().await?;
    let call = target.provision().credentials(&target.slug, &wrong_password(target));
    target.wire.send(call).await?.require(rules::is_unauthorized)
}

async fn wrong_on_plan_change(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.shared_resource().await?;
    let call = target.plan_change(&resource, target.plan()).credentials(&target.slug, &wrong_password(target));
    target.wire.send(call).await?.require(rules::is_unauthorized)
}

async fn wrong_on_deprovision(target: &Target) -> Verdict {
    target.require_deprovision().await?;
    let resource = target.new_resource().await?;
    let call = target.deprovision(&resource).credentials(&target.slug, &wrong_password(target));
    target.wire.send(call).await?.require(rules::is_unauthorized)
}

/// Skips the check unless a wrong password is answered 401: another status to other wrong credentials is the same fault.
fn must_be_known(response: &Response, cause: &str) -> Result<(), Stop> {
    if response.status() == 401 {
        return Ok(());
    }
    Err(Stop::skipped(format!("a wrong password is answered {} (see {cause})", response.status())))
}

/// Skips the check unless an ordinary provision succeeds, and one with a wrong password is answered 401.
async fn require_authentication(target: &Target) -> Result<(), Stop> {
    target.require_provision().await?;
    let call = target.provision().credentials(&target.slug, &wrong_password(target));
    must_be_known(&target.wire.send(call).await?, "heroku.auth.wrong-password-provision")
}

async fn wrong_user(target: &Target) -> Verdict {
    require_authentication(target).await?;
    for (description, user) in wrong_users(target) {
        let call = target.provision().credentials(&user, &target.password);
        target.wire.send(call).await?.to(description).require(rules::is_unauthorized)?;
    }
    Ok(())
}

async fn wrong_user_on_plan_change(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.shared_resource().await?;
    let wrong = target.plan_change(&resource, target.plan()).credentials(&target.slug, &wrong_password(target));
    must_be_known(&target.wire.send(wrong).await?, "heroku.auth.wrong-password-plan-change")?;
    for (description, user) in wrong_users(target) {
        let call = target.plan_change(&resource, target.plan()).credentials(&user, &target.password);
        let response = target.wire.send(call).await?.to(format!("a plan change with {description}"));
        response.require(rules::is_unauthorized)?;
    }
    Ok(())
}

async fn wrong_user_on_deprovision(target: &Target) -> Verdict {
    target.require_deprovision().await?;
    let wrong = target.deprovision(&target.new_resource().await?);
    let wrong = wrong.credentials(&target.slug, &wrong_password(target));
    must_be_known(&target.wire.send(wrong).await?, "heroku.auth.wrong-password-deprovision")?;
    for (description, user) in wrong_users(target) {
        let resource = target.new_resource().await?;
        let call = target.deprovision(&resource).credentials(&user, &target.password);
        let response = target.wire.send(call).await?.to(format!("a deprovision with {description}"));
        response.require(rules::is_unauthorized)?;
    }
    Ok(())
}

fn wrong_users(target: &Target) -> [(&'static str, String); 2] {
    [("another user", format!("{}-other", target.slug)), ("no user", String::new())]
}

async fn similar(target: &Target) -> Verdict {
    require_authentication(target).await?;
    let password = &target.password;
    let shorter: String = password.chars().take(password.chars().count().saturating_sub(1)).collect();
    let swapped: String = password
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let rows = [
        ("a password without the last character", shorter),
        ("a password with an additional character", format!("{password}x")),
        ("a password with a trailing space", format!("{password} ")),
        ("a password in swapped case", swapped),
    ];
    for (description, similar) in rows.into_iter().filter(|(_, similar)| similar != password) {
        let response = target.wire.send(target.provision().credentials(&target.slug, &similar)).await?;
        response.to(description).must_be(&[401], "Compare the complete password, case-sensitively.")?;
    }
    Ok(())
}

const NO_HEADER: &str = "Treat a missing Authorization header as wrong credentials, and answer 401.";

/// Requires that a request does not take effect. A server error is a fault, but lets no caller in.
fn must_not_let_in(response: &Response, advice: &str) -> Verdict {
    if response.is_server_error() { Ok(()) } else { response.must_be_refused(advice) }
}

/// Sends each request of the contract without credentials.
async fn without_credentials(target: &Target) -> Result<[Response; 3], Stop> {
    let resource = target.new_resource().await?;
    let provision = target.wire.send(target.provision().without_credentials()).await?.to("a provision");
    let change = target.plan_change(&resource, target.plan()).without_credentials();
    let change = target.wire.send(change).await?.to("a plan change");
    let deprovision = target.deprovision(&resource).without_credentials();
    let deprovision = target.wire.send(deprovision).await?.to("a deprovision");
    Ok([provision, change, deprovision])
}

async fn none(target: &Target) -> Verdict {
    let responses = without_credentials(target).await?;
    responses.iter().try_for_each(|response| must_not_let_in(response, NO_HEADER))
}

async fn none_401(target: &Target) -> Verdict {
    let [provision, change, deprovision] = without_credentials(target).await?;
    provision.must_be(&[401], "Answer 401, as to wrong credentials.")?;
    let is_error = |response: &&Response| response.is_server_error() && response.status() != 501;
    match [&change, &deprovision].into_iter().find(is_error) {
        Some(response) => Err(response.wrong_status("401", NO_HEADER)),
        None => Ok(()),
    }
}

async fn empty(target: &Target) -> Verdict {
    require_authentication(target).await?;
    let advice = "Refuse an empty user or password, even if none is configured: otherwise anyone could provision.";
    let rows = [
        ("an empty user and password", sign::basic("", "")),
        ("an empty password", sign::basic(&target.slug, "")),
        ("Basic without credentials", "Basic ".to_owned()),
    ];
    for (description, header) in rows {
        let response = target.wire.send(target.provision().authorization(header)).await?;
        must_not_let_in(&response.to(description), advice)?;
    }
    Ok(())
}

async fn other_scheme(target: &Target) -> Verdict {
    require_authentication(target).await?;
    let credentials = right_credentials(target);
    let advice = "Check the scheme: accept credentials only with Basic.";
    let rows =
        [("Bearer instead of Basic", format!("Bearer {credentials}")), ("credentials without a scheme", credentials)];
    for (description, header) in rows {
        let response = target.wire.send(target.provision().authorization(header)).await?;
        response.to(description).must_be_refused(advice)?;
    }
    Ok(())
}

async fn invalid_base64(target: &Target) -> Verdict {
    require_authentication(target).await?;
    let credentials = right_credentials(target);
    let starred: Vec<_> = credentials.chars().map(String::from).collect();
    let rows = [
        ("credentials with asterisks between the characters", starred.join("*")),
        ("credentials with trailing garbage", format!("{credentials}!!")),
    ];
    for (description, credentials) in rows {
        let call = target.provision().authorization(format!("Basic {credentials}"));
        let response = target.wire.send(call).await?.to(description);
        response.must_be_refused("Use a strict base64 decoder, and refuse what it cannot decode.")?;
    }
    Ok(())
}

async fn lowercase_scheme(target: &Target) -> Verdict {
    target.new_resource().await?;
    let header = format!("basic {}", right_credentials(target));
    let response = target.wire.send(target.provision().authorization(header)).await?;
    if response.status() == 401 || response.is_server_error() {
        return Err(response.wrong_status("a success", "Compare the scheme case-insensitively."));
    }
    Ok(())
}

async fn challenge(target: &Target) -> Verdict {
    target.require_provision().await?;
    let call = target.provision().credentials(&target.slug, &wrong_password(target));
    let response = target.wire.send(call).await?;
    if response.status() != 401 {
        return Err(Stop::skipped("a wrong password is not answered 401 (see heroku.auth.wrong-password-provision)"));
    }
    let advice = "Send WWW-Authenticate: Basic realm=\"…\" with every 401; clients and proxies depend on it.";
    match response.header("www-authenticate") {
        Some(challenge) if challenge.to_ascii_lowercase().starts_with("basic") => Ok(()),
        Some(_) => Err(response.fault("WWW-Authenticate names a scheme other than Basic.", advice)),
        None => Err(response.fault("The 401 has no WWW-Authenticate header.", advice)),
    }
}

async fn before_the_plan(target: &Target) -> Verdict {
    require_authentication(target).await?;
    let provision = target.provision().set("plan", target.unknown_plan());
    let call = provision.credentials(&target.slug, &wrong_password(target));
    target.wire.send(call).await?.to("a wrong password with an unknown plan").require(rules::is_unauthorized)
}

async fn before_the_body(target: &Target) -> Verdict {
    require_authentication(target).await?;
    let rows = [("a wrong password with an invalid body", "{"), ("a wrong password with an empty body", "")];
    for (description, body) in rows {
        let call = target.provision().body(body).credentials(&target.slug, &wrong_password(target));
        target.wire.send(call).await?.to(description).require(rules::is_unauthorized)?;
    }
    Ok(())
}

async fn before_the_resource(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    target.require_deprovision().await?;
    let unknown = target.heroku.new_uuid();
    let wrong = wrong_password(target);
    let change = target.plan_change_of(&unknown, target.plan()).credentials(&target.slug, &wrong);
    let response = target.wire.send(change).await?;
    response.to("an unauthenticated plan change of an unknown resource").require(rules::is_unauthorized)?;
    let deprovision = target.heroku.deprovision(&unknown).credentials(&target.slug, &wrong);
    let response = target.wire.send(deprovision).await?;
    response.to("an unauthenticated deprovision of an unknown resource").require(rules::is_unauthorized)
}

async fn not_done(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.ready_resource().await?;
    target.wire.send(target.deprovision(&resource).credentials(&target.slug, &wrong_password(target))).await?;
    target.wire.send(target.deprovision(&resource).without_credentials()).await?;
    let after = target.probe(&resource).await?;
    if matches!(after.status(), 404 | 410) {
        return Err(after.fault(
            "The resource no longer exists after a deprovision with a wrong password.",
            "Check the credentials before any side effect.",
        ));
    }
    Ok(())
}

fn wrong_password(target: &Target) -> String {
    if target.password == "wrong" { "false".to_owned() } else { "wrong".to_owned() }
}

fn right_credentials(target: &Target) -> String {
    BASE64_STANDARD.encode(format!("{}:{}", target.slug, target.password))
}
