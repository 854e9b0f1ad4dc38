//! Processes that are killed during slow operations and that share one token; results are counted by Heroku and in the
//! vendor's tables.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_testkit::Reply;
use maitre_testkit::platform::{Exchange, Install, RefreshTokens, Rule, State};
use tokio::time::{Instant, sleep};

use super::World;
use super::app_process::{Branch, SLOW, serve_if_told};
use super::setup::id;
use crate::ledger::support::{Database, RandomNumbers, short_or_long, soon, until};

/// Not a test by itself: runs in the processes that the other tests start.
#[test]
fn child_process() {
    serve_if_told();
}

/// Timeout of a customer: a slow provision restarts with every process that is killed.
const PATIENCE: Duration = Duration::from_mins(5);

/// Processes, and customers that install until the numbers of installs and kills are reached.
struct Street {
    world: World,
    branches: Vec<Mutex<Arc<Branch>>>,
    ordered: AtomicUsize,
    orders: usize,
    killed: AtomicBool,
}

/// What a customer does with an install.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Stays,
    RemovedInTheMiddle,
    RemovedWhenItIsThere,
}

impl Street {
    async fn of(branches: usize, orders: usize, world: World) -> Arc<Self> {
        let mut all = Vec::new();
        for _ in 0..branches {
            all.push(Mutex::new(Arc::new(Branch::start(&world).await)));
        }
        Arc::new(Self { world, branches: all, ordered: AtomicUsize::new(0), orders, killed: AtomicBool::new(false) })
    }

    fn branch(&self, place: usize) -> Arc<Branch> {
        self.branches[place].lock().expect("a branch").clone()
    }

    fn any(&self, numbers: &mut RandomNumbers) -> Arc<Branch> {
        self.branch(numbers.below(self.branches.len()))
    }

    async fn kill_one(&self, numbers: &mut RandomNumbers) {
        let place = numbers.below(self.branches.len());
        self.branch(place).machine.signal("KILL").await;
        let anew = Arc::new(Branch::start(&self.world).await);
        *self.branches[place].lock().expect("a branch") = anew;
    }

    /// Installs one add-on after another, and returns the installs with their fates.
    async fn customer(self: Arc<Self>, mut numbers: RandomNumbers) -> Vec<(Install, Fate)> {
        let mut orders = Vec::new();
        while self.ordered.fetch_add(1, Ordering::SeqCst) < self.orders || !self.killed.load(Ordering::SeqCst) {
            let fate = match numbers.below(8) {
                0 => Fate::RemovedInTheMiddle,
                1 => Fate::RemovedWhenItIsThere,
                _ => Fate::Stays,
            };
            let install = self.world.heroku.install(SLOW);
            self.order(&mut numbers, &install).await;
            if fate != Fate::RemovedInTheMiddle {
                let end = Instant::now() + PATIENCE;
                while install.state() != State::Provisioned {
                    assert!(Instant::now() < end, "never provisioned: {install:?}, {:?}", install.call_counts());
                    sleep(Duration::from_millis(20)).await;
                }
            }
            if fate != Fate::Stays {
                self.remove(&mut numbers, &install).await;
            }
            orders.push((install, fate));
        }
        orders
    }

