//! Billing runs that are killed at every step: a future that is dropped between two of its polls leaves what a killed
//! process leaves, as everything that counts is in the database and at Vercel.

use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use fastrand::Rng;
use maitre_core::{
    Account, AccountId, AddonId, BoxFuture, ConfigVars, Job, JobOutcome, PlatformHooks as _, PlatformStore, ResourceId,
    ResourceSummary, Result, StoredValue,
};
use maitre_testkit::{platform::Fault, vercel::Installation};
use maitre_vercel::{Amount, Period, Platform, StatementState, Usage};
use time::macros::datetime;

use crate::support::{Store, Vendor, addon, runs};

/// Polls after which a killed run ends at the latest. A run to the end needs fewer.
const LONGEST: usize = 16;

/// Polls a future at most this often, then drops it: in flight, or with a result that was not read.
async fn killed<F: Future>(rng: &mut Rng, future: F) -> Option<F::Output> {
    let most = rng.usize(1..=LONGEST); // short runs are more frequent, as most steps are near the start
    let (mut left, in_flight) = (rng.usize(0..=most), rng.bool());
    let mut future = Box::pin(future);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match Pin::as_mut(&mut future).poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 && in_flight => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The ledger's store, which notes the jobs that it has accepted.
struct Jobs {
    store: Arc<dyn PlatformStore>,
    accepted: Mutex<HashMap<(String, String), Job>>,
}

impl Jobs {
    fn take(&self) -> Vec<Job> {
        self.accepted.lock().expect("no panic").drain().map(|(_, job)| job).collect()
    }
}

impl PlatformStore for Jobs {
    fn read<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredValue>>> {
        self.store.read(addon, resource, name)
    }

    fn write<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        value: &'a [u8],
        expected_version: i64,
    ) -> BoxFuture<'a, Result<bool>> {
        self.store.write(addon, resource, name, value, expected_version)
    }

    fn try_lock<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        self.store.try_lock(addon, resource, name, duration)
    }

    fn unlock<'a>(&'a self, addon: &'a AddonId, resource: &'a ResourceId, name: &'a str) -> BoxFuture<'a, Result<()>> {
        self.store.unlock(addon, resource, name)
    }

    fn enqueue<'a>(&'a self, addon: &'a AddonId, job: Job) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let is_new = self.store.enqueue(addon, job.clone()).await?;
            let mut accepted = self.accepted.lock().expect("no panic");
            accepted.insert((job.kind.clone(), job.name.clone()), job);
            Ok(is_new)
        })
    }

    fn update_config<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        config: &'a ConfigVars,
    ) -> BoxFuture<'a, Result<bool>> {
        self.store.update_config(addon, resource, config)
    }

    fn resources<'a>(
        &'a self,
        addon: &'a AddonId,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<ResourceSummary>>> {
        self.store.resources(addon, after, limit)
    }

    fn account<'a>(&'a self, addon: &'a AddonId, account: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>>> {
        self.store.account(addon, account)
    }
}

/// Runs a job until it is complete, as the worker does after each kill.
async fn run_to_the_end(rng: &mut Rng, platform: &Platform, job: &Job, kills: &mut usize) {
    loop {
        match killed(rng, platform.run_job(&addon(), job)).await {
            None => *kills += 1,
            Some(Ok(JobOutcome::Complete)) => return,
            Some(Ok(other)) => panic!("the period has ended, but the job is {other:?}"),
            Some(Err(failure)) => assert_eq!(failure.kind(), maitre_core::FailureKind::Unavailable, "{failure:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_killed_run_bills_what_was_metered_once() {
    const INSTALLATIONS: usize = 50;
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let jobs = Arc::new(Jobs { store: store.ledger.store(), accepted: Mutex::default() });
    let platform = Platform::builder(vendor.client.clone(), jobs.clone()).build();
    let mut installations: Vec<(Installation, AccountId)> = Vec::new();
    for _ in 0..INSTALLATIONS {
        let installation = vendor.vercel.new_installation();
        let account = store.open(&installation).await;
        installations.push((installation, account));
    }
    let seed = fastrand::u64(..);
    let (mut rng, mut kills, mut metered) = (Rng::with_seed(seed), 0, 0);
    let number = runs(60, 10_000);
    for run in 0..number {
        let account = &installations[run % INSTALLATIONS].1;
        let start = datetime!(2020-01-01 0:00 UTC) + time::Duration::days(i64::try_from(run / INSTALLATIONS).unwrap());
        let period = Period::new(start, start + time::Duration::days(1));
        if rng.u8(..) < 30 {
            let answer = if rng.bool() { Fault::drop_connection() } else { Fault::status(502) };
            let answer = if rng.bool() { answer.after_work() } else { answer };
            vendor.vercel.inject_fault(answer.on("POST", "/v1/installations/*/billing/invoices"));
        }
        for resource in ["ltn_1", "ltn_2"] {
            let most = rng.u32(1..40);
            for thousands in [most / 2, most] {
                let price = Amount::from_cents(7);
                let usage = Usage::new(resource, "basic", "Requests", price, f64::from(thousands), "1,000");
                while killed(&mut rng, platform.meter(account, period, usage.clone()))
                    .await
                    .map(Result::unwrap)
                    .is_none()
                {
                    kills += 1;
                }
            }
            metered += u64::from(most) * 7;
        }
        loop {
            let accepted = jobs.take();
            if accepted.is_empty() {
                break;
            }
            for job in accepted {
                run_to_the_end(&mut rng, &platform, &job, &mut kills).await;
            }
        }
        let statement = platform.statement(account, period).await.unwrap().expect("metered");
        assert_eq!(statement.state, StatementState::Sent, "run {run}, seed {seed}");
    }

    let (mut reported, mut invoices) = (0, 0);
    for (installation, _) in &installations {
        let sent = vendor.vercel.invoices(installation);
        let periods: HashSet<_> = sent.iter().map(|invoice| invoice.submitted["period"].to_string()).collect();
        assert_eq!(periods.len(), sent.len(), "a period was billed twice, seed {seed}");
        invoices += sent.len();
        reported += sent.iter().map(|invoice| u64::try_from(invoice.total_cents()).unwrap()).sum::<u64>();
    }
    let calls = vendor.vercel.calls();
    let again = calls.iter().filter(|call| call.path.ends_with("/billing/invoices") && call.status == 409).count();
    println!("{number} runs, {kills} kills: {invoices} invoices, {again} sent again, {reported} cents of {metered}");
    assert_eq!((invoices, reported), (number, metered), "seed {seed}");
    assert!(kills > number && again > number / 20, "{kills} kills, {again} invoices were sent again, seed {seed}");
    assert_eq!(vendor.vercel.problems(), []);
    store.close().await;
}
