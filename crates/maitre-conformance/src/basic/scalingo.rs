//! Scalingo: plan changes by PATCH, suspension, and sign-on by a link.

use maitre_testkit::{Call, Json, Scalingo, SignOn, SignedForm};
use serde_json::json;

use super::auth::{self, route_cases};
use super::case::{OwnCases, case};
use super::contract::{BasicMarketplace, Clause, Clauses, Contract, SsoContract};
use super::provision::config_listed;
use super::resource::Resource;
use super::sso::{must_be_refused, variation};
use super::target::Target;
use crate::check::{Capability, Case};
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

type M = Scalingo;

/// Maximum number of characters of an id.
const MAX_ID: usize = 255;

/// A rule of Scalingo's documentation.
const fn documentation(summary: &'static str) -> Clause {
    Clause::documented("Scalingo: add-on provider API", summary)
}

/// A rule of Scalingo's own boilerplate for providers.
const fn boilerplate(summary: &'static str) -> Clause {
    Clause::code("Scalingo/ruby-addon-provider-boilerplate", summary)
}

const FORMULA: &str = "token is the SHA-1 of id:sso_salt:timestamp, joined by colons, in lowercase hex, where id is the one in the \
                       response to the provision. The fields are in the query of a GET, without Basic credentials.";

impl BasicMarketplace for Scalingo {
    const CONTRACT: Contract = Contract {
        marketplace: Marketplace::Scalingo,
        key: "uuid",
        required: "app_id",
        parameters: "options",
        plan: "plan",
        by_key: false,
        provisioned: &[200, 201, 202],
        plan_changed: &[200, 202],
        without_plan: &[422],
        deprovisioned: &[204],
        gone: &[200, 204, 404, 410],
        reasons: &["message", "error"],
        sso: SsoContract {
            id: "id",
            token: "token",
            is_link: true,
            max_age: 3_600,
            refused: &[400, 401, 403, 404],
            refused_by_redirect: true,
            fractions: false,
            formula: FORMULA,
        },
        clauses: Clauses {
            authentication: documentation("Basic with the manifest's username and password"),
            unauthorized: boilerplate("401 if Basic authentication fails"),
            challenge: boilerplate("a 401 has WWW-Authenticate: Basic"),
            provisioned: documentation("200 or 201 to a provision, or 202 if it continues"),
            body: documentation("the response to a provision is JSON"),
            id: documentation("id is unique, and used in later paths and in sign-on"),
            config: documentation("config is an object of strings"),
            message: documentation("message is optional text"),
            fields: boilerplate("options are optional; shard_id may arrive"),
            minimal: documentation("only plan and app_id are required"),
            malformed: Clause::practice("invalid input is not a server error"),
            missing_plan: Clause::practice("plan is required"),
            refusal: boilerplate("422 to a refusal"),
            repeated: Clause::practice("uuid is the key, if it is sent"),
            plan_changed: documentation("200 to a plan change; the boilerplate may answer 202"),
            change_body: documentation("{message, config} in the response to a plan change, both optional"),
            change_missing_plan: boilerplate("422 to a plan change without a plan"),
            change_refusal: Clause::practice("422 with a message to a refusal"),
            change_unknown: Clause::practice("404 to an unknown resource"),
            deprovisioned: documentation("204 to a deprovision"),
            delete_body: Clause::practice("a body is ignored"),
            gone: Clause::practice("204 to a repeated deprovision, or 404 or 410"),
            sign_on: documentation("a valid token opens the dashboard"),
            token: documentation("token is the SHA-1 of id, salt and timestamp"),
            age: documentation("a link expires after one hour"),
        },
    };

    fn connect(root: &str, user: &str, password: &str, salt: &str) -> Self {
        Self::new(root, user, password, salt)
    }

    fn provision(&self, plan: &str) -> Call<Json> {
        self.provision(plan)
    }

    fn plan_change(&self, id: &str, plan: &str) -> Call<Json> {
        self.plan_change(id, plan)
    }

    fn deprovision(&self, id: &str) -> Call<Json> {
        self.deprovision(id)
    }

    fn single_sign_on(&self, id: &str) -> Call<SignOn<SignedForm>> {
        self.single_sign_on(id)
    }

    fn new_key(&self) -> String {
        self.new_uuid()
    }

    fn minimal_provision(&self, plan: &str) -> Call<Json> {
        self.provision(plan).without("options").without("uuid")
    }

    fn documented_provisions(&self, plan: &str) -> Vec<(&'static str, Call<Json>)> {
        vec![
            ("options", self.provision(plan).set("options", json!({ "version": "16", "label": "Zürich ☃" }))),
            ("a provision without options", self.provision(plan).without("options")),
            ("a shard_id", self.provision(plan).set("shard_id", "shard-7")),
        ]
    }
}

