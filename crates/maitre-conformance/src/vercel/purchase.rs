//! Purchases of credits.

use maitre_testkit::vercel::Installation;
use serde_json::Value;

use super::citation::{practice, reference};
use super::skip_if_absent;
use super::target::Target;
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const BALANCES: Citation = reference("200 with timestamp and balances, each with currencyValueInCents");
const REFUSALS: Citation = reference("400, 403, 409 or 422 if the purchase is refused");
const ONCE: Citation = practice("money: a repetition with the same invoice is not another purchase");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.purchase.balances", "A purchase is answered with the balances.", BALANCES, |target| {
        Box::pin(balances(target))
    }),
    Case::should("vercel.purchase.repeated", "A repeated purchase is credited once.", ONCE, |target| {
        Box::pin(repeated(target))
    }),
    Case::should("vercel.purchase.concurrent", "Concurrent purchases are credited once.", ONCE, |target| {
        Box::pin(concurrent(target))
    }),
    Case::must("vercel.purchase.not-paid", "An invoice that is not paid is refused.", REFUSALS, |target| {
        Box::pin(not_paid(target))
    }),
    Case::must("vercel.purchase.unknown", "An unknown invoice is refused.", REFUSALS, |target| {
        Box::pin(unknown(target))
    }),
    Case::should("vercel.purchase.no-invoice", "A purchase without an invoice is answered 400.", REFUSALS, |target| {
        Box::pin(no_invoice(target))
    }),
];

/// Number of concurrent purchases.
const MANY: usize = 4;

const CENTS: u64 = 1_000;

/// A paid invoice of the installation.
fn paid(target: &Target, installation: &Installation) -> String {
    target.platform.add_invoice(installation, &[("credits", None, "10.00")], "paid")
}

/// Buys credits by a paid invoice; skips the check if the add-on sells none.
async fn bought(target: &Target) -> Result<(Installation, String, Response), Stop> {
    let installation = target.installed().await?;
    let invoice = paid(target, &installation);
    let response = target.wire.send(target.vercel.purchase(&installation, &invoice)).await?.to("a purchase of credits");
    skip_if_absent(&response, "POST …/billing/provision")?;
    Ok((installation, invoice, response))
}

/// Returns the sum of the balances; skips the check if they have another form.
fn sum(response: &Response) -> Result<u64, Stop> {
    total(&response.json().unwrap_or_default())
        .ok_or_else(|| Stop::skipped("a purchase is answered without balances (see vercel.purchase.balances)"))
}

fn total(body: &Value) -> Option<u64> {
    body["timestamp"].as_str()?;
    let balances = body["balances"].as_array()?;
    balances.iter().map(|balance| balance["currencyValueInCents"].as_u64()).sum()
}

async fn balances(target: &Target) -> Verdict {
    let (_, _, response) = bought(target).await?;
    let advice = "Answer 200 with {\"timestamp\": \"…\", \"balances\": [{\"currencyValueInCents\": 1000}]}.";
    response.must_be(&[200], advice)?;
    match total(&response.json().unwrap_or_default()) {
        Some(cents) if cents >= CENTS => Ok(()),
        Some(_) => Err(response.fault("The balances do not contain the invoice of $10.00.", advice)),
        None => Err(response.fault("The balances have another form than Vercel's.", advice)),
    }
}

const ADVICE: &str = "Record the id of the invoice in the transaction that credits it.";

async fn repeated(target: &Target) -> Verdict {
    let (installation, invoice, first) = bought(target).await?;
    let before = sum(&first)?;
    let response = target.wire.send(target.vercel.purchase(&installation, &invoice)).await?.to("a repeated purchase");
    response.must_be(&[200], "Answer a repetition with the balances.")?;
    if sum(&response)? == before {
        return Ok(());
    }
    Err(response.fault("The invoice was credited again.", ADVICE))
}

async fn concurrent(target: &Target) -> Verdict {
    let (installation, _, first) = bought(target).await?;
    let (before, invoice) = (sum(&first)?, paid(target, &installation));
    let calls = (0..MANY).map(|_| target.vercel.purchase(&installation, &invoice));
    target.wire.send_all(calls).await?;
    let response = target.wire.send(target.vercel.purchase(&installation, &invoice)).await?;
    let response = response.to("a purchase after several concurrent ones");
    if sum(&response)? == before + CENTS {
        return Ok(());
    }
    Err(response.fault("The invoice was not credited exactly once.", ADVICE))
}

async fn refused(target: &Target, invoice: &str, installation: &Installation) -> Verdict {
    let response = target.wire.send(target.vercel.purchase(installation, invoice)).await?;
    response
        .must_be(&[400, 403, 404, 409, 422], "Read the invoice at Vercel, and answer 422 unless it is paid.")
        .map(drop)
}

async fn not_paid(target: &Target) -> Verdict {
    let (installation, _, _) = bought(target).await?;
    let open = target.platform.add_invoice(&installation, &[("credits", None, "10.00")], "pending");
    refused(target, &open, &installation).await
}

async fn unknown(target: &Target) -> Verdict {
    let (installation, _, _) = bought(target).await?;
    refused(target, "mi_unknown", &installation).await
}

async fn no_invoice(target: &Target) -> Verdict {
    let (installation, invoice, _) = bought(target).await?;
    let call = target.vercel.purchase(&installation, &invoice).without("invoiceId");
    target.wire.send(call).await?.must_be(&[400, 422], "Answer 400.").map(drop)
}
