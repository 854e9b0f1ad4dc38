//! Purchases of credits.

use std::time::Duration;

use serde_json::{Value, json};

use super::request::Received;
use super::{Answer, Fault, SampleVercel, parsed, refused, response};

impl SampleVercel {
    pub(super) async fn purchase(&self, installation: &str, received: &Received) -> Answer {
        let body = parsed(&received.body).unwrap_or_default();
        let missing = if self.is(Fault::NoInvoiceIs500) { 500 } else { 400 };
        let invoice = body["invoiceId"].as_str().ok_or_else(|| refused(missing))?.to_owned();
        let unknown = if self.is(Fault::UnknownInvoiceIs500) { 500 } else { 422 };
        let paid = self.invoice(installation, &invoice).await.ok_or_else(|| refused(unknown))?;
        if paid["state"] != "paid" && !self.is(Fault::CreditsUnpaid) {
            return Err(refused(422));
        }
        let is_known =
            self.store().credits.get(installation).is_some_and(|credits| credits.invoices.contains(&invoice));
        if self.is(Fault::CreditCheckThenInsert) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut store = self.store();
        let credits = store.credits.entry(installation.to_owned()).or_default();
        let is_new = credits.invoices.insert(invoice);
        let is_credited = match self.fault {
            Fault::CreditsAgain => true,
            Fault::CreditCheckThenInsert => !is_known,
            _ => is_new,
        };
        if is_credited {
            let items = paid["items"].as_array().cloned().unwrap_or_default();
            let cents = |item: &Value| item["total"].as_str()?.replace('.', "").parse::<u64>().ok();
            credits.cents += items.iter().filter_map(cents).sum::<u64>();
        }
        let balances = json!([{ "currencyValueInCents": credits.cents }]);
        Ok(response(
            200,
            &match self.fault {
                Fault::BalancesWithoutTime => json!({ "balances": balances }),
                _ => json!({ "timestamp": "2026-03-04T05:06:07.000Z", "balances": balances }),
            },
        ))
    }

    /// Reads an invoice at Vercel.
    async fn invoice(&self, installation: &str, invoice: &str) -> Option<Value> {
        let token = self.store().installations.get(installation)?.token.clone();
        let url = format!("{}/v1/installations/{installation}/billing/invoices/{invoice}", self.platform);
        let reply = self.http.get(url).bearer_auth(token).send().await.ok()?;
        if reply.status().is_success() { parsed(&reply.bytes().await.ok()?) } else { None }
    }
}
