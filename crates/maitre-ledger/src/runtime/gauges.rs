//! Gauges (feature `metrics`), set from the statistics.

use crate::engine::Stats;

#[cfg(feature = "metrics")]
pub(super) fn set_gauges(stats: &Stats) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let count = |count: i64| count as f64;
    metrics::gauge!("maitre_open_operations").set(count(stats.open_operations));
    metrics::gauge!("maitre_parked_operations").set(count(stats.parked_operations));
    metrics::gauge!("maitre_oldest_open_operation_age_seconds").set(stats.oldest_open_age.as_secs_f64());
    metrics::gauge!("maitre_open_jobs").set(count(stats.open_jobs));
    metrics::gauge!("maitre_parked_jobs").set(count(stats.parked_jobs));
}

#[cfg(not(feature = "metrics"))]
pub(super) fn set_gauges(_: &Stats) {}

#[cfg(all(test, feature = "metrics", feature = "sqlite"))]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use maitre_core::{
        AddonId, Backend as _, Deprovision, Deprovisioned, Failure, Listener, PlanChange, PlanChanged, Provision,
        Provisioned, SignOn, SignedOn,
    };
    use metrics::{
        Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit,
    };

    use crate::{Ledger, Stats};

    type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

    /// Recorder that counts by name and labels.
    struct Recorder(Counts);

    struct One(Counts, String);

    impl CounterFn for One {
        fn increment(&self, value: u64) {
            *self.0.lock().expect("the counts").entry(self.1.clone()).or_default() += value;
        }
        fn absolute(&self, _: u64) {}
    }

    impl GaugeFn for One {
        fn increment(&self, _: f64) {}
        fn decrement(&self, _: f64) {}
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the test sets whole numbers")]
        fn set(&self, value: f64) {
            self.0.lock().expect("the counts").insert(self.1.clone(), value as u64);
        }
    }

    impl HistogramFn for One {
        fn record(&self, _: f64) {
            CounterFn::increment(self, 1);
        }
    }

    impl Recorder {
        fn one(&self, key: &Key) -> Arc<One> {
            let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
            Arc::new(One(self.0.clone(), format!("{} {}", key.name(), labels.join(" "))))
        }
    }

    impl metrics::Recorder for Recorder {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.one(key))
        }
        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(self.one(key))
        }
        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::from_arc(self.one(key))
        }
    }

    struct Widgets;

    impl Listener for Widgets {
        async fn provision(&self, request: Provision) -> maitre_core::Result<Provisioned> {
            match request.plan.as_str() {
                "basic" => Ok(Provisioned::new(request.resource)),
                "gold" => Err(Failure::refused("No such plan.")),
                _ => Err(Failure::from_display("no connection")),
            }
        }
        async fn plan_change(&self, _: PlanChange) -> maitre_core::Result<PlanChanged> {
            Ok(PlanChanged::new())
        }
        async fn deprovision(&self, _: Deprovision) -> maitre_core::Result<Deprovisioned> {
            Ok(Deprovisioned::new())
        }
        async fn single_sign_on(&self, _: SignOn) -> maitre_core::Result<SignedOn> {
            Ok(SignedOn::redirect("/"))
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn requests_and_calls_are_counted_by_outcome() {
        let counts = Counts::default();
        let recorder = Recorder(counts.clone());
        let _guard = metrics::set_default_local_recorder(&recorder);
        let folder = std::env::temp_dir().join(format!("maitre-metrics-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let url = format!("sqlite://{}", folder.join("maitre.db").display());
        Ledger::migrate(&url).await.unwrap();
        let ledger = Ledger::open(&url).await.unwrap();
        let kept = ledger.wrap(Widgets);
        let addon = AddonId::new("heroku", "widgets");
        let provision = |key: &str, plan: &str| kept.provision(Provision::new(addon.clone(), key, plan));
        for plan in ["basic", "basic", "gold", "basic"] {
            let _ = provision("one", plan).await;
        }
        let _ = provision("two", "gold").await;
        let _ = provision("three", "failing").await;
        let _ = kept.deprovision(Deprovision::new(addon.clone(), "one")).await;
        let _ = kept.deprovision(Deprovision::new(addon.clone(), "one")).await;
        ledger.close().await;
        std::fs::remove_dir_all(folder).unwrap();

        let seen = counts.lock().unwrap().clone();
        let expected = [
            ("maitre_requests_total heroku/widgets deprovision gone", 1),
            ("maitre_requests_total heroku/widgets deprovision executed", 1),
            ("maitre_requests_total heroku/widgets provision conflict", 1),
            ("maitre_requests_total heroku/widgets provision executed", 3),
            ("maitre_requests_total heroku/widgets provision replayed", 2),
            ("maitre_listener_call_duration_seconds heroku/widgets deprovision", 1),
            ("maitre_listener_call_duration_seconds heroku/widgets provision", 3),
            ("maitre_listener_calls_total heroku/widgets deprovision completed", 1),
            ("maitre_listener_calls_total heroku/widgets provision completed", 1),
            ("maitre_listener_calls_total heroku/widgets provision failed", 1),
            ("maitre_listener_calls_total heroku/widgets provision rejected", 1),
        ];
        assert_eq!(seen, expected.map(|(name, count)| (name.to_owned(), count)).into());
    }

    #[test]
    fn gauges_are_set_from_the_statistics() {
        let counts = Counts::default();
        let recorder = Recorder(counts.clone());
        let stats = Stats {
            open_operations: 1,
            parked_operations: 2,
            oldest_open_age: Duration::from_secs(3),
            open_jobs: 4,
            parked_jobs: 5,
        };
        metrics::with_local_recorder(&recorder, || super::set_gauges(&stats));
        let expected = [
            ("maitre_oldest_open_operation_age_seconds ", 3),
            ("maitre_open_jobs ", 4),
            ("maitre_open_operations ", 1),
            ("maitre_parked_jobs ", 5),
            ("maitre_parked_operations ", 2),
        ];
        assert_eq!(*counts.lock().unwrap(), expected.map(|(name, count)| (name.to_owned(), count)).into());
    }
}
