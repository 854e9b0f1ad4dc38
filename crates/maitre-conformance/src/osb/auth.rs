//! Authentication.

use super::citation;
use super::route::Route;
use super::target::Target;
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const WRONG: Citation = citation::authentication("a broker must return 401 if the authentication fails");

const ADVICE: &str = "Compare user and password before anything else, on every route, and answer 401 if they differ.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.auth.right-credentials",
        "The broker's user and password are accepted.",
        citation::authentication("the platform must authenticate with HTTP basic authentication on every request"),
        |target| Box::pin(right(target)),
    ),
    wrong("osb.auth.wrong-password-catalog", "The catalog is not sent to a caller with a wrong password.", |target| {
        Box::pin(wrong_password(target, Route::Catalog))
    }),
    wrong("osb.auth.wrong-password-provision", "A provision with a wrong password is answered 401.", |target| {
        Box::pin(wrong_password(target, Route::Provision))
    }),
    wrong("osb.auth.wrong-password-update", "An update with a wrong password is answered 401.", |target| {
        Box::pin(wrong_password(target, Route::Update))
    })
    .needs(&[Capability::PlanChange]),
    wrong("osb.auth.wrong-password-deprovision", "A deprovision with a wrong password is answered 401.", |target| {
        Box::pin(wrong_password(target, Route::Deprovision))
    }),
    wrong("osb.auth.wrong-password-poll", "A poll with a wrong password is answered 401.", |target| {
        Box::pin(wrong_password(target, Route::Poll))
    }),
    wrong("osb.auth.wrong-password-fetch", "A fetch with a wrong password is answered 401.", |target| {
        Box::pin(wrong_password(target, Route::Fetch))
    })
    .needs(&[Capability::FetchInstance]),
    wrong("osb.auth.wrong-password-bind", "A bind with a wrong password is answered 401.", |target| {
        Box::pin(wrong_password(target, Route::Bind))
    })
    .needs(&[Capability::Bindings]),
    wrong("osb.auth.wrong-password-unbind", "An unbind with a wrong password is answered 401.", |target| {
        Box::pin(wrong_password(target, Route::Unbind))
    })
    .needs(&[Capability::Bindings]),
    wrong(
        "osb.auth.wrong-password-fetch-binding",
        "A fetch of a binding with a wrong password is answered 401.",
        |target| Box::pin(wrong_password(target, Route::FetchBinding)),
    )
    .needs(&[Capability::Bindings, Capability::FetchBinding]),
    wrong(
        "osb.auth.wrong-password-poll-binding",
        "A poll of a binding with a wrong password is answered 401.",
        |target| Box::pin(wrong_password(target, Route::PollBinding)),
    )
    .needs(&[Capability::Bindings, Capability::AsynchronousBindings]),
    wrong("osb.auth.wrong-user", "The correct password of another user is answered 401.", |target| {
        Box::pin(wrong_user(target))
    }),
    wrong("osb.auth.similar-password", "A password that is similar to the correct one is answered 401.", |target| {
        Box::pin(similar_password(target))
    }),
    wrong("osb.auth.no-credentials", "A request without credentials is answered 401.", |target| {
        Box::pin(no_credentials(target))
    }),
    Case::should(
        "osb.auth.challenge",
        "A 401 names the scheme in WWW-Authenticate.",
        citation::rfc(9110, "a server that generates a 401 must send WWW-Authenticate"),
        |target| Box::pin(challenge(target)),
    ),
    Case::should(
        "osb.auth.before-the-body",
        "A wrong password is answered 401 before the body is read.",
        citation::kotlin_checker("requests without a body and with wrong credentials are answered 401"),
        |target| Box::pin(before_the_body(target)),
    ),
    Case::should(
        "osb.auth.before-the-version",
        "A wrong password is answered 401 before the version header is checked.",
        citation::practice("a caller without credentials learns nothing about the broker"),
        |target| Box::pin(before_the_version(target)),
    ),
    Case::must(
        "osb.auth.refused-is-not-done",
        "A provision that is refused with 401 does not create an instance.",
        citation::errors("a 4xx must result in the broker's resources being semantically unchanged"),
        |target| Box::pin(refused_is_not_done(target)),
    ),
];

