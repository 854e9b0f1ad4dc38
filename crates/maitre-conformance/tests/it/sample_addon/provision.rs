//! Provisions.

use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{DELAY, Fault, Resource, SALT, SampleAddon, Unread, answer, internal_error, read, refusal};

const FIELDS: [&str; 11] = [
    "uuid",
    "name",
    "plan",
    "region",
    "callback_url",
    "oauth_grant",
    "options",
    "log_input_url",
    "log_drain_token",
    "heroku_id",
    "logplex_token",
];

pub(super) async fn provision(addon: SampleAddon, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let early =
        matches!(addon.fault, Fault::PlanBeforePassword | Fault::BodyBeforePassword | Fault::LargeStrangerIs500);
    let refused = if addon.is(Fault::ProvisionIsOpen) { None } else { addon.refuses(&parts.headers) };
    let refused = match refused {
        Some(refusal) if !early => return refusal,
        later => later,
    };
    let bytes = match read(&addon, body).await {
        Ok(bytes) => bytes,
        Err(unread) => return unreadable(&addon, &unread, refused.is_some()),
    };
    let order = parse(&addon, &bytes);
    if let Some(unauthorized) = refused {
        return match order {
            Err(wrong) if addon.is(Fault::BodyBeforePassword) => *wrong,
            Ok(order) if addon.is(Fault::PlanBeforePassword) && !sold(&order) => refusal(422, "There is no such plan."),
            _ => unauthorized,
        };
    }
    match order {
        Ok(order) => match wrong_with(&addon, &order, &bytes, &parts.headers) {
            Some(refusal) => refusal,
            None => make(addon, order).await,
        },
        Err(wrong) => *wrong,
    }
}

fn unreadable(addon: &SampleAddon, unread: &Unread, refused: bool) -> Response {
    match unread {
        Unread::TooLong if addon.is(Fault::LargeIs500) => internal_error(),
        Unread::TooLong if refused => internal_error(), // it is read for nobody but under that fault
        Unread::TooLong => refusal(413, "This is longer than any order."),
        Unread::TooSlow => refusal(408, "This took too long."),
        Unread::Broken => {
            addon.store().poisoned = addon.is(Fault::HalfPoisons);
            refusal(400, "The body ended before its end.")
        }
    }
}

fn parse(addon: &SampleAddon, bytes: &[u8]) -> Result<Map<String, Value>, Box<Response>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(order)) => Ok(order),
        Ok(_) if addon.is(Fault::ListIs500) => Err(internal_error().into()),
        Ok(_) => Err(refusal(400, "An order is an object.").into()),
        Err(error) => {
            let empty = bytes.trim_ascii().is_empty();
            let deep = bytes.windows(4).any(|window| window == b"[[[[");
            let refusal = match addon.fault {
                Fault::EmptyIs500 if empty => internal_error(),
                Fault::DeepIs500 if deep => internal_error(),
                Fault::BadJsonIs500 if !empty && !deep => internal_error(),
                Fault::StackTrace => {
                    refusal(400, "Traceback (most recent call last):\n  File \"/app/lantern.py\", line 7")
                }
                Fault::SilentRefusal => axum::http::StatusCode::BAD_REQUEST.into_response(),
                _ => refusal(400, &format!("The order is no JSON: {error}.")),
            };
            Err(refusal.into())
        }
    }
}

fn sold(order: &Map<String, Value>) -> bool {
    matches!(order.get("plan").and_then(Value::as_str), Some("basic" | "premium"))
}

/// Why the order is refused, if it is.
fn wrong_with(addon: &SampleAddon, order: &Map<String, Value>, bytes: &[u8], headers: &HeaderMap) -> Option<Response> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = |name: &str| order.get(name).and_then(Value::as_str).unwrap_or_default();
    let no_grant = order.get("oauth_grant").is_none_or(Value::is_null);
    let options = order.get("options").unwrap_or(&Value::Null);
    let refusal = match addon.fault {
        Fault::ProvisionIs500 => internal_error(),
        Fault::KnownFieldsAlone if order.keys().any(|name| !FIELDS.contains(&name.as_str())) => {
            refusal(400, "What is this?")
        }
        Fault::NeedsGrant if no_grant => refusal(400, "There is no grant."),
        Fault::StrictTimes if !no_grant && !is_rfc_3339(&order["oauth_grant"]["expires_at"]) => refusal(400, "When?"),
        Fault::NeedsName if text("name").is_empty() => refusal(400, "There is no name."),
        Fault::KnownOptionsAlone if options.as_object().is_some_and(|it| !it.is_empty()) => {
            refusal(422, "No such option.")
        }
        Fault::NegotiatesAccept if !header("accept").ends_with("addons+json; version=3") => {
            refusal(406, "I cannot say that.")
        }
        Fault::ExactContentType if header("content-type") != "application/json" => refusal(415, "This is no JSON."),
        Fault::OneRegion if text("region") != "amazon-web-services::us-east-1" => internal_error(),
        Fault::OddUuidIs500 if !text("uuid").is_empty() && text("uuid").len() != 36 => internal_error(),
        Fault::TypesAre500 if !options.is_object() && !options.is_null() => internal_error(),
        Fault::NulIs500 if bytes.windows(6).any(|window| window == br"\u0000") => internal_error(),
        _ if text("uuid").is_empty() && !addon.is(Fault::NoUuidIsTaken) => refusal(400, "There is no uuid."),
        _ if text("plan").is_empty() && !addon.is(Fault::NoPlanIsTaken) => refusal(400, "There is no plan."),
        _ if text("plan").is_empty() || sold(order) => return None,
        Fault::RefusesWith400 => refusal(400, "There is no such plan."),
        Fault::RefusesWithoutMessage => answer(422, &json!({})),
        _ => refusal(422, "There is no such plan: choose basic or premium."),
    };
    Some(refusal)
}

