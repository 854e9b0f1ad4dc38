//! Who may order, change and remove.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre_testkit::sign;

use super::{PLAN_CHANGE, Subject, clause};
use crate::check::{Case, Clause};
use crate::verdict::{Stop, Verdict};

const COMPARE: &str = "Compare user and password with the manifest's id and api.password before anything else, on every \
                       route but single sign-on, and answer 401 if they differ.";

const VERIFY: Clause = clause::reference("the vendor must verify the Basic credentials of every call");
const WRONG: Clause = clause::kensa("wrong credentials are answered 401 on POST, PUT and DELETE");

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "heroku.auth.right-credentials",
        "The manifest's id and password let Heroku in.",
        clause::reference("Heroku calls with Basic, the manifest's id and api.password"),
        |it| Box::pin(right(it)),
    ),
    Case::must(
        "heroku.auth.wrong-password-provision",
        "A provision with a wrong password is answered 401.",
        WRONG,
        |it| Box::pin(wrong_on_provision(it)),
    ),
    Case::must(
        "heroku.auth.wrong-password-plan-change",
        "A plan change with a wrong password is answered 401.",
        WRONG,
        |it| Box::pin(wrong_on_plan_change(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.auth.wrong-password-deprovision",
        "A deprovision with a wrong password is answered 401.",
        WRONG,
        |it| Box::pin(wrong_on_deprovision(it)),
    ),
    Case::must("heroku.auth.wrong-user", "The right password under another user is answered 401.", WRONG, |it| {
        Box::pin(wrong_user(it))
    }),
    Case::must("heroku.auth.similar-password", "A password that is nearly right is a wrong one.", WRONG, |it| {
        Box::pin(similar(it))
    }),
    Case::must(
        "heroku.auth.no-credentials",
        "A call without credentials is refused on every route, and does not make the add-on stumble.",
        VERIFY,
        |it| Box::pin(none(it)),
    ),
    Case::should(
        "heroku.auth.no-credentials-401",
        "A call without credentials is answered 401.",
        clause::rfc(9110, "401 is the status of a request that lacks credentials"),
        |it| Box::pin(none_401(it)),
    ),
    Case::must("heroku.auth.empty-credentials", "Empty credentials let nobody in.", VERIFY, |it| Box::pin(empty(it))),
    Case::should(
        "heroku.auth.other-scheme",
        "The right credentials under another scheme, or under none, let nobody in.",
        clause::rfc(7617, "the scheme is Basic"),
        |it| Box::pin(other_scheme(it)),
    ),
    Case::should(
        "heroku.auth.strict-base64",
        "Credentials in broken base64 let nobody in.",
        clause::rfc(4648, "characters outside the alphabet are refused"),
        |it| Box::pin(junk(it)),
    ),
    Case::should(
        "heroku.auth.scheme-in-any-case",
        "The scheme may be written in lower case.",
        clause::rfc(9110, "the names of authentication schemes are case-insensitive"),
        |it| Box::pin(lower_case(it)),
    ),
    Case::should(
        "heroku.auth.challenge",
        "A 401 says by WWW-Authenticate how to come in.",
        clause::rfc(9110, "a 401 carries WWW-Authenticate"),
        |it| Box::pin(challenge(it)),
    ),
    Case::must(
        "heroku.auth.before-the-plan",
        "Credentials are looked at before the plan is.",
        clause::kensa("a wrong password is answered 401 whatever the plan"),
        |it| Box::pin(before_the_plan(it)),
    ),
    Case::should(
        "heroku.auth.before-the-body",
        "Credentials are looked at before the body is read.",
        clause::practice("a stranger makes the add-on neither parse nor keep anything"),
        |it| Box::pin(before_the_body(it)),
    ),
    Case::should(
        "heroku.auth.before-the-resource",
        "Strangers do not learn which resources there are.",
        clause::practice("the answer to a stranger is 401 for every path"),
        |it| Box::pin(before_the_resource(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must("heroku.auth.refused-is-not-done", "What is refused is not done all the same.", VERIFY, |it| {
        Box::pin(not_done(it))
    })
    .needs(PLAN_CHANGE),
];

async fn right(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order()).await?;
    if matches!(seen.status(), 401 | 403) {
        return Err(seen.wrong_status(
            "a success",
            "Either the manifest is not the one of this add-on, or the add-on reads the header wrongly: decode all of it, \
             whatever its length, as UTF-8, and split at the first colon.",
        ));
    }
    Ok(())
}

async fn wrong_on_provision(it: &Subject) -> Verdict {
    let call = it.order().credentials(&it.slug, &wrong_password(it));
    it.wire.send(call).await?.must_be(&[401], COMPARE).map(drop)
}

async fn wrong_on_plan_change(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    let call = it.plan_change(&resource, it.plan()).credentials(&it.slug, &wrong_password(it));
    it.wire.send(call).await?.must_be(&[401], COMPARE).map(drop)
}

async fn wrong_on_deprovision(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let call = it.deprovision(&resource).credentials(&it.slug, &wrong_password(it));
    it.wire.send(call).await?.must_be(&[401], COMPARE).map(drop)
}

async fn wrong_user(it: &Subject) -> Verdict {
    for user in [format!("{}-other", it.slug), String::new()] {
        let call = it.order().credentials(&user, &it.password);
        let seen = it.wire.send(call).await?.to(if user.is_empty() { "no user" } else { "another user" });
        seen.must_be(&[401], COMPARE)?;
    }
    Ok(())
}

async fn similar(it: &Subject) -> Verdict {
    let password = &it.password;
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
        let seen = it.wire.send(it.order().credentials(&it.slug, &similar)).await?;
        seen.to(what).must_be(&[401], "Compare the whole password, to the letter and to its end.")?;
    }
    Ok(())
}

async fn none(it: &Subject) -> Verdict {
    let advice = "A missing Authorization header is no reason to stop: treat it as wrong credentials, and answer 401.";
    it.wire.send(it.order().no_credentials()).await?.to("a provision").must_be_refused(advice)?;
    let resource = it.ordered().await?;
    let change = it.plan_change(&resource, it.plan()).no_credentials();
    it.wire.send(change).await?.to("a plan change").must_be_refused(advice)?;
    let removal = it.deprovision(&resource).no_credentials();
    it.wire.send(removal).await?.to("a deprovision").must_be_refused(advice)?;
    Ok(())
}

async fn none_401(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order().no_credentials()).await?;
    seen.must_be(&[401], "Answer 401, as to wrong credentials: it is the same door.").map(drop)
}

async fn empty(it: &Subject) -> Verdict {
    let advice = "Refuse an empty user or password, even where none is configured: then anybody could order.";
    let rows = [
        ("an empty user and password", sign::basic("", "")),
        ("an empty password", sign::basic(&it.slug, "")),
        ("Basic with nothing behind it", "Basic ".to_owned()),
    ];
    for (what, header) in rows {
        it.wire.send(it.order().authorization(header)).await?.to(what).must_be_refused(advice)?;
    }
    Ok(())
}

async fn other_scheme(it: &Subject) -> Verdict {
    let credentials = right_credentials(it);
    let advice = "Look at the scheme: credentials count behind Basic alone.";
    let rows =
        [("Bearer in place of Basic", format!("Bearer {credentials}")), ("credentials without a scheme", credentials)];
    for (what, header) in rows {
        it.wire.send(it.order().authorization(header)).await?.to(what).must_be_refused(advice)?;
    }
    Ok(())
}

async fn junk(it: &Subject) -> Verdict {
    let credentials = right_credentials(it);
    let starred: Vec<_> = credentials.chars().map(String::from).collect();
    let rows = [
        ("stars between the characters", starred.join("*")),
        ("junk behind the credentials", format!("{credentials}!!")),
    ];
    for (what, credentials) in rows {
        let seen = it.wire.send(it.order().authorization(format!("Basic {credentials}"))).await?;
        seen.to(what).must_be_refused("Use a strict base64 decoder: what it cannot read is wrong.")?;
    }
    Ok(())
}

async fn lower_case(it: &Subject) -> Verdict {
    it.ordered().await?;
    let header = format!("basic {}", right_credentials(it));
    let seen = it.wire.send(it.order().authorization(header)).await?;
    if seen.status() == 401 || seen.is_server_error() {
        return Err(seen.wrong_status("a success", "Compare the scheme without regard to case."));
    }
    Ok(())
}

async fn challenge(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order().credentials(&it.slug, &wrong_password(it))).await?;
    if seen.status() != 401 {
        return Err(Stop::skipped("a wrong password is not answered 401 (see heroku.auth.wrong-password-provision)"));
    }
    match seen.header("www-authenticate") {
        Some(challenge) if challenge.to_ascii_lowercase().starts_with("basic") => Ok(()),
        Some(_) => Err(seen.fault("WWW-Authenticate asks for another scheme than Basic.", CHALLENGE)),
        None => Err(seen.fault("The 401 has no WWW-Authenticate header.", CHALLENGE)),
    }
}

