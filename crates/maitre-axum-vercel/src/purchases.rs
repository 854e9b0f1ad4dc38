//! Purchases of credits for prepaid plans.

use std::future::Future;
use std::sync::Arc;

use axum::http::StatusCode;
use maitre_axum::core::{Failure, Result};
use maitre_axum::{Call, ErrorReply, ReadResult, json};
use serde::{Deserialize, Serialize};

use crate::Vercel;
use crate::installations::find;
use crate::optional::VercelPurchase;
use crate::shared::failed;

/// Longest id of an invoice in bytes.
const MAX_ID: usize = 256;

impl Vercel {
    /// Accepts purchases of credits for plans with `"type": "prepayment"`, by this function. Without it, the route does not
    /// exist. A call outlives its request.
    ///
    /// The function checks the invoice at Vercel, credits it once, and returns the balances: an object with `timestamp` and
    /// `balances`. `maitre_vercel::Platform::credit` does it, with balances in the ledger. A refusal is answered 422.
    ///
    /// ```
    /// # use maitre_axum::core::{Failure, catalog::Catalog};
    /// # use maitre_axum_vercel::Vercel;
    /// # let vercel = Vercel::new("oac_lantern", "s3cr3t-example", Catalog::default())?;
    /// let vercel = vercel.with_purchases(async |purchase| match purchase.invoice.as_str() {
    ///     "mi_7" => Ok(serde_json::json!({ "timestamp": "2026-03-04T05:06:07Z", "balances": [{ "currencyValueInCents": 1000 }] })),
    ///     _ => Err(Failure::refused("This invoice is not paid.")),
    /// });
    /// # use maitre_axum::core::{Addon, doctest::Widgets};
    /// let routes = maitre_axum_vercel::routes::<()>(Addon::new(vercel, Widgets));
    /// assert!(routes.list().any(|(_, path, _)| path.ends_with("/billing/provision")));
    /// # Ok::<(), maitre_axum_vercel::VercelError>(())
    /// ```
    #[must_use]
    pub fn with_purchases<F, B>(mut self, credit: impl Fn(VercelPurchase) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<B>> + Send + 'static,
        B: Serialize + 'static,
    {
        self.optional.purchases = Some(Arc::new(move |purchase| {
            let credited = credit(purchase);
            Box::pin(async move { serde_json::to_value(credited.await?).map_err(Failure::unavailable) })
        }));
        self
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PurchaseBody {
    invoice_id: String,
}

/// Credits a paid invoice, and answers with the balances.
pub(crate) async fn credit(call: Call<Vercel>) -> ReadResult {
    let invoice = call.json::<PurchaseBody>()?.fields.invoice_id;
    if invoice.is_empty() || invoice.len() > MAX_ID || invoice.contains(char::is_control) {
        return Err(ErrorReply::bad_request("The invoiceId is not valid.").into());
    }
    let account = find(&call).await?.filter(|account| account.state.is_open());
    let account = account.ok_or_else(|| ErrorReply::new(StatusCode::CONFLICT, "This installation is not active."))?;
    let Some(handler) = call.addon().marketplace().optional.purchases.clone() else {
        return Err(ErrorReply::not_found().into()); // unreachable: without purchases there is no route
    };
    let purchase = VercelPurchase { addon: call.addon_id(), account: account.id, invoice };
    let credited = call.run_to_completion(handler(purchase)).await;
    let balances = credited.map_err(|failure| failed(&call, &failure, StatusCode::UNPROCESSABLE_ENTITY))?;
    Ok(json(StatusCode::OK, &balances))
}
