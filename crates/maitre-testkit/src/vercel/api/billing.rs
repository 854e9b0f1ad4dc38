//! Usage, invoices, refunds and balances.

use serde_json::{Value, json};
use time::{Duration, format_description::well_known::Rfc3339};

use super::{
    super::{
        shape::{Field, Kind, cents, parse_time},
        state::{InstallationState, Installed, InvoiceRecord, State},
    },
    Answer, Problem, check,
};

const PERIOD: &[Field] = &[("start", true, Kind::Time), ("end", true, Kind::Time)];

const ITEM: &[Field] = &[
    ("billingPlanId", true, Kind::NonEmpty),
    ("name", true, Kind::NonEmpty),
    ("price", true, Kind::Decimal),
    ("quantity", true, Kind::Number),
    ("units", true, Kind::Text),
    ("total", true, Kind::Decimal),
    ("resourceId", false, Kind::NonEmpty),
    ("details", false, Kind::Text),
    ("start", false, Kind::Time),
    ("end", false, Kind::Time),
];

const DISCOUNT: &[Field] = &[
    ("billingPlanId", true, Kind::NonEmpty),
    ("name", true, Kind::NonEmpty),
    ("amount", true, Kind::Decimal),
    ("resourceId", false, Kind::NonEmpty),
    ("details", false, Kind::Text),
    ("start", false, Kind::Time),
    ("end", false, Kind::Time),
];

const USAGE: &[Field] = &[
    ("resourceId", false, Kind::NonEmpty),
    ("name", true, Kind::NonEmpty),
    ("type", true, Kind::OneOf(&["total", "interval", "rate"])),
    ("units", true, Kind::Text),
    ("dayValue", true, Kind::Number),
    ("periodValue", true, Kind::Number),
    ("planValue", false, Kind::Number),
];

const COSTS: &[Field] = &[("items", true, Kind::List(ITEM)), ("discounts", false, Kind::List(DISCOUNT))];

const INTERIM: &[Field] = &[
    ("timestamp", true, Kind::Time),
    ("eod", true, Kind::Time),
    ("period", true, Kind::Object(PERIOD)),
    ("billing", true, Kind::Either(&Kind::Object(COSTS), &Kind::List(ITEM))),
    ("usage", true, Kind::List(USAGE)),
];

const TEST: &[Field] =
    &[("validate", false, Kind::Bool), ("result", false, Kind::OneOf(&["paid", "notpaid", "overdue"]))];

const INVOICE: &[Field] = &[
    ("invoiceDate", true, Kind::Time),
    ("period", true, Kind::Object(PERIOD)),
    ("items", true, Kind::List(ITEM)),
    ("discounts", false, Kind::List(DISCOUNT)),
    ("externalId", false, Kind::NonEmpty),
    ("memo", false, Kind::Text),
    ("final", false, Kind::Bool),
    ("test", false, Kind::Object(TEST)),
];

const REFUND: &[Field] =
    &[("action", true, Kind::OneOf(&["refund"])), ("reason", true, Kind::NonEmpty), ("total", true, Kind::Decimal)];

const BALANCE: &[Field] = &[
    ("resourceId", false, Kind::NonEmpty),
    ("credit", false, Kind::Text),
    ("nameLabel", false, Kind::Text),
    ("currencyValueInCents", true, Kind::Number),
];
const BALANCES: &[Field] = &[("timestamp", true, Kind::Time), ("balances", true, Kind::List(BALANCE))];

pub(super) fn usage(state: &mut State, installation: &str, body: &Value) -> Answer {
    check(body, INTERIM)?;
    is_within(body, "eod", &body["period"])?;
    let eod = body["eod"].as_str().and_then(parse_time);
    if eod.is_some_and(|eod| state.now() - eod > Duration::days(1)) {
        return Err(Problem::new(400, "`eod` is older than 24 hours"));
    }
    installed(state, installation).usage.push(body.clone());
    Ok((201, Value::Null))
}

pub(super) fn submit(state: &mut State, installation: &str, body: &Value) -> Answer {
    check(body, INVOICE)?;
    is_within(body, "invoiceDate", &body["period"])?;
    let items = body["items"].as_array().map_or(&[][..], Vec::as_slice);
    items.iter().try_for_each(check_total)?;
    let id = state.next_id("mi_");
    let installed = installed(state, installation);
    if body["final"] == true && installed.state != InstallationState::Finalizing {
        return Err(Problem::new(409, "a final invoice needs a pending deletion"));
    }
    let test = &body["test"];
    if test["validate"] == true {
        return Ok((200, json!({ "test": true, "validationErrors": [] })));
    }
    let external_id = body.get("externalId");
    if external_id.is_some() && installed.invoices.iter().any(|known| known.submitted.get("externalId") == external_id)
    {
        return Err(Problem::new(409, "an invoice with this externalId exists"));
    }
    if items.iter().any(|item| is_billed(installed, item, &body["period"])) {
        return Err(Problem::new(409, "a resource has been billed for this period and plan"));
    }
    let result = test["result"].as_str();
    let record = InvoiceRecord {
        id: id.clone(),
        submitted: body.clone(),
        state: result.unwrap_or("pending").to_owned(),
        refund: None,
    };
    installed.invoices.push(record);
    Ok((200, if result.is_some() { json!({ "invoiceId": id, "test": true }) } else { json!({ "invoiceId": id }) }))
}