const fn wrong(
    id: &'static str,
    requirement: &'static str,
    run: for<'a> fn(&'a Target) -> crate::check::CheckFuture<'a>,
) -> Case<Target> {
    Case::must(id, requirement, WRONG, run)
}

fn is_unauthorized(response: &Response) -> Verdict {
    response.must_be(&[401], ADVICE).map(drop)
}

async fn right(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.catalog()).await?;
    match response.status() {
        401 | 403 => Err(response.wrong_status(
            "200",
            "Compare the credentials that the broker was started with to those of this run (--user and --password).",
        )),
        _ => Ok(()),
    }
}

fn wrong_password_of(target: &Target) -> String {
    format!("not-{}", target.password)
}

async fn wrong_password(target: &Target, route: Route) -> Verdict {
    let call = route.call(target)?.credentials(&target.user, &wrong_password_of(target));
    is_unauthorized(&target.wire.send(call).await?)
}

/// Skips the check unless the catalog is refused to a caller with another password.
async fn require_password(target: &Target) -> Verdict {
    let call = target.osb.catalog().credentials(&target.user, &wrong_password_of(target));
    match target.wire.send(call).await?.status() {
        401 => Ok(()),
        _ => Err(Stop::skipped("the catalog has no password (see osb.auth.wrong-password-catalog)")),
    }
}

async fn wrong_user(target: &Target) -> Verdict {
    require_password(target).await?;
    for route in [Route::Catalog, Route::Provision] {
        let call = route.call(target)?.credentials(&format!("not-{}", target.user), &target.password);
        is_unauthorized(&target.wire.send(call).await?)?;
    }
    Ok(())
}

async fn similar_password(target: &Target) -> Verdict {
    require_password(target).await?;
    let password = &target.password;
    let shorter: String = password.chars().take(password.chars().count().saturating_sub(1)).collect();
    let other_case =
        if password.to_uppercase() == *password { password.to_lowercase() } else { password.to_uppercase() };
    let candidates = [
        (shorter, "the password without its last character"),
        (format!("{password}x"), "the password with another character behind it"),
        (other_case, "the password in other letters"),
        (String::new(), "an empty password"),
    ];
    for (candidate, description) in candidates {
        if candidate != *password {
            let call = target.osb.catalog().credentials(&target.user, &candidate);
            is_unauthorized(&target.wire.send(call).await?.to(description))?;
        }
    }
    Ok(())
}

async fn no_credentials(target: &Target) -> Verdict {
    require_password(target).await?;
    for route in [Route::Catalog, Route::Provision, Route::Deprovision] {
        is_unauthorized(&target.wire.send(route.call(target)?.without_credentials()).await?)?;
    }
    Ok(())
}

async fn challenge(target: &Target) -> Verdict {
    let response = target.wire.send(target.osb.catalog().without_credentials()).await?;
    if response.status() != 401 {
        return Err(Stop::skipped("a request without credentials is not answered 401 (see osb.auth.no-credentials)"));
    }
    match response.header("www-authenticate") {
        Some(value) if value.to_ascii_lowercase().starts_with("basic") => Ok(()),
        _ => Err(response.fault(
            "The 401 has no WWW-Authenticate header with the scheme Basic.",
            "Send WWW-Authenticate: Basic realm=\"…\" with every 401.",
        )),
    }
}

async fn before_the_body(target: &Target) -> Verdict {
    let call = Route::Provision.call(target)?.credentials(&target.user, &wrong_password_of(target));
    is_unauthorized(&target.wire.send(call.body("{").without_header("content-type")).await?)
}

async fn before_the_version(target: &Target) -> Verdict {
    let call = target.osb.catalog().credentials(&target.user, &wrong_password_of(target));
    is_unauthorized(&target.wire.send(call.without_header("x-broker-api-version")).await?)
}

async fn refused_is_not_done(target: &Target) -> Verdict {
    let instance = target.instance()?;
    let call = target.osb.provision(&instance).credentials(&target.user, &wrong_password_of(target));
    let refused = target.wire.send(call).await?;
    if refused.is_success() {
        return Err(Stop::skipped("a wrong password is accepted (see osb.auth.wrong-password-provision)"));
    }
    target.must_be_absent(&instance, "after a provision that was refused with 401").await
}
