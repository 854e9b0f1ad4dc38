//! State of the sample broker. An asynchronous operation ends some time after its first poll, so that a slow machine can
//! observe it.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::DELAY;

/// Duration of an asynchronous operation that is not polled.
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Store {
    pub(super) instances: HashMap<String, Instance>,
    pub(super) bindings: HashMap<(String, String), Binding>,
    /// Instances and bindings that were deleted.
    pub(super) gone: HashSet<(String, String)>,
    /// Ids that are reserved by faults.
    pub(super) busy: HashSet<String>,
    pub(super) created: usize,
    counter: usize,
}

pub(super) struct Instance {
    pub(super) number: usize,
    pub(super) attributes: Value,
    pub(super) plan: String,
    pub(super) creation: Pending,
    pub(super) update: Option<(Pending, String)>,
    pub(super) deletion: Option<Pending>,
    pub(super) enabled: bool,
}

pub(super) struct Binding {
    pub(super) attributes: Value,
    pub(super) credentials: Value,
    pub(super) creation: Pending,
    pub(super) deletion: Option<Pending>,
}

/// An operation, and the time of its end.
#[derive(Clone)]
pub(super) struct Pending {
    pub(super) operation: String,
    end: Instant,
}

impl Pending {
    pub(super) fn is_running(&self) -> bool {
        Instant::now() < self.end
    }

    /// Lets the operation end soon.
    fn polled(&mut self) {
        self.end = self.end.min(Instant::now() + DELAY);
    }
}

impl Instance {
    /// Lets the operations end soon.
    pub(super) fn polled(&mut self) {
        self.creation.polled();
        let update = self.update.iter_mut().map(|(pending, _)| pending);
        update.chain(&mut self.deletion).for_each(Pending::polled);
    }
}

impl Binding {
    /// Lets the operations end soon.
    pub(super) fn polled(&mut self) {
        self.creation.polled();
        self.deletion.iter_mut().for_each(Pending::polled);
    }
}

impl Store {
    pub(super) fn next(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    pub(super) fn pending(&mut self, asynchronous: bool) -> Pending {
        let end = if asynchronous { Instant::now() + LONGEST } else { Instant::now() };
        Pending { operation: format!("op-{}", self.next()), end }
    }

    /// Applies the operations that have ended.
    pub(super) fn settle(&mut self) {
        for instance in self.instances.values_mut() {
            if let Some((_, plan)) = instance.update.take_if(|(pending, _)| !pending.is_running()) {
                instance.plan = plan;
            }
        }
        let ended = |deletion: &Option<Pending>| deletion.as_ref().is_some_and(|pending| !pending.is_running());
        let ids: Vec<_> =
            self.instances.iter().filter(|(_, it)| ended(&it.deletion)).map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.remove_instance(&id);
        }
        let bindings: Vec<_> =
            self.bindings.iter().filter(|(_, it)| ended(&it.deletion)).map(|(id, _)| id.clone()).collect();
        for id in bindings {
            self.bindings.remove(&id);
            self.gone.insert(id);
        }
    }

    pub(super) fn remove_instance(&mut self, id: &str) {
        self.instances.remove(id);
        self.bindings.retain(|(instance, _), _| instance != id);
        self.gone.insert((id.to_owned(), String::new()));
    }

    pub(super) fn active(&mut self) -> usize {
        self.settle();
        self.instances.len() + self.bindings.len()
    }
}
