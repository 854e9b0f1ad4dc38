//! Transfers of resources to another team.
//!
//! A claim is a value of the add-on in the ledger. The first target that accepts it is recorded before the resources move,
//! so that no other one can; a repetition continues what a process that died has begun.

use std::sync::Arc;

use axum::http::StatusCode;
use maitre_axum::core::{AccountId, AccountNotice, Addon, Backend, Failure, Fetch, PlatformStore, ResourceId, Result};
use maitre_axum::{Call, ErrorReply, ReadError, ReadResult, json, no_content};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Vercel;
use crate::contract::invalid;
use crate::installations::find;
use crate::past_plans::remember_plans;
use crate::plan::PlanBody;
use crate::resources::{idempotency_key, key_of};
use crate::shared::{failed, find_resource, live_resources};

/// Most resources of one transfer.
const MAX_RESOURCES: usize = 100;

/// Kind of the notice to the listener about each resource that has moved.
const ACCEPTED: &str = "resource-transfer.accepted";

impl Vercel {
    /// Allows transfers of resources between teams, whose claims are kept in this store: that of the ledger. Without it, the
    /// routes do not exist. The listener is notified by an [`account_notice`](maitre_axum::core::Listener::account_notice) of the
    /// kind `resource-transfer.accepted` for each resource.
    ///
    /// Vercel's texts describe three forms of these routes. This is the one of its reference.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use maitre_axum::core::{PlatformStore, catalog::Catalog};
    /// # use maitre_axum_vercel::Vercel;
    /// // `store` is that of the ledger: `ledger.store()`
    /// fn with_transfers(vercel: Vercel, store: Arc<dyn PlatformStore>) -> Vercel {
    ///     vercel.with_transfers(store)
    /// }
    /// # let vercel = Vercel::new("oac_lantern", "s3cr3t-example", Catalog::default())?;
    /// # use maitre_axum::core::{Addon, doctest::Widgets};
    /// let routes = maitre_axum_vercel::routes::<()>(Addon::new(vercel, Widgets));
    /// assert!(!routes.list().any(|(_, path, _)| path.contains("transfer")), "without the setting");
    /// # Ok::<(), maitre_axum_vercel::VercelError>(())
    /// ```
    #[must_use]
    pub fn with_transfers(mut self, store: Arc<dyn PlatformStore>) -> Self {
        self.optional.transfers = Some(store);
        self
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransferBody {
    resource_ids: Vec<String>,
    /// Milliseconds since 1970.
    expires_at: i64,
}

/// Transfer that a source has requested.
#[derive(Serialize, Deserialize, Clone, PartialEq)]
struct Claim {
    source: String,
    /// Keys of the resources.
    resources: Vec<String>,
    expires_at: i64,
    /// The installation that has accepted it.
    target: Option<String>,
    /// Whether the resources have moved.
    complete: bool,
}

/// Records a transfer of resources of the installation.
pub(crate) async fn create(call: Call<Vercel>) -> ReadResult {
    let body = call.json::<TransferBody>()?.fields;
    if body.resource_ids.is_empty() || body.resource_ids.len() > MAX_RESOURCES {
        return Err(invalid("resourceIds", "A transfer has 1 to 100 resources.").into());
    }
    if is_past(&call, body.expires_at) {
        return Err(unprocessable("The transfer has already expired.").into());
    }
    let source = call.id("iid")?;
    let owned = live_resources(&call).await?;
    let found = body.resource_ids.iter().map(|id| find_resource(&owned, id).map(|key| key.to_string()));
    let mut resources = found.collect::<std::result::Result<Vec<_>, _>>()?;
    resources.sort_unstable();
    resources.dedup();
    let key = idempotency_key(&call).map(|key| key_of(source, &format!("transfer {key}")));
    let claim = key.unwrap_or_else(uuid::Uuid::new_v4).to_string();
    let new =
        Claim { source: source.to_owned(), resources, expires_at: body.expires_at, target: None, complete: false };
    let store = store(&call)?;
    if !write(&call, &*store, &claim, &new, 0).await? {
        let (known, _) = read(&call, &*store, &claim).await?;
        if (&known.resources, known.expires_at) != (&new.resources, new.expires_at) {
            return Err(conflict("This Idempotency-Key belongs to another transfer.").into());
        }
    }
    Ok(json(StatusCode::OK, &json!({ "providerClaimId": claim })))
}

/// Tells whether the installation may accept a transfer. Resources keep their plan.
pub(crate) async fn verify(call: Call<Vercel>) -> ReadResult {
    let (claim, _) = read(&call, &*store(&call)?, call.id("claim")?).await?;
    check(&call, &claim).await?;
    if claim.complete {
        return Ok(json(StatusCode::OK, &json!({})));
    }
    let mut plans = Vec::new();
    for key in &claim.resources {
        let mut request = Fetch::new(call.addon_id(), key.as_str());
        request.account = Some(claim.source.as_str().into());
        let details = call.addon().fetch(request).await.map_err(|_| conflict("A resource no longer exists."))?;
        let offer = call.addon().marketplace().offer(details.service.as_deref(), &details.plan);
        plans.extend(offer.map(|offer| json!(PlanBody(offer.plan))));
    }
    let is_same = plans.len() == claim.resources.len() && plans.windows(2).all(|pair| pair[0] == pair[1]);
    let plan = plans.into_iter().next().filter(|_| is_same);
    Ok(json(StatusCode::OK, &plan.map_or_else(|| json!({}), |plan| json!({ "newBillingPlan": plan }))))
}

/// Moves the resources of a transfer to the installation.
pub(crate) async fn accept(call: Call<Vercel>) -> ReadResult {
    let (store, id) = (store(&call)?, call.id("claim")?.to_owned());
    let target = AccountId::from(call.id("iid")?);
    let (mut claim, mut version) = read(&call, &*store, &id).await?;
    check(&call, &claim).await?;
    if claim.complete {
        return Ok(no_content());
    }
    if claim.target.is_none() {
        claim.target = Some(target.to_string());
        if write(&call, &*store, &id, &claim, version).await? {
            version += 1;
        } else {
            (claim, version) = read(&call, &*store, &id).await?;
            check(&call, &claim).await?;
        }
    }
    let moving = Moving { addon: call.addon().clone(), store, id, claim, version, target };
    let moved = call.run_to_completion(moving.run()).await;
    moved.map_err(|failure| failed(&call, &failure, StatusCode::UNPROCESSABLE_ENTITY))?;
    Ok(no_content())
}

/// Transfer that is being completed.
struct Moving {
    addon: Addon<Vercel>,
    store: Arc<dyn PlatformStore>,
    id: String,
    claim: Claim,
    version: i64,
    target: AccountId,
}

impl Moving {
    /// Moves the resources, notifies the listener, and records that this is done. Each step can be repeated.
    async fn run(self) -> Result<()> {
        let Self { addon, store, id, mut claim, version, target } = self;
        let source = AccountId::from(claim.source.as_str());
        remember_plans(&addon, &*store, &source).await?;
        let keys: Vec<_> = claim.resources.iter().map(|key| ResourceId::from(key.as_str())).collect();
        if !store.move_resources(addon.id(), &keys, &source, &target).await? {
            return Err(Failure::conflict("A resource no longer exists, or the installation is not active."));
        }
        for key in keys {
            let mut notice = AccountNotice::new(addon.id().clone(), target.clone(), ACCEPTED);
            notice.id = Some(format!("transfer {id} {key}"));
            notice.details.insert("source", claim.source.as_str());
            notice.resource = Some(key);
            addon.account_notice(notice).await?;
        }
        claim.complete = true;
        // a repetition may have recorded it already
        store.write(addon.id(), &ResourceId::from(""), &name(&id), &encode(&claim)?, version).await.map(drop)
    }
}

/// Checks that the installation may accept the claim.
async fn check(call: &Call<Vercel>, claim: &Claim) -> std::result::Result<(), ReadError> {
    let target = call.id("iid")?;
    match claim.target.as_deref() {
        Some(accepted) if accepted == target => return Ok(()),
        Some(_) => return Err(conflict("Another team has accepted this transfer.").into()),
        None => {}
    }
    if is_past(call, claim.expires_at) {
        return Err(conflict("This transfer has expired.").into());
    }
    if claim.source == target {
        return Err(unprocessable("The resources belong to this installation already.").into());
    }
    let is_open = find(call).await?.is_some_and(|account| account.state.is_open());
    if is_open { Ok(()) } else { Err(not_found("This installation does not exist.").into()) }
}

fn is_past(call: &Call<Vercel>, milliseconds: i64) -> bool {
    i128::from(milliseconds) * 1_000_000 <= call.now().unix_timestamp_nanos()
}

fn store(call: &Call<Vercel>) -> std::result::Result<Arc<dyn PlatformStore>, ErrorReply> {
    call.addon().marketplace().optional.transfers.clone().ok_or_else(ErrorReply::not_found)
}

fn name(claim: &str) -> String {
    format!("transfer {claim}")
}

fn encode(claim: &Claim) -> Result<Vec<u8>> {
    serde_json::to_vec(claim).map_err(Failure::unavailable)
}

async fn read(
    call: &Call<Vercel>,
    store: &dyn PlatformStore,
    claim: &str,
) -> std::result::Result<(Claim, i64), ReadError> {
    let stored = store.read(call.addon().id(), &ResourceId::from(""), &name(claim)).await?;
    let stored = stored.ok_or_else(|| not_found("This transfer does not exist."))?;
    let claim = serde_json::from_slice(&stored.value).map_err(Failure::unavailable)?;
    Ok((claim, stored.version))
}

async fn write(call: &Call<Vercel>, store: &dyn PlatformStore, id: &str, claim: &Claim, version: i64) -> Result<bool> {
    store.write(call.addon().id(), &ResourceId::from(""), &name(id), &encode(claim)?, version).await
}

fn not_found(message: &'static str) -> ErrorReply {
    ErrorReply::new(StatusCode::NOT_FOUND, message)
}

fn conflict(message: &'static str) -> ErrorReply {
    ErrorReply::new(StatusCode::CONFLICT, message)
}

fn unprocessable(message: &'static str) -> ErrorReply {
    ErrorReply::new(StatusCode::UNPROCESSABLE_ENTITY, message)
}