impl OwnCases for Scalingo {
    fn own_cases() -> Vec<Case<Target<Self>>> {
        let mut cases = Vec::new();
        cases.extend(route_cases!("patch", "A plan change by PATCH", |target: &Target<M>, id: &str| {
            target.market().plan_change(id, target.other_plan()).method("PATCH")
        }));
        cases.extend(route_cases!("suspend", "A suspension", |target: &Target<M>, id: &str| {
            target.market().suspend(id)
        }));
        cases.extend(route_cases!("resume", "A resumption", |target: &Target<M>, id: &str| {
            target.market().resume(id)
        }));
        cases.extend([
            case("provision.id-length", "The id has at most 255 characters.", ID_LENGTH, |target| {
                Box::pin(id_length(target))
            }),
            case(
                "provision.config-listed",
                "The manifest lists all config vars.",
                documentation("the keys of config are in config_vars"),
                |target| Box::pin(config_listed(target)),
            )
            .needs(&[Capability::ConfigVars, Capability::Synchronous]),
            case(
                "provision.app-is-no-key",
                "Two provisions of one app without a uuid create two resources.",
                Clause::practice("an app may have several add-ons of a provider"),
                |target| Box::pin(app_is_no_key(target)),
            ),
            case(
                "plan-change.patch",
                "A plan change by PATCH succeeds like one by PUT.",
                boilerplate("PUT and PATCH have the same action"),
                |target| Box::pin(patch(target)),
            ),
            case(
                "malformed.error-and-message",
                "A refusal has its reason in error and in message.",
                Clause::practice("the body of an error is not documented; the boilerplate sends error"),
                |target| Box::pin(error_and_message(target)),
            ),
            case(
                "sso-window.six-minutes-old",
                "A token that is six minutes old is refused.",
                boilerplate("a link is accepted for five minutes").advised(),
                |target| Box::pin(six_minutes_old(target)),
            ),
            case(
                "sso-session.no-referrer",
                "The response to a link has Referrer-Policy: no-referrer.",
                Clause::practice("the link is a secret until it expires"),
                |target| Box::pin(no_referrer(target)),
            ),
        ]);
        cases.extend(suspension());
        cases
    }
}

const ID_LENGTH: Clause = documentation("id has at most 255 characters");

async fn id_length(target: &Target<M>) -> Verdict {
    let resource = target.new_resource().await?;
    if resource.id.chars().count() <= MAX_ID {
        return Ok(());
    }
    let message = format!("The id has {} characters.", resource.id.chars().count());
    Err(resource.response.fault(message, "Return the uuid of the request, or a shorter id of your own."))
}

async fn app_is_no_key(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let call = target.provision().without("uuid");
    let first = target.send(call.clone()).await?.to("a provision without a uuid");
    let first = Resource::from_response::<M>(call.clone(), first)?;
    let second = Resource::from_response::<M>(call.clone(), target.send(call).await?)?;
    if first.id == second.id {
        return Err(second.response.fault(
            format!("The second provision got the id of the first one, {}.", first.id),
            "Create a new resource for every provision without a uuid: app and plan are not a key.",
        ));
    }
    Ok(())
}

async fn patch(target: &Target<M>) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.new_resource().await?;
    let call = target.market().plan_change(&resource.name, target.other_plan()).method("PATCH");
    let response = target.send(call).await?.to("a plan change by PATCH");
    response.must_be(M::CONTRACT.plan_changed, "Route PUT and PATCH to the same action.").map(drop)
}

async fn error_and_message(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let response = target.send(target.provision().set("plan", target.unknown_plan())).await?.to("an unknown plan");
    if response.status() != 422 {
        return Err(Stop::skipped("an unknown plan is not answered 422 (see scalingo.provision.unknown-plan)"));
    }
    let body = response.json().unwrap_or_default();
    match ["error", "message"].into_iter().find(|name| !body[name].is_string()) {
        None => Ok(()),
        Some(name) => Err(response.fault(format!("The refusal has no {name}."), "Send the reason in both fields.")),
    }
}

async fn six_minutes_old(target: &Target<M>) -> Verdict {
    let resource = target.resource_to_forge().await?;
    let response = target.post(target.sign_on_at(&resource.name, -360)).await?.to("a token that is 360 s old");
    must_be_refused::<M>(&response, "Accept a link for five minutes, and at most for the hour that Scalingo names.")
}

