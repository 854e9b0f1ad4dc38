//! Provisions.

use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{A_WHILE, Fault, Lamp, SALT, Shop, Unread, answer, oops, read, told};

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

pub(super) async fn provision(shop: Shop, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let early = matches!(shop.fault, Fault::PlanBeforePassword | Fault::BodyBeforePassword | Fault::LargeStrangerIs500);
    let refused = if shop.is(Fault::ProvisionIsOpen) { None } else { shop.refuses(&parts.headers) };
    let refused = match refused {
        Some(refusal) if !early => return refusal,
        later => later,
    };
    let bytes = match read(&shop, body).await {
        Ok(bytes) => bytes,
        Err(unread) => return unreadable(&shop, &unread, refused.is_some()),
    };
    let order = parse(&shop, &bytes);
    if let Some(refusal) = refused {
        return match order {
            Err(wrong) if shop.is(Fault::BodyBeforePassword) => *wrong,
            Ok(order) if shop.is(Fault::PlanBeforePassword) && !sold(&order) => told(422, "There is no such plan."),
            _ => refusal,
        };
    }
    match order {
        Ok(order) => match wrong_with(&shop, &order, &bytes, &parts.headers) {
            Some(refusal) => refusal,
            None => make(shop, order).await,
        },
        Err(wrong) => *wrong,
    }
}

fn unreadable(shop: &Shop, unread: &Unread, refused: bool) -> Response {
    match unread {
        Unread::TooLong if shop.is(Fault::LargeIs500) => oops(),
        Unread::TooLong if refused => oops(), // it is read for nobody but under that fault
        Unread::TooLong => told(413, "This is longer than any order."),
        Unread::TooSlow => told(408, "This took too long."),
        Unread::Broken => {
            shop.stock().poisoned = shop.is(Fault::HalfPoisons);
            told(400, "The body ended before its end.")
        }
    }
}

fn parse(shop: &Shop, bytes: &[u8]) -> Result<Map<String, Value>, Box<Response>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(order)) => Ok(order),
        Ok(_) if shop.is(Fault::ListIs500) => Err(oops().into()),
        Ok(_) => Err(told(400, "An order is an object.").into()),
        Err(error) => {
            let empty = bytes.trim_ascii().is_empty();
            let deep = bytes.windows(4).any(|window| window == b"[[[[");
            let refusal = match shop.fault {
                Fault::EmptyIs500 if empty => oops(),
                Fault::DeepIs500 if deep => oops(),
                Fault::BadJsonIs500 if !empty && !deep => oops(),
                Fault::StackTrace => {
                    told(400, "Traceback (most recent call last):\n  File \"/app/lantern.py\", line 7")
                }
                Fault::SilentRefusal => axum::http::StatusCode::BAD_REQUEST.into_response(),
                _ => told(400, &format!("The order is no JSON: {error}.")),
            };
            Err(refusal.into())
        }
    }
}

fn sold(order: &Map<String, Value>) -> bool {
    matches!(order.get("plan").and_then(Value::as_str), Some("basic" | "premium"))
}

/// Why the order is refused, if it is.
fn wrong_with(shop: &Shop, order: &Map<String, Value>, bytes: &[u8], headers: &HeaderMap) -> Option<Response> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = |name: &str| order.get(name).and_then(Value::as_str).unwrap_or_default();
    let no_grant = order.get("oauth_grant").is_none_or(Value::is_null);
    let options = order.get("options").unwrap_or(&Value::Null);
    let refusal = match shop.fault {
        Fault::ProvisionIs500 => oops(),
        Fault::KnownFieldsAlone if order.keys().any(|name| !FIELDS.contains(&name.as_str())) => {
            told(400, "What is this?")
        }
        Fault::NeedsGrant if no_grant => told(400, "There is no grant."),
        Fault::StrictTimes if !no_grant && !is_rfc_3339(&order["oauth_grant"]["expires_at"]) => told(400, "When?"),
        Fault::NeedsName if text("name").is_empty() => told(400, "There is no name."),
        Fault::KnownOptionsAlone if options.as_object().is_some_and(|it| !it.is_empty()) => {
            told(422, "No such option.")
        }
        Fault::NegotiatesAccept if !header("accept").ends_with("addons+json; version=3") => {
            told(406, "I cannot say that.")
        }
        Fault::ExactContentType if header("content-type") != "application/json" => told(415, "This is no JSON."),
        Fault::OneRegion if text("region") != "amazon-web-services::us-east-1" => oops(),
        Fault::OddUuidIs500 if !text("uuid").is_empty() && text("uuid").len() != 36 => oops(),
        Fault::TypesAre500 if !options.is_object() && !options.is_null() => oops(),
        Fault::NulIs500 if bytes.windows(6).any(|window| window == br"\u0000") => oops(),
        _ if text("uuid").is_empty() && !shop.is(Fault::NoUuidIsTaken) => told(400, "There is no uuid."),
        _ if text("plan").is_empty() && !shop.is(Fault::NoPlanIsTaken) => told(400, "There is no plan."),
        _ if text("plan").is_empty() || sold(order) => return None,
        Fault::RefusesWith400 => told(400, "There is no such plan."),
        Fault::RefusesWithoutMessage => answer(422, &json!({})),
        _ => told(422, "There is no such plan: choose basic or premium."),
    };
    Some(refusal)
}

