//! Clever Cloud: a signature over resource and user, with timestamps in milliseconds or seconds.

use maitre_testkit::{Call, CleverCloud, Json, SignOn, SignedForm};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::case::{OwnCases, case};
use super::contract::{BasicMarketplace, Clause, Clauses, Contract, SsoContract};
use super::forms::Form;
use super::provision::config_listed;
use super::sso::{forgery, must_be_accepted, variation};
use super::target::Target;
use crate::check::{Capability, Case};
use crate::marketplace::Marketplace;
use crate::verdict::Verdict;

type M = CleverCloud;

/// A rule of Clever Cloud's documentation.
const fn documentation(summary: &'static str) -> Clause {
    Clause::documented("Clever Cloud: add-on provider API", summary)
}

/// A rule of Clever Cloud's own kit for providers.
const fn kit(summary: &'static str) -> Clause {
    Clause::code("CleverCloud/clevercloud-provider-go", summary)
}

const FORMULA: &str = "signature is the SHA-512 of id:user_id:email:nav-data:sso_salt:timestamp: these fields of the form, decoded, \
                       in this order, joined by colons, in lowercase hex, with the timestamp as sent. Do not require Basic \
                       credentials here, and read the body as application/x-www-form-urlencoded.";

impl BasicMarketplace for CleverCloud {
    const CONTRACT: Contract = Contract {
        marketplace: Marketplace::CleverCloud,
        key: "addon_id",
        required: "addon_id",
        parameters: "options",
        plan: "plan",
        by_key: false,
        provisioned: &[200, 201],
        plan_changed: &[200],
        without_plan: &[400, 422],
        deprovisioned: &[200, 204],
        gone: &[200, 204, 404, 410],
        reasons: &["message"],
        sso: SsoContract {
            id: "id",
            token: "signature",
            is_link: false,
            max_age: 300,
            refused: &[400, 401, 403],
            refused_by_redirect: false,
            fractions: true,
            formula: FORMULA,
        },
        clauses: Clauses {
            authentication: documentation("Basic with the manifest's id and api.password"),
            unauthorized: documentation("401 if Basic authentication fails"),
            challenge: Clause::rfc(9110, "a server that generates a 401 must send WWW-Authenticate"),
            provisioned: kit("200 to a provision"),
            body: documentation("the response to a provision is JSON"),
            id: documentation("id is a string, never a number"),
            config: documentation("config is an object of strings"),
            message: documentation("message is optional text"),
            fields: documentation("options may be empty; logplex_token may still arrive"),
            minimal: Clause::practice("older requests have neither owner_name nor user_id"),
            malformed: Clause::practice("invalid input is not a server error"),
            missing_plan: Clause::practice("plan is required"),
            refusal: Clause::practice("422 with a message to a refusal"),
            repeated: Clause::practice("addon_id is unique, and repeated on a retry"),
            plan_changed: kit("200 to a plan change"),
            change_body: kit("{config, message} in the response to a plan change, both optional"),
            change_missing_plan: Clause::practice("plan is required"),
            change_refusal: Clause::practice("422 with a message to a refusal"),
            change_unknown: Clause::code("CleverCloud/addon-provider-template", "404 to an unknown resource"),
            deprovisioned: documentation("200 to a deprovision; the kit answers 204"),
            delete_body: Clause::practice("a body is ignored"),
            gone: Clause::practice("404 for an unknown resource, 410 for a deprovisioned one, or a success"),
            sign_on: documentation("a valid signature opens the dashboard"),
            token: documentation("signature covers id, user_id, email, nav-data and timestamp"),
            age: documentation("a sign-on is valid for about five minutes").advised(),
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
        self.new_addon_id()
    }

    fn minimal_provision(&self, plan: &str) -> Call<Json> {
        self.provision(plan).without("owner_name").without("user_id")
    }

    fn documented_provisions(&self, plan: &str) -> Vec<(&'static str, Call<Json>)> {
        let options = json!({ "version": "16", "label": "Zürich ☃" });
        vec![
            ("options that are null", self.provision(plan).set("options", Value::Null)),
            ("options of strings", self.provision(plan).set("options", options)),
            ("the deprecated logplex_token", self.provision(plan).set("logplex_token", "t.0f1e2d3c")),
        ]
    }
}

impl OwnCases for CleverCloud {
    fn own_cases() -> Vec<Case<Target<Self>>> {
        let signed = documentation("signature covers id, user_id, email, nav-data and timestamp");
        vec![
            case(
                "provision.status",
                "A provision is answered 200.",
                Clause::practice("no code of Clever Cloud shows 201"),
                |target| Box::pin(status(target)),
            ),
            case(
                "provision.config-listed",
                "The manifest lists all config vars.",
                documentation("config vars that are not in config_vars are ignored").advised(),
                |target| Box::pin(config_listed(target)),
            )
            .needs(&[Capability::ConfigVars, Capability::Synchronous]),
            case("sso-token.altered-email", "A form with a changed email address is refused.", signed, |target| {
                Box::pin(altered(target, "email", "mallory@example.org"))
            }),
            case("sso-token.altered-user", "A form with a changed user is refused.", signed, |target| {
                Box::pin(altered(target, "user_id", "user_00000000-0000-4000-8000-000000000000"))
            }),
            case("sso-token.altered-nav-data", "A form with a changed nav-data is refused.", signed, |target| {
                Box::pin(altered(target, "nav-data", "e30"))
            }),
            case(
                "sso-token.without-nav-data",
                "A form without nav-data is accepted.",
                Clause::practice("nav-data is empty today"),
                |target| Box::pin(without_nav_data(target)),
            ),
            case(
                "sso-token.legacy-beside",
                "A valid signature decides, even if the legacy token in the same request is wrong.",
                Clause::code("CleverCloud/clever-client.js", "the form may still have a token").advised(),
                |target| Box::pin(legacy_beside(target)),
            ),
            case(
                "sso-token.sha-1",
                "The SHA-1 token from before 2025 is refused.",
                Clause::practice("it does not cover the user"),
                |target| Box::pin(forgery(target, Form::legacy, "the SHA-1 token")),
            ),
            case(
                "sso-window.milliseconds",
                "A timestamp in milliseconds is accepted.",
                documentation("timestamp is in milliseconds"),
                |target| Box::pin(milliseconds(target)),
            ),
            case(
                "sso-window.seconds",
                "A timestamp in seconds is accepted.",
                Clause::code("CleverCloud/clevercloud-provider-go", "compares the timestamp in seconds").advised(),
                |target| Box::pin(unit(target, 1)),
            ),
        ]
    }
}

async fn status(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    target.send(target.provision()).await?.must_be(&[200], "Answer 200.").map(drop)
}

async fn altered(target: &Target<M>, field: &str, value: &str) -> Verdict {
    let description = format!("a form whose {field} was changed after signing");
    forgery(target, |form| form.set(field, value), &description).await
}

async fn without_nav_data(target: &Target<M>) -> Verdict {
    let advice = "Compute the signature with an empty nav-data if there is none.";
    variation(target, |form| form.without("nav-data"), "a form without nav-data", advice).await.map(drop)
}

async fn legacy_beside(target: &Target<M>) -> Verdict {
    let change = |form: Form| form.set("token", "0".repeat(40));
    variation(target, change, "a valid signature beside another token", "Ignore token if there is a signature.")
        .await
        .map(drop)
}

/// Requires that a sign-on is accepted whose timestamp is in this fraction of a second.
async fn unit(target: &Target<M>, per_second: i128) -> Verdict {
    let resource = target.resource_to_sign_on().await?;
    let timestamp = i128::from(OffsetDateTime::now_utc().unix_timestamp() - 1) * per_second;
    let form = target.sign_on_with_timestamp(&resource.name, &timestamp.to_string());
    let response = target.post(form).await?.to(format!("the timestamp {timestamp}"));
    must_be_accepted::<M>(&response, "Accept milliseconds and seconds: values from 10^11 on are milliseconds.")
}

/// The ordinary form of the other checks is in milliseconds, so this does not build on it.
async fn milliseconds(target: &Target<M>) -> Verdict {
    let resource = target.shared_resource().await?;
    let in_seconds = (OffsetDateTime::now_utc().unix_timestamp() - 2).to_string();
    let seconds = target.post(target.sign_on_with_timestamp(&resource.name, &in_seconds)).await?;
    let response = target.post(target.sign_on_to(&resource)).await?.to("a timestamp in milliseconds");
    if must_be_accepted::<M>(&seconds, "").is_err() && must_be_accepted::<M>(&response, "").is_err() {
        return Err(crate::verdict::Stop::skipped("a valid token is not accepted (see clevercloud.sso-token.lets-in)"));
    }
    must_be_accepted::<M>(&response, "Accept milliseconds and seconds: values from 10^11 on are milliseconds.")
}
