//! Who may provision, change and remove.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre_testkit::sign;

use super::citation;
use super::target::{PLAN_CHANGE, Target};
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const COMPARE: &str = "Compare user and password with the manifest's id and api.password before anything else, on every \
                       route but single sign-on, and answer 401 if they differ.";

const VERIFY: Citation = citation::reference("the vendor must verify the Basic credentials of every call");
const WRONG: Citation = citation::kensa("wrong credentials are answered 401 on POST, PUT and DELETE");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.auth.right-credentials",
        "The manifest's id and password let Heroku in.",
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
    Case::must("heroku.auth.wrong-user", "The right password under another user is answered 401.", WRONG, |target| {
        Box::pin(wrong_user(target))
    }),
    Case::must("heroku.auth.similar-password", "A password that is nearly right is a wrong one.", WRONG, |target| {
        Box::pin(similar(target))
    }),
    Case::must(
        "heroku.auth.no-credentials",
        "A call without credentials is refused on every route, and does not make the add-on stumble.",
        VERIFY,
        |target| Box::pin(none(target)),
    ),
    Case::should(
        "heroku.auth.no-credentials-401",
        "A call without credentials is answered 401.",
        citation::rfc(9110, "401 is the status of a request that lacks credentials"),
        |target| Box::pin(none_401(target)),
    ),
    Case::must("heroku.auth.empty-credentials", "Empty credentials let nobody in.", VERIFY, |target| {
        Box::pin(empty(target))
    }),
    Case::should(
        "heroku.auth.other-scheme",
        "The right credentials under another scheme, or under none, let nobody in.",
        citation::rfc(7617, "the scheme is Basic"),
        |target| Box::pin(other_scheme(target)),
    ),
    Case::should(
        "heroku.auth.strict-base64",
        "Credentials in broken base64 let nobody in.",
        citation::rfc(4648, "characters outside the alphabet are refused"),
        |target| Box::pin(junk(target)),
    ),
    Case::should(
        "heroku.auth.scheme-in-any-case",
        "The scheme may be written in lower case.",
        citation::rfc(9110, "the names of authentication schemes are case-insensitive"),
        |target| Box::pin(lower_case(target)),
    ),
    Case::should(
        "heroku.auth.challenge",
        "A 401 says by WWW-Authenticate how to come in.",
        citation::rfc(9110, "a 401 carries WWW-Authenticate"),
        |target| Box::pin(challenge(target)),
    ),
    Case::must(
        "heroku.auth.before-the-plan",
        "Credentials are looked at before the plan is.",
        citation::kensa("a wrong password is answered 401 whatever the plan"),
        |target| Box::pin(before_the_plan(target)),
    ),
    Case::should(
        "heroku.auth.before-the-body",
        "Credentials are looked at before the body is read.",
        citation::practice("a stranger makes the add-on neither parse nor keep anything"),
        |target| Box::pin(before_the_body(target)),
    ),
    Case::should(
        "heroku.auth.before-the-resource",
        "Strangers do not learn which resources there are.",
        citation::practice("the answer to a stranger is 401 for every path"),
        |target| Box::pin(before_the_resource(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must("heroku.auth.refused-is-not-done", "What is refused is not done all the same.", VERIFY, |target| {
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
    Ok(())
}

async fn wrong_on_provision(target: &Target) -> Verdict {
    let call = target.provision().credentials(&target.slug, &wrong_password(target));
    target.wire.send(call).await?.must_be(&[401], COMPARE).map(drop)
}

async fn wrong_on_plan_change(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let call = target.plan_change(&resource, target.plan()).credentials(&target.slug, &wrong_password(target));
    target.wire.send(call).await?.must_be(&[401], COMPARE).map(drop)
}

async fn wrong_on_deprovision(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let call = target.deprovision(&resource).credentials(&target.slug, &wrong_password(target));
    target.wire.send(call).await?.must_be(&[401], COMPARE).map(drop)
}

async fn wrong_user(target: &Target) -> Verdict {
    for user in [format!("{}-other", target.slug), String::new()] {
        let call = target.provision().credentials(&user, &target.password);
        let response = target.wire.send(call).await?.to(if user.is_empty() { "no user" } else { "another user" });
        response.must_be(&[401], COMPARE)?;
    }
    Ok(())
}

async fn similar(target: &Target) -> Verdict {
    let password = &target.password;
    let shorter: String = password.chars().take(password.chars().count().saturating_sub(1)).collect();
    let swapped: String = password
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let rows = [
        ("a password that lacks the last character", shorter),
        ("a password with one character more", format!("{password}x")),
        ("a password with a space behind it", format!("{password} ")),
        ("a password in the other case", swapped),
    ];
    for (what, similar) in rows.into_iter().filter(|(_, similar)| similar != password) {
        let response = target.wire.send(target.provision().credentials(&target.slug, &similar)).await?;
        response.to(what).must_be(&[401], "Compare the whole password, to the letter and to its end.")?;
    }
    Ok(())
}

async fn none(target: &Target) -> Verdict {
    let advice = "A missing Authorization header is no reason to stop: treat it as wrong credentials, and answer 401.";
    target.wire.send(target.provision().without_credentials()).await?.to("a provision").must_be_refused(advice)?;
    let resource = target.new_resource().await?;
    let change = target.plan_change(&resource, target.plan()).without_credentials();
    target.wire.send(change).await?.to("a plan change").must_be_refused(advice)?;
    let removal = target.deprovision(&resource).without_credentials();
    target.wire.send(removal).await?.to("a deprovision").must_be_refused(advice)?;
    Ok(())
}

async fn none_401(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision().without_credentials()).await?;
    response.must_be(&[401], "Answer 401, as to wrong credentials: it is the same endpoint.").map(drop)
}

async fn empty(target: &Target) -> Verdict {
    let advice = "Refuse an empty user or password, even where none is configured: then anybody could provision.";
    let rows = [
        ("an empty user and password", sign::basic("", "")),
        ("an empty password", sign::basic(&target.slug, "")),
        ("Basic with nothing behind it", "Basic ".to_owned()),
    ];
    for (what, header) in rows {
        target.wire.send(target.provision().authorization(header)).await?.to(what).must_be_refused(advice)?;
    }
    Ok(())
}

async fn other_scheme(target: &Target) -> Verdict {
    let credentials = right_credentials(target);
    let advice = "Look at the scheme: credentials count behind Basic alone.";
    let rows =
        [("Bearer in place of Basic", format!("Bearer {credentials}")), ("credentials without a scheme", credentials)];
    for (what, header) in rows {
        target.wire.send(target.provision().authorization(header)).await?.to(what).must_be_refused(advice)?;
    }
    Ok(())
}

async fn junk(target: &Target) -> Verdict {
    let credentials = right_credentials(target);
    let starred: Vec<_> = credentials.chars().map(String::from).collect();
    let rows = [
        ("stars between the characters", starred.join("*")),
        ("junk behind the credentials", format!("{credentials}!!")),
    ];
    for (what, credentials) in rows {
        let response = target.wire.send(target.provision().authorization(format!("Basic {credentials}"))).await?;
        response.to(what).must_be_refused("Use a strict base64 decoder: what it cannot read is wrong.")?;
    }
    Ok(())
}

async fn lower_case(target: &Target) -> Verdict {
    target.new_resource().await?;
    let header = format!("basic {}", right_credentials(target));
    let response = target.wire.send(target.provision().authorization(header)).await?;
    if response.status() == 401 || response.is_server_error() {
        return Err(response.wrong_status("a success", "Compare the scheme without regard to case."));
    }
    Ok(())
}

async fn challenge(target: &Target) -> Verdict {
    let response = target.wire.send(target.provision().credentials(&target.slug, &wrong_password(target))).await?;
    if response.status() != 401 {
        return Err(Stop::skipped("a wrong password is not answered 401 (see heroku.auth.wrong-password-provision)"));
    }
    match response.header("www-authenticate") {
        Some(challenge) if challenge.to_ascii_lowercase().starts_with("basic") => Ok(()),
        Some(_) => Err(response.fault("WWW-Authenticate asks for another scheme than Basic.", CHALLENGE)),
        None => Err(response.fault("The 401 has no WWW-Authenticate header.", CHALLENGE)),
    }
}

const CHALLENGE: &str = "Send WWW-Authenticate: Basic realm=\"…\" with every 401; clients and proxies go by it.";

async fn before_the_plan(target: &Target) -> Verdict {
    let call = target.provision().set("plan", target.unknown_plan()).credentials(&target.slug, &wrong_password(target));
    let response = target.wire.send(call).await?.to("a wrong password and a plan that nobody sells");
    response.must_be(&[401], COMPARE).map(drop)
}

async fn before_the_body(target: &Target) -> Verdict {
    for (what, body) in [("a wrong password and a broken body", "{"), ("a wrong password and an empty body", "")] {
        let call = target.provision().body(body).credentials(&target.slug, &wrong_password(target));
        target.wire.send(call).await?.to(what).must_be(&[401], COMPARE)?;
    }
    Ok(())
}

async fn before_the_resource(target: &Target) -> Verdict {
    let nobody = target.heroku.new_uuid();
    let wrong = wrong_password(target);
    let change = target.heroku.plan_change(&nobody, target.plan()).credentials(&target.slug, &wrong);
    target.wire.send(change).await?.to("a stranger's plan change of nothing").must_be(&[401], COMPARE)?;
    let removal = target.heroku.deprovision(&nobody).credentials(&target.slug, &wrong);
    target.wire.send(removal).await?.to("a stranger's deprovision of nothing").must_be(&[401], COMPARE)?;
    Ok(())
}

async fn not_done(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    target.wire.send(target.deprovision(&resource).credentials(&target.slug, &wrong_password(target))).await?;
    target.wire.send(target.deprovision(&resource).without_credentials()).await?;
    let after = target.probe(&resource).await?;
    if matches!(after.status(), 404 | 410) {
        return Err(after.fault(
            "After a deprovision with a wrong password the resource is gone.",
            "Look at the credentials before anything is done, and stop there.",
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
