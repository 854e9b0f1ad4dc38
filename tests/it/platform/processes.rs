//! Processes that are killed during slow operations and that share one token; results are counted by Heroku and in the
//! vendor's tables.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_testkit::Reply;
use maitre_testkit::platform::{Exchange, Install, RefreshTokens, Rule, State};
use tokio::time::{Instant, sleep};

use super::Fixture;
use super::app_process::{AppProcess, SLOW, serve_if_child};
use super::setup::id;
use crate::ledger::support::{Database, RandomNumbers, short_or_long, soon, until};

/// Not a test on its own: runs in the processes that the other tests start.
#[test]
fn child_process() {
    serve_if_child();
}

/// Timeout of a customer: a slow provision restarts with every process that is killed.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Processes, and customers that install until the numbers of installs and kills are reached.
struct Fleet {
    fixture: Fixture,
    processes: Vec<Mutex<Arc<AppProcess>>>,
    started: AtomicUsize,
    target: usize,
    killed: AtomicBool,
}

/// Fate of an install.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Stays,
    RemovedWhileProvisioning,
    RemovedWhenProvisioned,
}

impl Fleet {
    async fn start(processes: usize, target: usize, fixture: Fixture) -> Arc<Self> {
        let mut all = Vec::new();
        for _ in 0..processes {
            all.push(Mutex::new(Arc::new(AppProcess::start(&fixture).await)));
        }
        Arc::new(Self { fixture, processes: all, started: AtomicUsize::new(0), target, killed: AtomicBool::new(false) })
    }

    fn process(&self, index: usize) -> Arc<AppProcess> {
        self.processes[index].lock().expect("a process").clone()
    }

    fn any(&self, numbers: &mut RandomNumbers) -> Arc<AppProcess> {
        self.process(numbers.below(self.processes.len()))
    }

    async fn kill_one(&self, numbers: &mut RandomNumbers) {
        let index = numbers.below(self.processes.len());
        self.process(index).child.signal("KILL").await;
        let new = Arc::new(AppProcess::start(&self.fixture).await);
        *self.processes[index].lock().expect("a process") = new;
    }

    /// Installs one add-on after another, and returns the installs with their fates.
    async fn customer(self: Arc<Self>, mut numbers: RandomNumbers) -> Vec<(Install, Fate)> {
        let mut installs = Vec::new();
        while self.started.fetch_add(1, Ordering::SeqCst) < self.target || !self.killed.load(Ordering::SeqCst) {
            let fate = match numbers.below(8) {
                0 => Fate::RemovedWhileProvisioning,
                1 => Fate::RemovedWhenProvisioned,
                _ => Fate::Stays,
            };
            let install = self.fixture.heroku.install(SLOW);
            self.provision(&mut numbers, &install).await;
            if fate != Fate::RemovedWhileProvisioning {
                let end = Instant::now() + TIMEOUT;
                while install.state() != State::Provisioned {
                    assert!(Instant::now() < end, "never provisioned: {install:?}, {:?}", install.call_counts());
                    sleep(Duration::from_millis(20)).await;
                }
            }
            if fate != Fate::Stays {
                self.deprovision(&mut numbers, &install).await;
            }
            installs.push((install, fate));
        }
        installs
    }

