//! What goes wrong on purpose when the marketplace calls the add-on. What goes wrong the other way round are the faults
//! of the testkit's platform.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use maitre_testkit::platform;
use time::Duration;

use crate::journal::Kind;

/// Something that goes wrong when Heroku calls the add-on, as it does on a bad day.
///
/// ```
/// use maitre_sandbox::Fault;
///
/// assert_eq!("drop-reply".parse(), Ok(Fault::DropReply));
/// assert_eq!(Fault::ALL.len(), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call comes twice at the same time.
    Duplicate,
    /// The call comes three seconds late.
    Delay,
    /// The call is done, and Heroku hangs up before the answer: it will ask again.
    DropReply,
    /// The call is held back until another one has overtaken it, for half a minute at most.
    Reorder,
    /// Somebody calls first who does not know the password.
    WrongPassword,
    /// A token is too old: the one of a sign-on by ten minutes; before any other call the add-on's own access tokens end.
    StaleToken,
    /// Heroku hangs up in the middle of its own request: it will ask again.
    Cut,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Delay,
        Self::DropReply,
        Self::Reorder,
        Self::WrongPassword,
        Self::StaleToken,
        Self::Cut,
    ];

    /// The name in forms and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Delay => "delay",
            Self::DropReply => "drop-reply",
            Self::Reorder => "reorder",
            Self::WrongPassword => "wrong-password",
            Self::StaleToken => "stale-token",
            Self::Cut => "cut",
        }
    }

    /// What it does, for people.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Duplicate => "comes twice",
            Self::Delay => "comes 3 s late",
            Self::DropReply => "loses its answer",
            Self::Reorder => "is overtaken",
            Self::WrongPassword => "comes with a wrong password first",
            Self::StaleToken => "comes with a stale token",
            Self::Cut => "breaks off in the middle",
        }
    }

    /// The same as it is said of a call in the timeline.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Duplicate => "sent twice at the same time",
            Self::Delay => "sent 3 s late",
            Self::DropReply => "Heroku hung up before the answer",
            Self::Reorder => "held back until another call overtook it",
            Self::WrongPassword => "sent with a wrong password",
            Self::StaleToken => "the add-on's access tokens were revoked before",
            Self::Cut => "Heroku hung up in the middle of the request",
        }
    }

    /// Whether it can befall such a call.
    pub(crate) fn befalls(self, kind: Kind) -> bool {
        match kind {
            // the browser sends the form, and all that can be spoiled is what stands in it
            Kind::SignOn => self == Self::StaleToken,
            // without a body there is no middle
            Kind::Deprovision => self != Self::Cut,
            _ => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|fault| fault.name() == name);
        found.ok_or_else(|| format!("there is no fault named {name:?}: choose one of {}", names()))
    }
}

/// What goes wrong when the add-on calls Heroku, as the page offers it.
pub(crate) const INBOUND: [(&str, &str); 7] = [
    ("status-503", "is answered 503"),
    ("status-429", "is answered 429, retry after 2 s"),
    ("drop", "is dropped before the work"),
    ("drop-after", "is done, and its answer is lost"),
    ("delay", "is answered 3 s late"),
    ("cut", "is answered by half"),
    ("not-json", "is answered by a page of HTML"),
];

/// The calls of an add-on that a fault can be ordered for: name, method and path.
pub(crate) const CALLS: [(&str, &str, &str); 4] = [
    ("token", "POST", "/oauth/token"),
    ("config", "PATCH", "/addons/*/config"),
    ("mark provisioned", "POST", "/addons/*/actions/provision"),
    ("mark deprovisioned", "POST", "/addons/*/actions/deprovision"),
];

pub(crate) fn inbound(name: &str) -> Option<platform::Fault> {
    let late = std::time::Duration::from_secs(3);
    Some(match name {
        "status-503" => platform::Fault::status(503),
        "status-429" => platform::Fault::status(429).header("retry-after", "2"),
        "drop" => platform::Fault::drop_connection(),
        "drop-after" => platform::Fault::drop_connection().after_work(),
        "delay" => platform::Fault::delay(late),
        "cut" => platform::Fault::cut_body(),
        "not-json" => platform::Fault::not_json(),
        _ => return None,
    })
}

/// Faults by chance: this share of all calls, both ways, meets one.
///
/// ```
/// use maitre_sandbox::Chaos;
///
/// assert_eq!("10%".parse::<Chaos>()?.share(), 0.1);
/// assert!("110%".parse::<Chaos>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chaos {
    share: f64,
}

impl Chaos {
    /// From 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        self.share
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.share * 100.0)
    }
}