async fn no_referrer(target: &Target<M>) -> Verdict {
    let advice = "Send Referrer-Policy: no-referrer, and redirect.";
    let response = variation(target, |form| form, "a valid link", advice).await?;
    match response.header("referrer-policy") {
        Some("no-referrer") => Ok(()),
        _ => Err(response.fault("The response does not have Referrer-Policy: no-referrer.", advice)),
    }
}

fn suspension() -> Vec<Case<Target<M>>> {
    let idempotent = Clause::practice("a suspension is idempotent");
    vec![
        case("suspension.suspend", "A suspension is answered 204.", boilerplate("204 to suspend"), |target| {
            Box::pin(suspends(target))
        }),
        case("suspension.resume", "A resumption is answered 204.", boilerplate("204 to resume"), |target| {
            Box::pin(resumes(target))
        }),
        case(
            "suspension.empty-object",
            "A suspension and a resumption with the body {} are answered 204.",
            Clause::practice("a body is ignored"),
            |target| Box::pin(empty_object(target)),
        ),
        case("suspension.repeated", "A repeated suspension is answered 204.", idempotent, |target| {
            Box::pin(suspended_again(target))
        }),
        case("suspension.resumed-again", "A repeated resumption is answered 204.", idempotent, |target| {
            Box::pin(resumed_again(target))
        }),
        case(
            "suspension.unknown",
            "A suspension of an unknown resource is answered with a client error.",
            Clause::practice("404 to an unknown resource"),
            |target| Box::pin(unknown(target)),
        ),
        case(
            "suspension.deprovision",
            "A suspended resource can be deprovisioned.",
            Clause::practice("suspended accounts are closed some time later"),
            |target| Box::pin(deprovision(target)),
        ),
        case(
            "suspension.leaves-others",
            "A suspended resource does not prevent a provision.",
            Clause::practice("a suspension concerns one resource"),
            |target| Box::pin(leaves_others(target)),
        ),
    ]
}

fn must_be_204(response: &Response) -> Verdict {
    response.must_be(&[204], "Answer 204 without a body; the request has no body, either.").map(drop)
}

async fn suspends(target: &Target<M>) -> Verdict {
    let resource = target.new_resource().await?;
    must_be_204(&target.send(target.market().suspend(&resource.name)).await?)
}

/// Creates a suspended resource; skips the check if that fails.
async fn suspended(target: &Target<M>) -> Result<Resource, Stop> {
    let resource = target.new_resource().await?;
    let status = target.send(target.market().suspend(&resource.name)).await?.status();
    if status == 204 {
        return Ok(resource);
    }
    Err(Stop::skipped(format!("a suspension is answered {status} (see scalingo.suspension.suspend)")))
}

async fn resumes(target: &Target<M>) -> Verdict {
    let resource = suspended(target).await?;
    must_be_204(&target.send(target.market().resume(&resource.name)).await?)
}

async fn empty_object(target: &Target<M>) -> Verdict {
    let resource = suspended(target).await?;
    for call in [target.market().suspend(&resource.name), target.market().resume(&resource.name)] {
        let call = call.header("content-type", "application/json").body("{}");
        must_be_204(&target.send(call).await?.to("a request with the body {}"))?;
    }
    Ok(())
}

async fn suspended_again(target: &Target<M>) -> Verdict {
    let resource = suspended(target).await?;
    must_be_204(&target.send(target.market().suspend(&resource.name)).await?.to("a repeated suspension"))
}

async fn resumed_again(target: &Target<M>) -> Verdict {
    let resource = suspended(target).await?;
    let first = target.send(target.market().resume(&resource.name)).await?.status();
    if first != 204 {
        return Err(Stop::skipped(format!("a resumption is answered {first} (see scalingo.suspension.resume)")));
    }
    must_be_204(&target.send(target.market().resume(&resource.name)).await?.to("a repeated resumption"))
}

async fn unknown(target: &Target<M>) -> Verdict {
    suspended(target).await?;
    let key = target.market().new_uuid();
    for call in [target.market().suspend(&key), target.market().resume(&key)] {
        target.send(call).await?.to("a request about an unknown resource").must_be_refused("Answer 404.")?;
    }
    Ok(())
}

async fn deprovision(target: &Target<M>) -> Verdict {
    target.require_deprovision().await?;
    let resource = suspended(target).await?;
    super::deprovision::must_succeed::<M>(&target.delete(&resource).await?.to("a deprovision of a suspended resource"))
}

async fn leaves_others(target: &Target<M>) -> Verdict {
    suspended(target).await?;
    let response = target.send(target.provision()).await?.to("a provision beside a suspended resource");
    super::provision::must_succeed::<M>(&response, "Suspend only the resource that the path names.")
}
