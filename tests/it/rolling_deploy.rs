//! A rolling deploy: the example of the first schema's commit and this one on one database, under load. Long form only, as
//! it builds that commit.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_testkit::{Heroku, Reply};
use sqlx::{Executor, Row};
use tokio::time::sleep;

use crate::ledger::support::{Database, RandomNumbers, short_or_long, soon, until};
use crate::saas::Saas;
use crate::support::{Folder, build_in};

/// Commit whose schema is the older one of the pair.
const OLDER: &str = "c799378d848c86fed1e9db1afbd5f3a9368d1c1e";

/// Builds the example of the older commit.
fn older_saas() -> PathBuf {
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first-release");
    if !source.join("Cargo.toml").exists() {
        std::fs::create_dir_all(&source).expect("a folder");
        let extract = format!("git archive {OLDER} | tar -x -C \"$0\"");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let status = Command::new("sh").args(["-c", &extract]).arg(&source).current_dir(root).status();
        assert!(status.is_ok_and(|status| status.success()), "this test needs a Git checkout with its history");
    }
    build_in(&source, "saas", "")
}

/// Processes that serve, and the requests that they have answered.
#[derive(Default)]
struct Fleet {
    clients: Mutex<Vec<Heroku>>,
    answered: AtomicUsize,
    stopping: AtomicBool,
}

impl Fleet {
    fn replace(&self, clients: impl IntoIterator<Item = Heroku>) {
        *self.clients.lock().expect("the clients") = clients.into_iter().collect();
    }

    /// Returns any process, as soon as one serves.
    async fn any(&self, numbers: &mut RandomNumbers) -> Heroku {
        loop {
            let clients = self.clients.lock().expect("the clients").clone();
            if let Some(client) = clients.get(numbers.below(clients.len())) {
                return client.clone();
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a request to any process, and again if the process stops before it answers. Every other answer must have the
    /// expected status.
    async fn send<E: Send, F: Future<Output = Result<Reply, E>> + Send>(
        &self,
        numbers: &mut RandomNumbers,
        expected: &[u16],
        request: impl Fn(Heroku) -> F + Send,
    ) -> Reply {
        loop {
            if let Ok(reply) = request(self.any(numbers).await).await {
                assert!(expected.contains(&reply.status()), "{reply}");
                self.answered.fetch_add(1, Ordering::SeqCst);
                return reply;
            }
        }
    }

    /// Provisions, changes and deprovisions one resource after another. Returns the replies of those that remain.
    async fn customer(self: Arc<Self>, mut numbers: RandomNumbers) -> Vec<(String, String)> {
        let mut remaining = Vec::new();
        while !self.stopping.load(Ordering::SeqCst) {
            let (uuid, numbers) = (uuid::Uuid::new_v4().to_string(), &mut numbers);
            let provision = |heroku: Heroku| heroku.provision("basic").uuid(&uuid).try_send();
            let first = self.send(numbers, &[200], &provision).await.text();
            assert_eq!(
                self.send(numbers, &[200], &provision).await.text(),
                first,
                "a replay, perhaps by the other build"
            );
            let change = |heroku: Heroku| heroku.plan_change(&uuid, "premium").try_send();
            self.send(numbers, &[200], change).await;
            if numbers.one_in(2) {
                // 410: the reply to the first request was lost with its process
                let deprovision = |heroku: Heroku| heroku.deprovision(&uuid).try_send();
                self.send(numbers, &[204, 410], deprovision).await;
                self.send(numbers, &[410], &provision).await;
            } else {
                remaining.push((uuid, first));
            }
        }
        remaining
    }

    async fn answers(&self, more: usize) {
        let wanted = self.answered.load(Ordering::SeqCst) + more;
        until("the requests are answered", || async { self.answered.load(Ordering::SeqCst) >= wanted }).await;
    }
}

on_both_databases! {
    async fn two_releases_serve_one_database_under_load(database: Database) {
        if short_or_long(0, 1) == 0 {
            return;
        }
        let older = tokio::task::spawn_blocking(older_saas).await.expect("the older build");
        let (folder, fleet) = (Folder::new(), Arc::<Fleet>::default());
        let mut old = Saas::start_build_on(&older, &folder, &database.url);
        fleet.replace([old.heroku()]);
        let mut numbers = RandomNumbers::seeded(17);
        let customers: Vec<_> = (0..8).map(|_| tokio::spawn(fleet.clone().customer(numbers.fork()))).collect();
        fleet.answers(200).await;

        // on Postgres, the older program does not prepare its statements again after a migration has added a column
        let is_rolling = !database.is_postgres();
        if is_rolling {
            // the old program with the new schema, then both
            tokio::task::block_in_place(|| Saas::migrate(&folder, &database.url));
            fleet.answers(200).await;
        } else {
            fleet.replace([]);
            assert!(tokio::task::block_in_place(|| old.terminate()).success());
            tokio::task::block_in_place(|| Saas::migrate(&folder, &database.url));
        }
        let new = Saas::start_on(&folder, &database.url);
        if is_rolling {
            fleet.replace([old.heroku(), new.heroku()]);
            fleet.answers(600).await;
        }
        // the new program with the rows of the old one
        fleet.replace([new.heroku()]);
        if is_rolling {
            assert!(tokio::task::block_in_place(|| old.terminate()).success());
        }
        fleet.answers(200).await;
        fleet.stopping.store(true, Ordering::SeqCst);

        let mut remaining = 0;
        for customer in customers {
            for (uuid, first) in soon("a customer", customer).await.expect("a customer") {
                let replay = new.heroku().provision("basic").uuid(&uuid).await;
                assert_eq!(replay.expect(200).text(), first);
                remaining += 1;
            }
        }
        let newest = "SELECT CAST(max(version) AS BIGINT) FROM maitre_migrations";
        let version: i64 = database.pool().await.fetch_one(newest).await.expect("a version").get(0);
        if version > 1 {
            let refused = Saas::refusal_of_build(&older, &folder, &database.url);
            assert!(refused.contains("roll the newer program out"), "{refused}");
        }
        let answered = fleet.answered.load(Ordering::SeqCst);
        println!("{answered} requests answered as expected, {remaining} resources replayed, schema version {version}");
    }
}
