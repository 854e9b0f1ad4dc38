//! Recorder of metrics that counts by name and labels.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Label, Metadata, SharedString, Unit};

#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<HashMap<String, Arc<Count>>>>);

#[derive(Default)]
struct Count(AtomicUsize);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(usize::try_from(value).unwrap(), Ordering::SeqCst);
    }
    fn absolute(&self, _: u64) {}
}

impl metrics::Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(Label::value).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Counter::from_arc(self.0.lock().unwrap().entry(name).or_default().clone())
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

impl Counts {
    /// Returns the recorder of this process.
    pub(crate) fn installed() -> Self {
        static COUNTS: OnceLock<Counts> = OnceLock::new();
        let install = || {
            let counts = Self::default();
            metrics::set_global_recorder(counts.clone()).expect("the only recorder");
            counts
        };
        COUNTS.get_or_init(install).clone()
    }

    /// Returns how often an old secret was used; `labels` are the labels of the metric.
    pub(crate) fn old_uses(&self, labels: &str) -> usize {
        self.of(&format!("maitre_old_secret_uses_total {labels}"))
    }

    /// Returns the count of a metric; its name is followed by its labels.
    pub(crate) fn of(&self, name: &str) -> usize {
        self.0.lock().unwrap().get(name).map_or(0, |count| count.0.load(Ordering::SeqCst))
    }
}
