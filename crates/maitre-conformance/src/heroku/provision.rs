//! What may be asked in a provision, and how it is answered.

use std::time::Duration;

use maitre_testkit::Call;
use maitre_testkit::heroku::Provision;
use serde_json::{Value, json};

use super::{Resource, Subject, clause};
use crate::check::{Capability, Case};
use crate::made;
use crate::rules::{must_be_called_json, must_be_told, must_have_an_id};
use crate::run::Subject as _;
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

/// Heroku asks for an answer within this time, and gives up after 25 s.
const PROMPT: Duration = Duration::from_secs(3);

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "heroku.provision.succeeds",
        "A provision is answered 200, or 202 by an add-on that finishes later.",
        clause::reference("200 when it is done, 202 when it is done later, 422 when it cannot be done"),
        |it| Box::pin(succeeds(it)),
    ),
    Case::info(
        "heroku.provision.status",
        "A provision that is done is answered 200, not 201.",
        clause::reference("version 3 names 200 and 202 alone"),
        |it| Box::pin(status(it)),
    ),
    Case::must(
        "heroku.provision.json",
        "The answer is a JSON object.",
        clause::reference_v1("the body of an answer is valid JSON"),
        |it| Box::pin(is_json(it)),
    ),
    Case::should(
        "heroku.provision.content-type",
        "The answer is called JSON.",
        clause::reference_v1("answers are of type application/json"),
        |it| Box::pin(content_type(it)),
    ),
    Case::must(
        "heroku.provision.id",
        "The answer holds the add-on's id of the resource, a text or a whole number.",
        clause::reference("id is required with 200 and with 202"),
        |it| Box::pin(id(it)),
    ),
    Case::must(
        "heroku.provision.id-works",
        "Later calls reach the resource by the id of the answer.",
        clause::reference("plan changes and deprovisions go to base_url and the id"),
        |it| Box::pin(id_works(it)),
    ),
    Case::must(
        "heroku.provision.ids-differ",
        "Two resources have two ids.",
        clause::reference_v1("id is unique across the service"),
        |it| Box::pin(ids_differ(it)),
    ),
    Case::must(
        "heroku.provision.id-of-its-own",
        "The id is made of nothing that Heroku sent but the uuid.",
        clause::best_practices("names and URLs of Heroku change; use the uuid, or an id of your own"),
        |it| Box::pin(id_of_its_own(it)),
    ),
    Case::info(
        "heroku.provision.id-is-the-uuid",
        "The id is Heroku's uuid.",
        clause::best_practices("using the uuid as id is the recommendation"),
        |it| Box::pin(id_is_uuid(it)),
    ),
    Case::must(
        "heroku.provision.message",
        "The message, where there is one, is a text.",
        clause::reference_v1("message is printed to who installs the add-on"),
        |it| Box::pin(message(it)),
    ),
    Case::must(
        "heroku.provision.log-drain-url",
        "An add-on that requires syslog_drain answers where the logs go.",
        clause::log_drains("the answer carries log_drain_url, https:// or syslog://"),
        |it| Box::pin(log_drain_url(it)),
    )
    .needs(&[Capability::LogDrain, Capability::AnswersWhenDone]),
    Case::must(
        "heroku.provision.unknown-fields",
        "Fields that are not known are no reason to refuse.",
        clause::reference_v1("unknown fields are accepted and ignored"),
        |it| Box::pin(unknown_fields(it)),
    ),
    Case::should(
        "heroku.provision.no-grant",
        "A provision without a grant, or with null in its place, succeeds.",
        clause::seen_at("fission-suite/web-api", "oauth_grant may be null, and is absent in local tests"),
        |it| Box::pin(no_grant(it)),
    ),
    Case::should(
        "heroku.provision.grant-times",
        "The end of a grant is read in each form in which Heroku has printed it.",
        clause::seen_at("fission-suite/web-api", "expires_at has an offset without a colon"),
        |it| Box::pin(grant_times(it)),
    ),
    Case::should(
        "heroku.provision.version-1",
        "A provision as kensa sends it, without name and grant, succeeds.",
        clause::kensa("heroku_id, plan, callback_url, logplex_token null, region, options and uuid"),
        |it| Box::pin(version_1(it)),
    ),
    Case::should(
        "heroku.provision.options",
        "Options of the customer are accepted, known or not, in any script.",
        clause::options("Heroku validates nothing; ignore what you do not know"),
        |it| Box::pin(options(it)),
    ),
    Case::should(
        "heroku.provision.any-accept",
        "The answer does not depend on the Accept header.",
        clause::kensa("Accept: application/json"),
        |it| Box::pin(any_accept(it)),
    ),
    Case::should(
        "heroku.provision.content-type-parameters",
        "A charset behind the content type changes nothing.",
        clause::rfc(9110, "a media type may have parameters"),
        |it| Box::pin(content_type_parameters(it)),
    ),
    Case::must(
        "heroku.provision.other-region",
        "A provision in another region succeeds, or is refused with 422 and a message.",
        clause::private_spaces("an unsupported region is a 422 with an explanation"),
        |it| Box::pin(other_region(it)),
    ),
    Case::must(
        "heroku.provision.refusal",
        "A plan that is not sold is refused with 422 and a message for the customer.",
        clause::reference("what cannot be served is answered 422 with message"),
        |it| Box::pin(refusal(it)),
    ),
    Case::should(
        "heroku.provision.prompt",
        "A provision is answered within three seconds.",
        clause::reference_v1("answer within 3 s; after 25 s the request has failed"),
        |it| Box::pin(prompt(it)),
    ),
];