    /// Sends the provision until it is answered, as Heroku does.
    async fn order(&self, numbers: &mut RandomNumbers, install: &Install) {
        let end = Instant::now() + PATIENCE;
        loop {
            let market = &self.any(numbers).market;
            let reply = market.provision(SLOW).install(install).try_send().await;
            if let Some(reply) = answer(reply, &[200, 202]) {
                return install.record_provision(&reply);
            }
            assert!(Instant::now() < end, "no answer to the order of {install:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn remove(&self, numbers: &mut RandomNumbers, install: &Install) {
        let end = Instant::now() + PATIENCE;
        loop {
            let reply = self.any(numbers).market.deprovision(install.uuid()).try_send().await;
            // the reply to the first request may have been lost with its process
            if let Some(reply) = answer(reply, &[200, 202, 204, 410]) {
                return install.record_deprovision(&reply);
            }
            assert!(Instant::now() < end, "no answer to the removal of {install:?}");
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

/// Whether the response to `actions/deprovision` was lost with a process, so that another process had to repeat the call.
fn is_told_again(install: &Install) -> bool {
    let calls = calls(install);
    let is_end = |call: &String| call.contains("actions/deprovision");
    let told = calls.iter().position(|call| is_end(call) && call.ends_with("Some(200)"));
    told.and_then(|told| calls.get(told + 1)).is_some_and(is_end)
}

/// Returns the API calls for this install with their statuses.
fn calls(install: &Install) -> Vec<String> {
    let line = |exchange: &Exchange| format!("{} {} {:?}", exchange.method(), exchange.path(), exchange.status());
    install.exchanges().iter().map(line).collect()
}

on_both_databases! {
    async fn slow_provisions_complete_once_although_processes_are_killed(database: Database) {
        let world = World::new(database).await;
        world.heroku.update_settings(|settings| {
            settings.grant_backfill = true;
            settings.async_deprovisioning = true;
            settings.rate_limit = 1_000_000;
        });
        let (orders, kills) = (short_or_long(40, 1_000), short_or_long(5, 100));
        let mut numbers = RandomNumbers::seeded(17);
        let street = Street::of(4, orders, world).await;
        let customers = short_or_long(40, 100);
        let customers: Vec<_> =
            (0..customers).map(|_| tokio::spawn(street.clone().customer(numbers.fork()))).collect();
        for _ in 0..kills {
            sleep(Duration::from_millis(numbers.below(3_000) as u64)).await;
            street.kill_one(&mut numbers).await;
        }
        street.killed.store(true, Ordering::SeqCst);
        let mut installs = Vec::new();
        for customer in customers {
            installs.extend(customer.await.expect("a customer"));
        }
        assert!(installs.len() >= orders);
        let world = &street.world;
        let house = world.front(world.options(), |platform| platform).await;
        house.all_done().await;
        // a grant not exchanged by now is lost
        world.heroku.clock().advance(Duration::from_mins(6));

        let (mut cut_off, mut told_again) = (0, HashSet::new());
        for (install, fate) in &installs {
            let (uuid, tally) = (install.uuid(), install.call_counts());
            if *fate == Fate::Stays {
                assert_eq!(install.state(), State::Provisioned);
                assert_eq!((tally.restarts, tally.repeated_provisions), (1, 0), "{install:?}");
                let name = house.platform.call(&id(install), |api| async move { api.add_on(uuid).await }).await;
                assert_eq!(name.expect("a token").name, install.name());
            } else {
                assert_eq!(install.state(), State::Deprovisioned, "{install:?}, {:#?}", calls(install));
                if is_told_again(install) {
                    told_again.insert(uuid.to_owned());
                } else {
                    assert_eq!(tally.calls_after_deprovision, 0, "{install:?}, {:#?}", calls(install));
                }
            }
            assert_eq!(world.vendor.widget(uuid).await.is_some(), *fate == Fate::Stays, "lost or orphaned: {install:?}");
            cut_off += tally.repeated_exchanges;
        }
        assert_eq!(world.vendor.doubles().await, 0);
        assert_eq!(world.heroku.call_counts().lost_grants, 0);
        // an exchange whose response was lost with its process is retried, and then another grant is requested
        let mut wrong = world.heroku.violations();
        wrong.retain(|violation| match violation.rule() {
            Rule::RepeatedExchange => false,
            Rule::CallAfterDeprovision => violation.uuid().is_none_or(|uuid| !told_again.contains(uuid)),
            _ => true,
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
        let figures = house.ledger.stats().await.unwrap();
        assert_eq!((figures.parked_operations, figures.parked_jobs), (0, 0));
        let (orders, ends) = (installs.len(), told_again.len());
        println!("{orders} orders; {kills} processes killed, by that {cut_off} exchanges and {ends} ends of removals cut off");
    }

    async fn concurrent_tasks_in_four_processes_refresh_a_token_once(database: Database) {
        let world = World::new(database).await;
        world.heroku.update_settings(|settings| settings.refresh_tokens = RefreshTokens::Rotated);
        let mut branches = Vec::new();
        for _ in 0..4 {
            branches.push(Branch::start(&world).await);
        }
        let install = world.heroku.install("basic");
        let reply = branches[0].market.provision("basic").install(&install).send().await;
        install.record_provision(reply.expect(200));
        until("its grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        let ask_all = || async {
            let mut answers = Vec::new();
            for task in 0..100 {
                let (machine, order) = (branches[task % 4].machine.clone(), format!("name {}", install.uuid()));
                answers.push(tokio::spawn(async move { machine.ask(&order).await }));
            }
            for answer in answers {
                assert_eq!(soon("a name", answer).await.unwrap(), Some(install.name()));
            }
        };
        ask_all().await;
        assert_eq!(install.call_counts().refreshes, 0);

        world.heroku.clock().advance(Duration::from_hours(9));
        for branch in &branches {
            branch.machine.ask(&format!("ahead {}", 9 * 60 * 60)).await.expect("it lives");
        }
        ask_all().await;
        assert_eq!((install.call_counts().refreshes, install.call_counts().expired_tokens), (1, 0));

        // revoked before expiry, which each process learns from a 401
        install.revoke_tokens();
        ask_all().await;
        assert_eq!(install.call_counts().refreshes, 2);
        world.is_content();
    }

    async fn a_thousand_overdue_grants_are_exchanged_before_they_expire(database: Database) {
        let world = World::new(database).await;
        // this process has no worker: it only records requests
        let front = world.front(world.options(), |platform| platform).await;
        let records = front.ledger.store();
        for _ in 0..1_000 {
            let install = world.heroku.install("basic");
            let mut order = maitre_core::Provision::new(front.addon.id().clone(), install.uuid(), "basic");
            // a token is only stored for an existing resource, so provision it
            maitre_core::Backend::provision(&front.addon, order.clone()).await.expect("a widget");
            let grant = install.grant();
            order.oauth_grant = Some(maitre_core::OauthGrant::new(grant.code(), grant.expires_at()));
            let errand = maitre_core::PlatformHooks::provision_job(&front.platform, &order).expect("a grant is an errand");
            assert!(records.enqueue(front.addon.id(), errand).await.unwrap());
        }
        let down = Duration::from_mins(4);
        world.heroku.clock().advance(down);
        let branch = Branch::start_late(&world, down).await;
        until("all are exchanged", || async { world.heroku.call_counts().exchanges == 1_000 }).await;
        assert_eq!(world.heroku.call_counts().lost_grants, 0);
        assert!(world.heroku.installs().iter().all(|install| install.call_counts().exchanges == 1));
        assert_eq!(branch.alarms("an errand is late: soon it is too late for it"), 1_000);
        world.is_content();
    }
}
