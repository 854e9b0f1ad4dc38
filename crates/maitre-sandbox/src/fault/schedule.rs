use std::sync::{Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

use super::{Chaos, Fault};
use crate::entry::Kind;

/// Scheduled and random faults in calls to the add-on.
#[derive(Debug)]
pub(crate) struct FaultSchedule(Mutex<State>);

#[derive(Debug)]
struct State {
    scheduled: Vec<ScheduledFault>,
    chaos: Chaos,
    seed: u64,
    rng: Rng,
}

/// Fault scheduled for the next calls, of one kind or of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScheduledFault {
    pub(crate) fault: Fault,
    pub(crate) kind: Option<Kind>,
    pub(crate) remaining: u64,
}

impl Default for FaultSchedule {
    fn default() -> Self {
        Self(Mutex::new(State { scheduled: Vec::new(), chaos: Chaos::default(), seed: 0, rng: Rng::with_seed(0) }))
    }
}

impl FaultSchedule {
    pub(crate) fn schedule(&self, fault: Fault, kind: Option<Kind>, times: u64) {
        if times > 0 {
            self.state().scheduled.push(ScheduledFault { fault, kind, remaining: times });
        }
    }

    pub(crate) fn scheduled(&self) -> Vec<ScheduledFault> {
        self.state().scheduled.clone()
    }

    pub(crate) fn clear(&self) {
        self.state().scheduled.clear();
    }

    pub(crate) fn chaos(&self) -> Chaos {
        self.state().chaos
    }

    pub(crate) fn set_chaos(&self, chaos: Chaos, seed: u64) {
        let mut state = self.state();
        (state.chaos, state.seed, state.rng) = (chaos, seed, Rng::with_seed(seed));
    }

    pub(crate) fn seed(&self) -> u64 {
        self.state().seed
    }

    /// Takes the fault of the next call of this kind: a scheduled one if there is one, else perhaps a random one.
    pub(crate) fn next(&self, kind: Kind) -> Option<Fault> {
        let mut state = self.state();
        let matches = |scheduled: &ScheduledFault| {
            scheduled.kind.is_none_or(|wanted| wanted == kind) && scheduled.fault.applies_to(kind)
        };
        if let Some(index) = state.scheduled.iter().position(matches) {
            let scheduled = &mut state.scheduled[index];
            scheduled.remaining -= 1;
            let fault = scheduled.fault;
            if scheduled.remaining == 0 {
                state.scheduled.remove(index);
            }
            return Some(fault);
        }
        if state.chaos.rate() == 0.0 || state.rng.f64() >= state.chaos.rate() {
            return None;
        }
        state.rng.choice(Fault::ALL.into_iter().filter(|fault| fault.applies_to(kind)).collect::<Vec<_>>())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduled_fault_applies_to_calls_of_its_kind_until_it_is_used_up() {
        let faults = FaultSchedule::default();
        faults.schedule(Fault::Cut, Some(Kind::Provision), 1);
        faults.schedule(Fault::Duplicate, None, 2);
        let kinds = [Kind::SignOn, Kind::Deprovision, Kind::Provision, Kind::PlanChange, Kind::PlanChange];
        let drawn = kinds.map(|kind| faults.next(kind));
        assert_eq!(drawn, [None, Some(Fault::Duplicate), Some(Fault::Cut), Some(Fault::Duplicate), None]);
    }

    #[test]
    fn chaos_has_its_rate_and_is_reproducible() {
        let drawn = |seed| {
            let faults = FaultSchedule::default();
            faults.set_chaos("10%".parse().unwrap(), seed);
            (0..10_000).map(|_| faults.next(Kind::Provision)).collect::<Vec<_>>()
        };
        let hits = drawn(7).iter().flatten().count();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        for fault in Fault::ALL {
            assert!(drawn(7).contains(&Some(fault)), "{fault}");
        }
    }
}
