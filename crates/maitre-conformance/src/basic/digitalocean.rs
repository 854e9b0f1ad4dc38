//! DigitalOcean: notifications, and a token over time and resource.

use maitre_testkit::{Call, DigitalOcean, Json, SignOn, SignedForm, sign};
use serde_json::json;

use super::auth::{self, route_cases};
use super::case::{OwnCases, case};
use super::contract::{BasicMarketplace, Clause, Clauses, Contract, SsoContract};
use super::forms::{Form, field};
use super::sso::{forgery, variation};
use super::target::Target;
use crate::check::Case;
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

type M = DigitalOcean;

/// A rule of DigitalOcean's own sample vendor.
const fn sample(summary: &'static str) -> Clause {
    Clause::code("marketplace-eng/sample_golang_app", summary)
}

const FORMULA: &str = "token is the HMAC-SHA256 of timestamp:resource_uuid (in this order, as sent) with the app's salt as key, in \
                       lowercase hex. Do not require Basic credentials here, and read the body as \
                       application/x-www-form-urlencoded.";

impl BasicMarketplace for DigitalOcean {
    const CONTRACT: Contract = Contract {
        marketplace: Marketplace::DigitalOcean,
        key: "uuid",
        required: "uuid",
        parameters: "metadata",
        plan: "plan_slug",
        by_key: true,
        provisioned: &[200, 201],
        plan_changed: &[200, 204],
        without_plan: &[400, 422],
        deprovisioned: &[200, 204],
        gone: &[404, 410],
        reasons: &["message"],
        sso: SsoContract {
            id: "resource_uuid",
            token: "token",
            is_link: false,
            max_age: 120,
            refused: &[401, 403],
            refused_by_redirect: false,
            fractions: false,
            formula: FORMULA,
        },
        clauses: Clauses {
            authentication: sample("Basic app_slug:password on resources and notifications"),
            unauthorized: sample("401 if Basic authentication fails"),
            challenge: Clause::rfc(9110, "a server that generates a 401 must send WWW-Authenticate"),
            provisioned: sample("200 to a provision"),
            body: sample("the response to a provision is JSON"),
            id: sample("id is required and immutable"),
            config: sample("config is an object of strings"),
            message: sample("message is optional text"),
            fields: sample("metadata is optional, with values of any JSON type"),
            minimal: Clause::practice("only the key and the plan are needed"),
            malformed: sample("400 to a malformed body"),
            missing_plan: Clause::practice("plan_slug is required"),
            refusal: sample("422 with a message to a refusal"),
            repeated: sample("a repeated uuid is answered 200 with the same id"),
            plan_changed: sample("204 to a plan change, or 200 with a message"),
            change_body: sample("204, or 200 with {message}"),
            change_missing_plan: Clause::practice("plan_slug is required"),
            change_refusal: sample("422 with a message to a refusal"),
            change_unknown: sample("404 to a plan change of an unknown resource"),
            deprovisioned: sample("200 to a deprovision; a production connector answers 204"),
            delete_body: sample("the body of a deprovision is absent or {}"),
            gone: sample("404 to a deprovision of an unknown resource"),
            sign_on: sample("a valid token redirects to the dashboard"),
            token: sample("401 if the token is wrong"),
            age: sample("a token that is more than two minutes old is refused"),
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
        let optional = ["metadata", "resource_name", "email", "creator_id", "app_slug", "oauth_grant"];
        optional.into_iter().fold(self.provision(plan), Call::without)
    }

    fn documented_provisions(&self, plan: &str) -> Vec<(&'static str, Call<Json>)> {
        let metadata = json!({ "seats": 3, "newsletter": false, "label": "Zürich ☃", "tags": ["a"], "none": null });
        let callback_url = format!("https://api.digitalocean.com/v2/saas/{}", self.new_uuid());
        vec![
            ("metadata of all JSON types", self.provision(plan).set("metadata", metadata)),
            ("a provision without metadata", self.provision(plan).without("metadata")),
            (
                "the fields of 2021",
                self.provision(plan)
                    .without("metadata")
                    .set("options", json!({ "a": "b" }))
                    .set("callback_url", callback_url),
            ),
        ]
    }
}

impl OwnCases for DigitalOcean {
    fn own_cases() -> Vec<Case<Target<Self>>> {
        let mut cases: Vec<_> = route_cases!("notification", "A notification", |target: &Target<M>, id: &str| {
            target.market().suspended([id])
        })
        .into();
        cases.extend(notifications());
        cases.extend([
            case(
                "sso-token.uppercase",
                "A token in uppercase digits is accepted.",
                sample("the token is decoded from hex in any case").advised(),
                |target| {
                    let change = |form: Form| {
                        let token = field(&form, "token").to_uppercase();
                        form.set("token", token)
                    };
                    Box::pin(async move {
                        let advice = "Decode the token from hex before you compare it.";
                        variation(target, change, "an uppercase token", advice).await.map(drop)
                    })
                },
            ),
            case(
                "sso-token.other-order",
                "A token over resource and time in the wrong order is refused.",
                sample("the message is timestamp:resource_uuid"),
                |target| Box::pin(other_order(target)),
            ),
            case(
                "sso-token.sha-1",
                "The SHA-1 token of 2021 is refused.",
                Clause::practice("SHA-1 is not used any longer"),
                |target| Box::pin(forgery(target, Form::legacy, "the SHA-1 token of 2021")),
            ),
        ]);
        cases
    }
}

const ACKNOWLEDGE: &str =
    "Answer 204, or 200. A notification that could not be processed is answered 422 with a message.";

fn notifications() -> Vec<Case<Target<M>>> {
    vec![
        case(
            "notifications.suspended",
            "The notification resources.suspended is answered 200 or 204.",
            sample("resources.suspended with resources_uuids"),
            |target| Box::pin(acknowledged(target, |target, id| target.market().suspended([id]))),
        ),
        case(
            "notifications.reactivated",
            "The notification resources.reactivated is answered 200 or 204.",
            sample("resources.reactivated with resources_uuids"),
            |target| Box::pin(reactivated(target)),
        ),
        case(
            "notifications.deprovisioning-failed",
            "The notification resources.deprovisioning.failed is answered 200 or 204.",
            sample("resources.deprovisioning.failed with resources_uuids"),
            |target| Box::pin(acknowledged(target, |target, id| target.market().deprovisioning_failed([id]))),
        ),
        case(
            "notifications.updated",
            "The notification resources.updated is answered 200 or 204.",
            sample("resources.updated with resource and plan"),
            |target| Box::pin(acknowledged(target, |target, id| target.market().updated(id, "renamed", target.plan()))),
        ),
        case(
            "notifications.batch",
            "A notification about three resources is answered 200 or 204.",
            sample("resources_uuids is a list"),
            |target| Box::pin(batch(target)),
        ),
        case(
            "notifications.repeated",
            "A repeated notification is answered 200 or 204.",
            Clause::practice("a notification has no id of its delivery and may be repeated"),
            |target| Box::pin(repeated(target)),
        ),
        case(
            "notifications.unknown-type",
            "A notification of an unknown type is answered 200 or 204.",
            Clause::practice("a new type must not break a vendor"),
            |target| Box::pin(unknown_type(target)),
        ),
        case(
            "notifications.unknown-resource",
            "A batch with an unknown resource is answered 200 or 204, or 422 with a message.",
            sample("a notification that cannot be processed is answered 422 with a message"),
            |target| Box::pin(unknown_resource(target)),
        ),
        case(
            "notifications.malformed",
            "A malformed notification is answered with a client error.",
            Clause::practice("invalid input is not a server error"),
            |target| Box::pin(malformed(target)),
        ),
        case(
            "notifications.suspended-deprovision",
            "A suspended resource can be deprovisioned.",
            Clause::practice("suspended accounts are closed some time later"),
            |target| Box::pin(suspended_deprovision(target)),
        ),
    ]
}

fn must_be_acknowledged(response: &Response) -> Verdict {
    response.must_be(&[200, 204], ACKNOWLEDGE).map(drop)
}

async fn acknowledged(target: &Target<M>, call: fn(&Target<M>, &str) -> Call<Json>) -> Verdict {
    let resource = target.new_resource().await?;
    must_be_acknowledged(&target.send(call(target, &resource.name)).await?)
}

/// Suspends a resource; skips the check if that fails.
async fn suspend(target: &Target<M>) -> Result<String, Stop> {
    let uuid = target.new_resource().await?.name;
    let response = target.send(target.market().suspended([uuid.as_str()])).await?;
    if response.is_success() {
        return Ok(uuid);
    }
    let status = response.status();
    Err(Stop::skipped(format!("a suspension is answered {status} (see digitalocean.notifications.suspended)")))
}

async fn reactivated(target: &Target<M>) -> Verdict {
    let uuid = suspend(target).await?;
    must_be_acknowledged(&target.send(target.market().reactivated([uuid.as_str()])).await?)
}

async fn batch(target: &Target<M>) -> Verdict {
    suspend(target).await?;
    let (one, two, three) = (target.new_resource().await?, target.new_resource().await?, target.new_resource().await?);
    let uuids = [one.name.as_str(), two.name.as_str(), three.name.as_str()];
    must_be_acknowledged(&target.send(target.market().suspended(uuids)).await?.to("a batch of three resources"))
}

async fn repeated(target: &Target<M>) -> Verdict {
    let uuid = suspend(target).await?;
    must_be_acknowledged(&target.send(target.market().suspended([uuid.as_str()])).await?.to("a repeated suspension"))
}

async fn unknown_type(target: &Target<M>) -> Verdict {
    let uuid = suspend(target).await?;
    for payload in [json!({ "resources_uuids": [uuid] }), json!({}), json!({ "other": [1, null] })] {
        let call = target.market().notification("resources.invented", payload);
        must_be_acknowledged(&target.send(call).await?.to("a notification of an unknown type"))?;
    }
    Ok(())
}

async fn unknown_resource(target: &Target<M>) -> Verdict {
    let (uuid, unknown) = (suspend(target).await?, target.market().new_uuid());
    let call = target.market().suspended([unknown.as_str(), uuid.as_str()]);
    let response = target.send(call).await?.to("a batch with an unknown resource");
    match response.status() {
        422 => super::provision::must_be_refused_with_message::<M>(&response),
        _ => must_be_acknowledged(&response),
    }
}

async fn malformed(target: &Target<M>) -> Verdict {
    suspend(target).await?;
    let market = target.market();
    let calls = [
        market.suspended([]).body("{"),
        market.suspended([]).without("payload"),
        market.suspended([]).without("type"),
        market.notification("resources.suspended", json!({ "resources_uuids": "text" })),
        market.notification("resources.suspended", json!({ "resources_uuids": [7] })),
        market.notification("resources.updated", json!({})),
    ];
    for call in calls {
        target.send(call).await?.to("a malformed notification").must_be_refused("Answer 400 with a message.")?;
    }
    Ok(())
}

async fn suspended_deprovision(target: &Target<M>) -> Verdict {
    target.require_deprovision().await?;
    let uuid = suspend(target).await?;
    let response = target.send(target.market().deprovision(&uuid)).await?.to("a deprovision of a suspended resource");
    super::deprovision::must_succeed::<M>(&response)
}

async fn other_order(target: &Target<M>) -> Verdict {
    let salt = target.addon.salt.clone();
    let change = |form: Form| {
        let (uuid, timestamp) = (field(&form, "resource_uuid"), field(&form, "timestamp"));
        // the function puts its third argument first
        form.set("token", sign::digitalocean(&timestamp, &salt, &uuid))
    };
    forgery(target, change, "a token over resource_uuid:timestamp").await
}