fn is_rfc_3339(expires_at: &Value) -> bool {
    let text = expires_at.as_str().unwrap_or_default();
    text.ends_with('Z') || text.len() >= 6 && text[text.len() - 3..].starts_with(':')
}

async fn make(addon: SampleAddon, order: Map<String, Value>) -> Response {
    let text = |name: &str| order.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut uuid = text("uuid");
    if uuid.is_empty() {
        uuid = addon.draw();
    }
    let plan = if text("plan").is_empty() { "basic".to_owned() } else { text("plan") };
    if std::mem::take(&mut addon.store().poisoned) {
        return internal_error();
    }
    if addon.store().early.contains(&uuid) {
        return internal_error();
    }
    match addon.fault {
        Fault::Slow => tokio::time::sleep(Duration::from_millis(3_200)).await,
        Fault::NeverAnswers => std::future::pending().await,
        _ => {}
    }
    if let Some(answer) = known(&addon, &uuid, &plan, &order) {
        return answer;
    }
    let id = match addon.fault {
        Fault::OneIdForAll => "lamp".to_owned(),
        Fault::IdIsTheName => text("name"),
        Fault::IdHoldsTheGrant => format!("lamp-{}", order["oauth_grant"]["code"].as_str().unwrap_or_default()),
        Fault::IdOfItsOwn => addon.draw(),
        Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects => format!("{uuid}-{}", addon.draw()),
        Fault::CountedIds => addon.created().to_string(),
        _ => uuid.clone(),
    };
    let token = if addon.is(Fault::OneSecretForAll) {
        "lt_the-same-for-everyone".to_owned()
    } else {
        format!("lt_{}", addon.draw())
    };
    let resource = Resource {
        uuid,
        id,
        ordered_plan: plan.clone(),
        plan,
        last_change: None,
        token,
        grant: order.get("oauth_grant").cloned().unwrap_or_default(),
        removed: false,
        done: false,
    };
    place(&addon, resource).await
}

/// What is answered to a uuid that was there before.
fn known(addon: &SampleAddon, uuid: &str, plan: &str, order: &Map<String, Value>) -> Option<Response> {
    let mut store = addon.store();
    let resource = store.find(uuid)?;
    if resource.removed {
        return match addon.fault {
            Fault::Resurrects => None,
            Fault::RemovedIs500 => Some(internal_error()),
            Fault::RemovedIs404 => Some(refusal(404, "This lamp is not there.")),
            _ => Some(refusal(410, "This lamp was removed.")),
        };
    }
    let grant = order.get("oauth_grant").cloned().unwrap_or_default();
    match addon.fault {
        Fault::ForgetsWhatIsDone if resource.done => return Some(refusal(409, "This lamp is lit.")),
        Fault::SecondResource => return None,
        Fault::Conflict => return Some(refusal(409, "This lamp is there.")),
        Fault::CrashOnDuplicate => return Some(internal_error()),
        Fault::SecondTenant => resource.token = format!("lt_{}", addon.draw()),
        Fault::OtherPlanIsAnother if resource.ordered_plan != plan => return None,
        Fault::WholeBodyIsTheKey if resource.grant["code"] != grant["code"] => {
            return Some(refusal(422, "Another order has this uuid."));
        }
        Fault::CurrentPlanIsTheKey if resource.plan != plan => {
            return Some(refusal(422, "Another order has this uuid."));
        }
        _ if resource.ordered_plan != plan => return Some(refusal(422, "This lamp was ordered with another plan.")),
        _ => {}
    }
    let resource = resource.clone();
    drop(store);
    if let Some(heroku) = addon.heroku.as_ref().filter(|_| addon.is(Fault::ExchangesEachTime)) {
        super::completion::finish(addon, &resource, heroku);
    }
    Some(provisioned(addon, &resource, true))
}