async fn succeeds(it: &Subject) -> Verdict {
    let seen = it.wire.send(it.order()).await?;
    must_succeed(&seen)
}

/// Insists on 200, 201 or 202.
pub(super) fn must_succeed(seen: &Seen) -> Verdict {
    let advice = match seen.status() {
        200..=202 => return Ok(()),
        401 | 403 => "Compare the credentials with those of the manifest: see heroku.auth.right-credentials.",
        404 | 405 => "Look at the manifest's base_url and at your routes: provisions are posted to exactly this URL.",
        300..=399 => "Answer here: Heroku does not follow redirects of a POST.",
        400 | 406 | 415 | 422 => {
            "This is what Heroku sends: every field in it is documented. Read what you need, and ignore the rest."
        }
        500.. => "Look into the add-on's log for the error behind this answer.",
        _ => "Answer 200 with a body that holds id, config and message, or 202 if your add-on is registered for that.",
    };
    Err(seen.wrong_status("200 (or 202)", advice))
}

async fn status(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let advice = "Answer 200. Heroku takes other successes for the same today, and its text does not promise it.";
    resource.seen.must_be(&[200, 202], advice).map(drop)
}

/// A success, with whatever body, or nothing to look at.
async fn success(it: &Subject) -> Result<Seen, Stop> {
    let seen = it.wire.send(it.order()).await?;
    if seen.is_success() {
        return Ok(seen);
    }
    let status = seen.status();
    Err(Stop::skipped(format!("a provision is answered {status} (see heroku.provision.succeeds)")))
}

async fn is_json(it: &Subject) -> Verdict {
    success(it).await?.object().map(drop)
}

async fn content_type(it: &Subject) -> Verdict {
    must_be_called_json(&success(it).await?)
}

async fn id(it: &Subject) -> Verdict {
    must_have_an_id(&success(it).await?)
}

async fn id_works(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let advice =
        "Find the resource by the id that you answered: texts, uuids and numbers alike, as they stand in the path.";
    let change = it.is_alive(&resource).await?;
    if it.lacks(Capability::PlanChange).is_none() && matches!(change.status(), 404 | 405 | 410) {
        return Err(change.to("a plan change at the id").wrong_status("a success or 422", advice));
    }
    let removal = it.wire.send(it.deprovision(&resource)).await?;
    if matches!(removal.status(), 404 | 405 | 410) {
        return Err(removal.to("a deprovision at the id").wrong_status("204", advice));
    }
    Ok(())
}

async fn ids_differ(it: &Subject) -> Verdict {
    let (one, other) = (it.ordered().await?, it.ordered().await?);
    if one.id == other.id {
        return Err(other.seen.fault(
            format!("Two orders with two uuids have got the same id, {}.", one.id),
            "Give every uuid a resource and an id of its own.",
        ));
    }
    Ok(())
}

async fn id_of_its_own(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let fields: serde_json::Map<String, Value> = resource.order.fields().into_iter().collect();
    let exact = ["plan", "region", "callback_url", "name"].map(|name| (name, text(&fields, name)));
    let parts = [("name", text(&fields, "name")), ("log_drain_token", text(&fields, "log_drain_token"))];
    let grant = fields.get("oauth_grant").and_then(|grant| made::text(&grant["code"]));
    let found = exact
        .into_iter()
        .find(|(_, sent)| sent.as_deref() == Some(&resource.id))
        .or_else(|| {
            let mut parts = parts.into_iter().chain([("oauth_grant.code", grant)]);
            parts.find(|(_, sent)| sent.as_ref().is_some_and(|sent| resource.id.contains(sent.as_str())))
        })
        .map(|(name, _)| name);
    match found {
        Some(name) => Err(resource.seen.fault(
            format!("The id is made of the request's {name}, which may change or is secret."),
            "Answer the uuid, or an id that you draw yourself.",
        )),
        None => Ok(()),
    }
}

fn text(fields: &serde_json::Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(made::text)
}

async fn id_is_uuid(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    if resource.id.eq_ignore_ascii_case(&resource.uuid) {
        return Ok(());
    }
    Err(resource.seen.fault(
        "The id is another one than the uuid of the request.",
        "Nothing has to be done. With the uuid as id, calls that name either find the resource.",
    ))
}