/// Returns an error unless the total is the price times the quantity, rounded to cents.
fn check_total(item: &Value) -> Result<(), Problem> {
    let amount = |name: &str| item[name].as_str().and_then(cents).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "prices are far below 2^52 cents")]
    let expected = amount("price") as f64 * item["quantity"].as_f64().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "totals are far below 2^52 cents")]
    let difference = (expected - amount("total") as f64).abs();
    if difference < 1.0 { Ok(()) } else { Err(Problem::new(400, "`total` is not price times quantity")) }
}

/// Whether an invoice for the same resource, period and plan exists and is not refunded.
fn is_billed(installed: &Installed, item: &Value, period: &Value) -> bool {
    let same =
        |other: &Value| other["resourceId"] == item["resourceId"] && other["billingPlanId"] == item["billingPlanId"];
    installed.invoices.iter().any(|known| {
        known.refund.is_none()
            && known.submitted["period"] == *period
            && known.submitted["items"].as_array().is_some_and(|items| items.iter().any(same))
    })
}

pub(super) fn read(state: &mut State, installation: &str, invoice: &str) -> Answer {
    let now = state.now().format(&Rfc3339).unwrap_or_default();
    let known = find(state, installation, invoice)?;
    let mut shown = json!({
        "invoiceId": known.id,
        "state": known.state,
        "total": decimal(known.total_cents()),
        "invoiceDate": known.submitted["invoiceDate"],
        "period": known.submitted["period"],
        "items": known.submitted["items"],
        "created": now,
        "updated": now,
    });
    for name in ["externalId", "memo", "discounts"] {
        if let Some(value) = known.submitted.get(name) {
            shown[name] = value.clone();
        }
    }
    if let Some((reason, total)) = &known.refund {
        (shown["refundReason"], shown["refundTotal"]) = (json!(reason), json!(total));
    }
    Ok((200, shown))
}

pub(super) fn refund(state: &mut State, installation: &str, invoice: &str, body: &Value) -> Answer {
    check(body, REFUND)?;
    let known = find(state, installation, invoice)?;
    let (reason, total) = (body["reason"].as_str().unwrap_or_default(), body["total"].as_str().unwrap_or_default());
    if known.state != "paid" {
        return Err(Problem::new(409, "only a paid invoice can be refunded"));
    }
    if cents(total).is_none_or(|total| total > known.total_cents()) {
        return Err(Problem::new(400, "the refund is more than the invoice"));
    }
    known.refund = Some((reason.to_owned(), total.to_owned()));
    "refund_requested".clone_into(&mut known.state);
    Ok((204, Value::Null))
}

pub(super) fn balance(state: &mut State, installation: &str, body: &Value) -> Answer {
    check(body, BALANCES)?;
    installed(state, installation).balances.push(body.clone());
    Ok((201, Value::Null))
}

pub(super) fn finalize(state: &mut State, installation: &str) -> Answer {
    let installed = installed(state, installation);
    let is_open = |invoice: &InvoiceRecord| !matches!(invoice.state.as_str(), "paid" | "refunded" | "overdue");
    if installed.state != InstallationState::Finalizing || installed.invoices.iter().any(is_open) {
        return Err(Problem::new(409, "the deletion is not pending, or invoices are open"));
    }
    installed.state = InstallationState::Gone;
    Ok((204, Value::Null))
}

fn installed<'a>(state: &'a mut State, installation: &str) -> &'a mut Installed {
    state.installations.get_mut(installation).expect("authenticated")
}

fn find<'a>(state: &'a mut State, installation: &str, invoice: &str) -> Result<&'a mut InvoiceRecord, Problem> {
    let found = installed(state, installation).invoices.iter_mut().find(|known| known.id == invoice);
    found.ok_or_else(|| Problem::new(404, "No such invoice."))
}

/// Returns an error unless a time is within the period, and the period has a length.
fn is_within(body: &Value, field: &str, period: &Value) -> Result<(), Problem> {
    let time = |value: &Value| value.as_str().and_then(parse_time);
    let (start, end, time) = (time(&period["start"]), time(&period["end"]), time(&body[field]));
    if start < end && start <= time && time <= end {
        return Ok(());
    }
    Err(Problem::new(400, format!("`{field}` is outside of the period")))
}

fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