/// Puts the resource where others can find it. The faults are in how.
async fn place(addon: &SampleAddon, resource: Resource) -> Response {
    match addon.fault {
        Fault::NoConstraint => {
            tokio::time::sleep(DELAY).await;
            addon.store().resources.push(resource.clone());
            provisioned(addon, &resource, false)
        }
        Fault::StuckReservation => {
            if !addon.store().busy.insert(resource.uuid.clone()) {
                return refusal(409, "This lamp is being made.");
            }
            tokio::time::sleep(5 * DELAY).await;
            addon.store().busy.remove(&resource.uuid);
            once(addon, resource)
        }
        Fault::BusyDuplicates | Fault::RemovalCollides | Fault::CountedIds => {
            if !addon.store().busy.insert(resource.uuid.clone()) && addon.is(Fault::BusyDuplicates) {
                return internal_error();
            }
            let addon = addon.clone();
            let work = tokio::spawn(async move {
                tokio::time::sleep(3 * DELAY).await;
                let answer = once(&addon, resource.clone());
                addon.store().busy.remove(&resource.uuid);
                answer
            });
            work.await.unwrap()
        }
        _ => once(addon, resource),
    }
}

/// Makes the resource, or finds the one that somebody else has just made.
fn once(addon: &SampleAddon, resource: Resource) -> Response {
    let several = matches!(addon.fault, Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects);
    let mut store = addon.store();
    let there = store.find(&resource.uuid).filter(|there| !several && !there.removed).map(|there| there.clone());
    if there.is_none() {
        store.resources.push(resource.clone());
    }
    drop(store);
    if let Some(heroku) = addon.heroku.as_ref().filter(|_| there.is_none()) {
        super::completion::finish(addon, &resource, heroku);
    }
    provisioned(addon, &there.unwrap_or(resource), false)
}

fn provisioned(addon: &SampleAddon, resource: &Resource, again: bool) -> Response {
    let id = &resource.id;
    if addon.heroku.is_some() {
        let mut body = json!({ "id": id, "message": "Your lamp is being lit." });
        if addon.is(Fault::ConfigInThe202) {
            body["config"] = config(resource);
        }
        return answer(202, &body);
    }
    let mut config = config(resource);
    let mut body =
        json!({ "id": id, "message": "Your lamp is lit.", "log_drain_url": "https://logs.lantern.example/" });
    let status = match addon.fault {
        Fault::ProvisionIs201 => 201,
        _ => 200,
    };
    match addon.fault {
        Fault::ProvisionIs204 => return axum::http::StatusCode::NO_CONTENT.into_response(),
        Fault::ProvisionRedirects => {
            return (axum::http::StatusCode::TEMPORARY_REDIRECT, [("location", "/v2")]).into_response();
        }
        Fault::NotJson => return "OK".into_response(),
        Fault::JsonText => return answer(200, &json!("OK")),
        Fault::NoId => drop(body.as_object_mut().unwrap().remove("id")),
        Fault::EmptyId => body["id"] = "".into(),
        Fault::IdIsAnObject => body["id"] = json!({ "uuid": id }),
        Fault::MessageIsAList => body["message"] = json!(["Your lamp is lit."]),
        Fault::OtherMessage if again => body["message"] = "Your lamp was lit before.".into(),
        Fault::SecretInMessage => body["message"] = format!("Your token is {}.", resource.token).into(),
        Fault::NoDrainUrl => drop(body.as_object_mut().unwrap().remove("log_drain_url")),
        Fault::DrainUrlOverTls => body["log_drain_url"] = "syslog+tls://logs.lantern.example".into(),
        Fault::NumberInConfig => config["LANTERN_TOKEN"] = 7.into(),
        Fault::NullInConfig => config["LANTERN_TOKEN"] = Value::Null,
        Fault::UnlistedConfig => config["LANTERN_COLOUR"] = "green".into(),
        Fault::UrlWithoutScheme => config["LANTERN_URL"] = "eu1.lantern.example/t4".into(),
        Fault::UrlWithoutHost => config["LANTERN_URL"] = "https:///t4".into(),
        Fault::IncompleteConfig => drop(config.as_object_mut().unwrap().remove("LANTERN_URL")),
        Fault::EchoesGrant => body["oauth_grant"] = resource.grant.clone(),
        _ => {}
    }
    body["config"] = if addon.is(Fault::ConfigIsAList) { json!([config]) } else { config };
    let mut response = answer(status, &body);
    let headers = response.headers_mut();
    match addon.fault {
        Fault::HtmlType => drop(headers.insert("content-type", "text/html".parse().unwrap())),
        Fault::NoContentType => drop(headers.remove("content-type")),
        Fault::EchoesSalt => drop(headers.insert("x-debug", SALT.parse().unwrap())),
        _ => {}
    }
    response
}

pub(super) fn config(resource: &Resource) -> Value {
    let url = if resource.token.ends_with("everyone") {
        "https://lantern.example".to_owned()
    } else {
        format!("https://u:pw@lantern.example/{}", resource.uuid)
    };
    json!({ "LANTERN_URL": url, "LANTERN_TOKEN": resource.token })
}
