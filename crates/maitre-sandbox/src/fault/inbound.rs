//! Faults in the add-on's calls to the marketplace.

use maitre_testkit::platform;

use super::Chaos;

/// Name and label of each fault.
pub(crate) const FAULTS: [(&str, &str); 7] = [
    ("status-503", "is answered 503"),
    ("status-429", "is answered 429, retry after 2 s"),
    ("drop", "is dropped before the work"),
    ("drop-after", "is done, but its response is lost"),
    ("delay", "is answered 3 s late"),
    ("cut", "gets half a response"),
    ("not-json", "gets an HTML page"),
];

/// Name of a fault that is not limited to a call.
pub(crate) const ANY_CALL: &str = "any";

/// Returns the fault of this name.
pub(crate) fn find(name: &str) -> Option<platform::Fault> {
    Some(match name {
        "status-503" => platform::Fault::status(503),
        "status-429" => platform::Fault::status(429).header("retry-after", "2"),
        "drop" => platform::Fault::drop_connection(),
        "drop-after" => platform::Fault::drop_connection().after_work(),
        "delay" => platform::Fault::delay(std::time::Duration::from_secs(3)),
        "cut" => platform::Fault::cut_body(),
        "not-json" => platform::Fault::not_json(),
        _ => return None,
    })
}

/// Returns all faults, each at an equal part of the chaos rate.
pub(crate) fn random(chaos: Chaos) -> impl Iterator<Item = platform::Fault> {
    // the platform draws for each fault separately
    #[expect(clippy::cast_precision_loss, reason = "seven")]
    let rate = chaos.rate() / FAULTS.len() as f64;
    let faults = FAULTS.iter().filter_map(|(name, _)| find(name));
    faults.filter(move |_| rate > 0.0).map(move |fault| fault.always().chance(rate))
}