async fn message(it: &Subject) -> Verdict {
    let seen = success(it).await?;
    match seen.object()?.get("message") {
        None | Some(Value::String(_) | Value::Null) => Ok(()),
        Some(_) => Err(seen.fault("The message is no text.", "Answer one sentence as a JSON string.")),
    }
}

async fn log_drain_url(it: &Subject) -> Verdict {
    let seen = success(it).await?;
    let body = seen.object()?;
    let url = body.get("log_drain_url").or_else(|| body.get("syslog_drain_url")).and_then(Value::as_str);
    let advice = "Answer log_drain_url with the address that is to receive the app's logs, https preferred.";
    match url {
        Some(url) if url.starts_with("https://") || url.starts_with("syslog://") => Ok(()),
        Some(_) => Err(seen.fault("log_drain_url begins neither with https:// nor with syslog://.", advice)),
        None => Err(seen.fault("The manifest requires syslog_drain, and the answer holds no log_drain_url.", advice)),
    }
}

/// Orders what is out of the common, and insists on success.
async fn must_work(it: &Subject, order: Call<Provision>, what: &str, advice: &str) -> Verdict {
    let seen = it.wire.send(order).await?.to(what);
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("a success", advice)) }
}

/// Before a check blames a variant, the plain order has to work.
async fn works(it: &Subject) -> Result<Resource, Stop> {
    it.ordered().await
}

async fn unknown_fields(it: &Subject) -> Verdict {
    works(it).await?;
    let order = it.order().set("feature_of_next_year", json!({"on": [true, null, 1.5]})).set("zone", "b");
    must_work(it, order, "a field that nobody knows", "Ignore what you do not know: Heroku adds fields when it likes.")
        .await
}

async fn no_grant(it: &Subject) -> Verdict {
    works(it).await?;
    let advice = "Treat oauth_grant as optional: without it there is no token to fetch, and all else goes on.";
    must_work(it, it.order().set("oauth_grant", Value::Null), "a grant that is null", advice).await?;
    must_work(it, it.order().without("oauth_grant"), "a provision without a grant", advice).await
}

async fn grant_times(it: &Subject) -> Verdict {
    it.order_as(it.order().without("oauth_grant")).await?; // the plain order's own grant ends in one of these forms
    let advice = "Read the offset with and without a colon; a time that cannot be read means five minutes from now.";
    for expires_at in ["2036-03-04T05:11:07-0800", "2036-03-04T05:11:07+00:00", "2036-03-04T05:11:07.123Z"] {
        let grant = json!({ "code": it.market.new_uuid(), "type": "authorization_code", "expires_at": expires_at });
        let what = format!("a grant that ends {expires_at}");
        must_work(it, it.order().set("oauth_grant", grant), &what, advice).await?;
    }
    Ok(())
}

async fn version_1(it: &Subject) -> Verdict {
    works(it).await?;
    let order = it.market.provision(it.plan()).legacy();
    must_work(it, order, "kensa's provision", "Need nothing but uuid and plan: all else may be missing or null.").await
}

async fn options(it: &Subject) -> Verdict {
    works(it).await?;
    let advice = "Options are what the customer typed: take those you know, and ignore the others.";
    for (what, options) in [
        ("options that nobody knows", json!({ "retention": "7d", "trace": "true" })),
        ("an option in another script", json!({ "label": "Zürich ☃ 東京" })),
    ] {
        must_work(it, it.order().set("options", options), what, advice).await?;
    }
    must_work(it, it.order().without("options"), "a provision without options", advice).await
}

async fn any_accept(it: &Subject) -> Verdict {
    works(it).await?;
    let advice = "Do not look at Accept: answer JSON, whatever is asked for.";
    for accept in ["application/json", "*/*", "application/vnd.heroku-addons+json; version=4"] {
        must_work(it, it.order().header("accept", accept), &format!("Accept: {accept}"), advice).await?;
    }
    Ok(())
}

async fn content_type_parameters(it: &Subject) -> Verdict {
    works(it).await?;
    let order = it.order().header("content-type", "application/json; charset=utf-8");
    must_work(it, order, "a charset behind the content type", "Compare the media type without its parameters.").await
}

async fn other_region(it: &Subject) -> Verdict {
    works(it).await?;
    let order = it.order().set("region", "amazon-web-services::eu-central-1");
    let seen = it.wire.send(order).await?.to("an order from eu-central-1");
    if seen.is_success() { Ok(()) } else { must_be_told(&seen) }
}

async fn refusal(it: &Subject) -> Verdict {
    works(it).await?;
    let seen = it.wire.send(it.order().set("plan", it.no_plan())).await?.to("a plan that nobody sells");
    if seen.is_success() {
        return Err(Stop::skipped("the add-on takes any plan, so that no refusal could be seen"));
    }
    must_be_told(&seen)
}

async fn prompt(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    if resource.seen.took() <= PROMPT {
        return Ok(());
    }
    Err(resource.seen.fault(
        format!("The answer took {:.1} s.", resource.seen.took().as_secs_f32()),
        "Answer 202 and finish later, if your add-on is registered for that; else move slow work out of the request.",
    ))
}