    /// Sends the provision until it is answered, as Heroku does.
    async fn provision(&self, numbers: &mut RandomNumbers, install: &Install) {
        let end = Instant::now() + TIMEOUT;
        loop {
            let client = &self.any(numbers).accepting;
            let reply = client.provision(SLOW).install(install).try_send().await;
            if let Some(reply) = answer(reply, &[200, 202]) {
                return install.record_provision(&reply);
            }
            assert!(Instant::now() < end, "no reply to the provision of {install:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn deprovision(&self, numbers: &mut RandomNumbers, install: &Install) {
        let end = Instant::now() + TIMEOUT;
        loop {
            let reply = self.any(numbers).accepting.deprovision(install.uuid()).try_send().await;
            // the reply to the first request may have been lost with its process
            if let Some(reply) = answer(reply, &[200, 202, 204, 410]) {
                return install.record_deprovision(&reply);
            }
            assert!(Instant::now() < end, "no reply to the deprovision of {install:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Returns a final reply; `None` if the process died or answered 503.
fn answer(reply: Result<Reply, maitre_testkit::Error>, good: &[u16]) -> Option<Reply> {
    let reply = reply.ok()?;
    assert!(reply.status() == 503 || good.contains(&reply.status()), "{reply:?}");
    good.contains(&reply.status()).then_some(reply)
}

/// Whether the response to `actions/deprovision` was lost with a process, so that another process repeated the call.
fn is_reported_again(install: &Install) -> bool {
    let calls = calls(install);
    let is_end = |call: &String| call.contains("actions/deprovision");
    let reported = calls.iter().position(|call| is_end(call) && call.ends_with("Some(200)"));
    reported.and_then(|reported| calls.get(reported + 1)).is_some_and(is_end)
}

/// Returns the API calls for this install with their statuses.
fn calls(install: &Install) -> Vec<String> {
    let line = |exchange: &Exchange| format!("{} {} {:?}", exchange.method(), exchange.path(), exchange.status());
    install.exchanges().iter().map(line).collect()
}

on_both_databases! {
    async fn slow_provisions_complete_once_although_processes_are_killed(database: Database) {
        let fixture = Fixture::new(database).await;
        fixture.heroku.update_settings(|settings| {
            settings.grant_backfill = true;
            settings.async_deprovisioning = true;
            settings.rate_limit = 1_000_000;
        });
        let (target, kills) = (short_or_long(40, 1_000), short_or_long(5, 100));
        let mut numbers = RandomNumbers::seeded(17);
        let fleet = Fleet::start(4, target, fixture).await;
        let customers = short_or_long(40, 100);
        let customers: Vec<_> = (0..customers).map(|_| tokio::spawn(fleet.clone().customer(numbers.fork()))).collect();
        for _ in 0..kills {
            sleep(Duration::from_millis(numbers.below(3_000) as u64)).await;
            fleet.kill_one(&mut numbers).await;
        }
        fleet.killed.store(true, Ordering::SeqCst);
        let mut installs = Vec::new();
        for customer in customers {
            installs.extend(customer.await.expect("a customer"));
        }
        assert!(installs.len() >= target);
        let fixture = &fleet.fixture;
        let app = fixture.start_app_without_worker(fixture.options(), |platform| platform).await;
        app.wait_until_idle().await;
        // a grant not exchanged by now is lost
        fixture.heroku.clock().advance(Duration::from_mins(6));

        let (mut repeated, mut reported_again) = (0, HashSet::new());
        for (install, fate) in &installs {
            let (uuid, counts) = (install.uuid(), install.call_counts());
            if *fate == Fate::Stays {
                assert_eq!(install.state(), State::Provisioned);
                assert_eq!((counts.restarts, counts.repeated_provisions), (1, 0), "{install:?}");
                let name = app.platform.call(&id(install), |api| async move { api.add_on(uuid).await }).await;
                assert_eq!(name.expect("a token").name, install.name());
            } else {
                assert_eq!(install.state(), State::Deprovisioned, "{install:?}, {:#?}", calls(install));
                if is_reported_again(install) {
                    reported_again.insert(uuid.to_owned());
                } else {
                    assert_eq!(counts.calls_after_deprovision, 0, "{install:?}, {:#?}", calls(install));
                }
            }
            assert_eq!(
                fixture.vendor.widget(uuid).await.is_some(),
                *fate == Fate::Stays,
                "lost or orphaned: {install:?}"
            );
            repeated += counts.repeated_exchanges;
        }
        assert_eq!(fixture.vendor.duplicates().await, 0);
        assert_eq!(fixture.heroku.call_counts().lost_grants, 0);
        // an exchange whose response was lost with its process is retried, and then another grant is requested
        let mut wrong = fixture.heroku.violations();
        wrong.retain(|violation| match violation.rule() {
            Rule::RepeatedExchange => false,
            Rule::CallAfterDeprovision => violation.uuid().is_none_or(|uuid| !reported_again.contains(uuid)),
            _ => true,
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
        let stats = app.ledger.stats().await.unwrap();
        assert_eq!((stats.parked_operations, stats.parked_jobs), (0, 0));
        let (installed, ends) = (installs.len(), reported_again.len());
        println!("{installed} installs, {kills} processes killed");
        println!("interrupted: {repeated} exchanges, {ends} deprovision reports");
    }

    async fn concurrent_tasks_in_four_processes_refresh_a_token_once(database: Database) {
        let fixture = Fixture::new(database).await;
        fixture.heroku.update_settings(|settings| settings.refresh_tokens = RefreshTokens::Rotated);
        let mut processes = Vec::new();
        for _ in 0..4 {
            processes.push(AppProcess::start(&fixture).await);
        }
        let install = fixture.heroku.install("basic");
        let reply = processes[0].client.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(200));
        let ask = format!("name {}", install.uuid());
        // Heroku counts the exchange before the token is stored
        until("the token is stored", || async { processes[0].child.send(&ask).await == Some(install.name()) }).await;
        assert_eq!(install.call_counts().exchanges, 1);
        let ask_all = || async {
            let mut answers = Vec::new();
            for task in 0..100 {
                let (child, command) = (processes[task % 4].child.clone(), ask.clone());
                answers.push(tokio::spawn(async move { child.send(&command).await }));
            }
            for answer in answers {
                assert_eq!(soon("a name", answer).await.unwrap(), Some(install.name()));
            }
        };
        ask_all().await;
        assert_eq!(install.call_counts().refreshes, 0);

        fixture.heroku.clock().advance(Duration::from_hours(9));
        for process in &processes {
            process.child.send(&format!("ahead {}", 9 * 60 * 60)).await.expect("a running process");
        }
        ask_all().await;
        assert_eq!((install.call_counts().refreshes, install.call_counts().expired_tokens), (1, 0));

        // revoked before expiry, which each process learns from a 401
        install.revoke_tokens();
        ask_all().await;
        assert_eq!(install.call_counts().refreshes, 2);
        fixture.assert_no_violations();
    }

    async fn a_thousand_overdue_grants_are_exchanged_before_they_expire(database: Database) {
        let fixture = Fixture::new(database).await;
        // this process has no worker: it only records requests
        let app = fixture.start_app_without_worker(fixture.options(), |platform| platform).await;
        let store = app.ledger.store();
        for _ in 0..1_000 {
            let install = fixture.heroku.install("basic");
            let mut request = maitre_core::Provision::new(app.addon.id().clone(), install.uuid(), "basic");
            // a token is only stored for an existing resource, so provision it
            maitre_core::Backend::provision(&app.addon, request.clone()).await.expect("a widget");
            let grant = install.grant();
            request.oauth_grant = Some(maitre_core::OauthGrant::new(grant.code(), grant.expires_at()));
            let job = maitre_core::PlatformHooks::provision_job(&app.platform, &request).expect("a job for the grant");
            assert!(store.enqueue(app.addon.id(), job).await.unwrap());
        }
        let down = Duration::from_mins(4);
        fixture.heroku.clock().advance(down);
        let process = AppProcess::start_late(&fixture, down).await;
        until("all grants are exchanged", || async { fixture.heroku.call_counts().exchanges == 1_000 }).await;
        assert_eq!(fixture.heroku.call_counts().lost_grants, 0);
        assert!(fixture.heroku.installs().iter().all(|install| install.call_counts().exchanges == 1));
        assert_eq!(process.alarms("job is close to its deadline"), 1_000);
        fixture.assert_no_violations();
    }
}