impl FromStr for Chaos {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.trim_end_matches('%').trim().parse::<f64>();
        match percent {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self { share: percent / 100.0 }),
            _ => Err(format!("{text:?} is no share: write a percentage from 0% to 100%, such as 10%")),
        }
    }
}

/// The faults that are ordered for calls to the add-on, and those that come by chance.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Orders>);

#[derive(Debug, Default)]
struct Orders {
    ordered: Vec<Ordered>,
    chaos: Chaos,
    seed: u64,
    drawn: u64,
}

/// A fault for the next so many calls, of one kind if it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) fault: Fault,
    pub(crate) on: Option<Kind>,
    pub(crate) left: u64,
}

impl Faults {
    pub(crate) fn order(&self, fault: Fault, on: Option<Kind>, times: u64) {
        if times > 0 {
            self.orders().ordered.push(Ordered { fault, on, left: times });
        }
    }

    pub(crate) fn list(&self) -> Vec<Ordered> {
        self.orders().ordered.clone()
    }

    pub(crate) fn clear(&self) {
        self.orders().ordered.clear();
    }

    pub(crate) fn chaos(&self) -> Chaos {
        self.orders().chaos
    }

    pub(crate) fn set_chaos(&self, chaos: Chaos, seed: u64) {
        let mut orders = self.orders();
        (orders.chaos, orders.seed, orders.drawn) = (chaos, seed, 0);
    }

    pub(crate) fn seed(&self) -> u64 {
        self.orders().seed
    }

    /// The fault that befalls the next call of this kind, if one does: one that was ordered before one by chance.
    pub(crate) fn draw(&self, kind: Kind) -> Option<Fault> {
        let mut orders = self.orders();
        let meant = |order: &Ordered| order.on.is_none_or(|on| on == kind) && order.fault.befalls(kind);
        if let Some(place) = orders.ordered.iter().position(meant) {
            let order = &mut orders.ordered[place];
            order.left -= 1;
            let fault = order.fault;
            if order.left == 0 {
                orders.ordered.remove(place);
            }
            return Some(fault);
        }
        if orders.chaos.share == 0.0 {
            return None;
        }
        orders.drawn += 1;
        let mut dice = Dice(orders.seed ^ orders.drawn.rotate_left(32));
        if dice.share() >= orders.chaos.share {
            return None;
        }
        let possible: Vec<_> = Fault::ALL.into_iter().filter(|fault| fault.befalls(kind)).collect();
        possible.get(dice.below(possible.len())).copied()
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same faults by chance, for calls of the add-on to the platform.
pub(crate) fn inbound_chaos(chaos: Chaos) -> impl Iterator<Item = platform::Fault> {
    // each of them is drawn for by itself
    #[expect(clippy::cast_precision_loss, reason = "seven")]
    let share = chaos.share / INBOUND.len() as f64;
    let faults = INBOUND.iter().filter_map(|(name, _)| inbound(name));
    faults.filter(move |_| share > 0.0).map(move |fault| fault.always().chance(share))
}

/// How long Heroku waits before it asks again: a second, twice as long each time, an hour at most.
pub(crate) fn pause(attempts: u32) -> Duration {
    Duration::seconds(1_i64 << attempts.saturating_sub(1).min(12)).min(Duration::HOUR)
}

/// `SplitMix64`: numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// From 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are all that a float holds")]
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(self.next() % limit).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordered_fault_befalls_the_calls_it_is_for_and_is_used_up() {
        let faults = Faults::default();
        faults.order(Fault::Cut, Some(Kind::Provision), 1);
        faults.order(Fault::Duplicate, None, 2);
        let drawn = [Kind::SignOn, Kind::Deprovision, Kind::Provision, Kind::PlanChange, Kind::PlanChange];
        let drawn = drawn.map(|kind| faults.draw(kind));
        assert_eq!(drawn, [None, Some(Fault::Duplicate), Some(Fault::Cut), Some(Fault::Duplicate), None]);
    }

    #[test]
    fn chaos_keeps_its_share_and_repeats_itself() {
        let drawn = |seed| {
            let faults = Faults::default();
            faults.set_chaos("10%".parse().unwrap(), seed);
            (0..10_000).map(|_| faults.draw(Kind::Provision)).collect::<Vec<_>>()
        };
        let hits = drawn(7).iter().flatten().count();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        for fault in Fault::ALL {
            assert!(drawn(7).contains(&Some(fault)), "{fault}");
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        assert_eq!(
            [1, 2, 3, 12, 13, 99].map(|attempts| pause(attempts).whole_seconds()),
            [1, 2, 4, 2_048, 3_600, 3_600]
        );
    }
}