fn is_rfc_3339(expires_at: &Value) -> bool {
    let text = expires_at.as_str().unwrap_or_default();
    text.ends_with('Z') || text.len() >= 6 && text[text.len() - 3..].starts_with(':')
}

async fn make(shop: Shop, order: Map<String, Value>) -> Response {
    let text = |name: &str| order.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut uuid = text("uuid");
    if uuid.is_empty() {
        uuid = shop.draw();
    }
    let plan = if text("plan").is_empty() { "basic".to_owned() } else { text("plan") };
    if std::mem::take(&mut shop.stock().poisoned) {
        return oops();
    }
    if shop.stock().early.contains(&uuid) {
        return oops();
    }
    match shop.fault {
        Fault::Slow => tokio::time::sleep(Duration::from_millis(3_200)).await,
        Fault::NeverAnswers => std::future::pending().await,
        _ => {}
    }
    if let Some(answer) = known(&shop, &uuid, &plan, &order) {
        return answer;
    }
    let id = match shop.fault {
        Fault::OneIdForAll => "lamp".to_owned(),
        Fault::IdIsTheName => text("name"),
        Fault::IdHoldsTheGrant => format!("lamp-{}", order["oauth_grant"]["code"].as_str().unwrap_or_default()),
        Fault::IdOfItsOwn => shop.draw(),
        Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects => format!("{uuid}-{}", shop.draw()),
        Fault::CountedIds => shop.made().to_string(),
        _ => uuid.clone(),
    };
    let token = if shop.is(Fault::OneSecretForAll) {
        "lt_the-same-for-everyone".to_owned()
    } else {
        format!("lt_{}", shop.draw())
    };
    let lamp = Lamp {
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
    place(&shop, lamp).await
}

/// What is answered to a uuid that was there before.
fn known(shop: &Shop, uuid: &str, plan: &str, order: &Map<String, Value>) -> Option<Response> {
    let mut stock = shop.stock();
    let lamp = stock.find(uuid)?;
    if lamp.removed {
        return match shop.fault {
            Fault::Resurrects => None,
            Fault::RemovedIs500 => Some(oops()),
            Fault::RemovedIs404 => Some(told(404, "This lamp is not there.")),
            _ => Some(told(410, "This lamp was removed.")),
        };
    }
    let grant = order.get("oauth_grant").cloned().unwrap_or_default();
    match shop.fault {
        Fault::ForgetsWhatIsDone if lamp.done => return Some(told(409, "This lamp is lit.")),
        Fault::SecondResource => return None,
        Fault::Conflict => return Some(told(409, "This lamp is there.")),
        Fault::CrashOnDuplicate => return Some(oops()),
        Fault::SecondTenant => lamp.token = format!("lt_{}", shop.draw()),
        Fault::OtherPlanIsAnother if lamp.ordered_plan != plan => return None,
        Fault::WholeBodyIsTheKey if lamp.grant["code"] != grant["code"] => {
            return Some(told(422, "Another order has this uuid."));
        }
        Fault::CurrentPlanIsTheKey if lamp.plan != plan => return Some(told(422, "Another order has this uuid.")),
        _ if lamp.ordered_plan != plan => return Some(told(422, "This lamp was ordered with another plan.")),
        _ => {}
    }
    let lamp = lamp.clone();
    drop(stock);
    if let Some(heroku) = shop.heroku.as_ref().filter(|_| shop.is(Fault::ExchangesEachTime)) {
        super::later::finish(shop, &lamp, heroku);
    }
    Some(provisioned(shop, &lamp, true))
}

/// Puts the lamp where others can find it. The faults are in how.
async fn place(shop: &Shop, lamp: Lamp) -> Response {
    match shop.fault {
        Fault::NoConstraint => {
            tokio::time::sleep(A_WHILE).await;
            shop.stock().lamps.push(lamp.clone());
            provisioned(shop, &lamp, false)
        }
        Fault::StuckReservation => {
            if !shop.stock().busy.insert(lamp.uuid.clone()) {
                return told(409, "This lamp is being made.");
            }
            tokio::time::sleep(5 * A_WHILE).await;
            shop.stock().busy.remove(&lamp.uuid);
            once(shop, lamp)
        }
        Fault::BusyDuplicates | Fault::RemovalCollides | Fault::CountedIds => {
            if !shop.stock().busy.insert(lamp.uuid.clone()) && shop.is(Fault::BusyDuplicates) {
                return oops();
            }
            let shop = shop.clone();
            let work = tokio::spawn(async move {
                tokio::time::sleep(3 * A_WHILE).await;
                let answer = once(&shop, lamp.clone());
                shop.stock().busy.remove(&lamp.uuid);
                answer
            });
            work.await.unwrap()
        }
        _ => once(shop, lamp),
    }
}

/// Makes the lamp, or finds the one that somebody else has just made.
fn once(shop: &Shop, lamp: Lamp) -> Response {
    let several = matches!(shop.fault, Fault::SecondResource | Fault::OtherPlanIsAnother | Fault::Resurrects);
    let mut stock = shop.stock();
    let there = stock.find(&lamp.uuid).filter(|there| !several && !there.removed).map(|there| there.clone());
    if there.is_none() {
        stock.lamps.push(lamp.clone());
    }
    drop(stock);
    if let Some(heroku) = shop.heroku.as_ref().filter(|_| there.is_none()) {
        super::later::finish(shop, &lamp, heroku);
    }
    provisioned(shop, &there.unwrap_or(lamp), false)
}

fn provisioned(shop: &Shop, lamp: &Lamp, again: bool) -> Response {
    let id = &lamp.id;
    if shop.heroku.is_some() {
        let mut body = json!({ "id": id, "message": "Your lamp is being lit." });
        if shop.is(Fault::ConfigInThe202) {
            body["config"] = config(lamp);
        }
        return answer(202, &body);
    }
    let mut config = config(lamp);
    let mut body =
        json!({ "id": id, "message": "Your lamp is lit.", "log_drain_url": "https://logs.lantern.example/" });
    let status = match shop.fault {
        Fault::ProvisionIs201 => 201,
        _ => 200,
    };
    match shop.fault {
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
        Fault::SecretInMessage => body["message"] = format!("Your token is {}.", lamp.token).into(),
        Fault::NoDrainUrl => drop(body.as_object_mut().unwrap().remove("log_drain_url")),
        Fault::DrainUrlOverTls => body["log_drain_url"] = "syslog+tls://logs.lantern.example".into(),
        Fault::NumberInConfig => config["LANTERN_TOKEN"] = 7.into(),
        Fault::NullInConfig => config["LANTERN_TOKEN"] = Value::Null,
        Fault::UnlistedConfig => config["LANTERN_COLOUR"] = "green".into(),
        Fault::UrlWithoutScheme => config["LANTERN_URL"] = "eu1.lantern.example/t4".into(),
        Fault::UrlWithoutHost => config["LANTERN_URL"] = "https:///t4".into(),
        Fault::IncompleteConfig => drop(config.as_object_mut().unwrap().remove("LANTERN_URL")),
        Fault::EchoesGrant => body["oauth_grant"] = lamp.grant.clone(),
        _ => {}
    }
    body["config"] = if shop.is(Fault::ConfigIsAList) { json!([config]) } else { config };
    let mut response = answer(status, &body);
    let headers = response.headers_mut();
    match shop.fault {
        Fault::HtmlType => drop(headers.insert("content-type", "text/html".parse().unwrap())),
        Fault::NoContentType => drop(headers.remove("content-type")),
        Fault::EchoesSalt => drop(headers.insert("x-debug", SALT.parse().unwrap())),
        _ => {}
    }
    response
}

pub(super) fn config(lamp: &Lamp) -> Value {
    let url = if lamp.token.ends_with("everyone") {
        "https://lantern.example".to_owned()
    } else {
        format!("https://u:pw@lantern.example/{}", lamp.uuid)
    };
    json!({ "LANTERN_URL": url, "LANTERN_TOKEN": lamp.token })
}