const CHALLENGE: &str = "Send WWW-Authenticate: Basic realm=\"…\" with every 401; clients and proxies go by it.";

async fn before_the_plan(it: &Subject) -> Verdict {
    let call = it.order().set("plan", it.no_plan()).credentials(&it.slug, &wrong_password(it));
    let seen = it.wire.send(call).await?.to("a wrong password and a plan that nobody sells");
    seen.must_be(&[401], COMPARE).map(drop)
}

async fn before_the_body(it: &Subject) -> Verdict {
    for (what, body) in [("a wrong password and a broken body", "{"), ("a wrong password and an empty body", "")] {
        let call = it.order().body(body).credentials(&it.slug, &wrong_password(it));
        it.wire.send(call).await?.to(what).must_be(&[401], COMPARE)?;
    }
    Ok(())
}

async fn before_the_resource(it: &Subject) -> Verdict {
    let nobody = it.market.new_uuid();
    let wrong = wrong_password(it);
    let change = it.market.plan_change(&nobody, it.plan()).credentials(&it.slug, &wrong);
    it.wire.send(change).await?.to("a stranger's plan change of nothing").must_be(&[401], COMPARE)?;
    let removal = it.market.deprovision(&nobody).credentials(&it.slug, &wrong);
    it.wire.send(removal).await?.to("a stranger's deprovision of nothing").must_be(&[401], COMPARE)?;
    Ok(())
}

async fn not_done(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    it.wire.send(it.deprovision(&resource).credentials(&it.slug, &wrong_password(it))).await?;
    it.wire.send(it.deprovision(&resource).no_credentials()).await?;
    let after = it.is_alive(&resource).await?;
    if matches!(after.status(), 404 | 410) {
        return Err(after.fault(
            "After a deprovision with a wrong password the resource is gone.",
            "Look at the credentials before anything is done, and stop there.",
        ));
    }
    Ok(())
}

fn wrong_password(it: &Subject) -> String {
    if it.password == "wrong" { "false".to_owned() } else { "wrong".to_owned() }
}

fn right_credentials(it: &Subject) -> String {
    BASE64_STANDARD.encode(format!("{}:{}", it.slug, it.password))
}
