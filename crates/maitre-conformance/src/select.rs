//! Selection of the checks to run.

use crate::check::Check;
use crate::error::SetupError;
use crate::marketplace::Marketplace;

#[derive(Clone, Default)]
pub(crate) struct Selection {
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) slow: bool,
}

impl Selection {
    pub(crate) fn includes(&self, check: &Check) -> bool {
        let named = |names: &[String]| names.iter().any(|name| matches(check, name));
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }

    /// Returns whether a slow check runs: on request of all slow checks, or of this check by its id.
    pub(crate) fn includes_slow(&self, check: &Check) -> bool {
        self.slow || self.only.iter().any(|name| qualified(check, name) == check.id)
    }

    /// Rejects unknown names and an empty selection.
    pub(crate) fn validate<C>(&self, marketplace: Marketplace, checks: impl Fn() -> C) -> Result<(), SetupError>
    where
        C: Iterator<Item = &'static Check>,
    {
        let unknown = self.only.iter().chain(&self.skip).find(|name| !checks().any(|check| matches(check, name)));
        if let Some(name) = unknown {
            let advice = match similar(name, checks()) {
                Some(known) => format!("did you mean {known}?"),
                None => format!(
                    "use an id such as {}, or a group such as {}",
                    checks().next().map_or("", |check| check.id),
                    checks().next().map_or("", Check::group),
                ),
            };
            return Err(SetupError::new(format!("unknown check `{name}` for {marketplace}: {advice}")));
        }
        if checks().any(|check| self.includes(check)) {
            Ok(())
        } else {
            Err(SetupError::new("no check is left to run: all selected checks are also skipped"))
        }
    }
}

/// Returns whether a name is the check's id, its group, or the first word of its group; with or without the marketplace.
fn matches(check: &Check, name: &str) -> bool {
    let name = qualified(check, name);
    let may_be_group = name.split('.').count() < 3;
    check
        .id
        .strip_prefix(name.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || (may_be_group && rest.starts_with('-')))
}

/// Returns the name with the marketplace in front.
fn qualified(check: &Check, name: &str) -> String {
    let marketplace = check.id.split('.').next().unwrap_or_default();
    match name.split('.').next() {
        Some(first) if first == marketplace => name.to_owned(),
        _ => format!("{marketplace}.{name}"),
    }
}

/// Returns the name that is most similar to an unknown one: an id, a group or the first word of a group.
fn similar(name: &str, checks: impl Iterator<Item = &'static Check>) -> Option<&'static str> {
    let with_marketplace = |known: &str| name.split('.').next() == known.split('.').next();
    let candidates = checks.flat_map(|check| {
        let group = check.group();
        let word = group.split('-').next().unwrap_or(group);
        [check.id, group, word].map(|known| match known.split_once('.') {
            Some((_, short)) if !with_marketplace(known) => (short, known),
            _ => (known, known),
        })
    });
    let scored = candidates.map(|(known, full)| {
        // the last part of an id identifies a check, too
        let end = full.rsplit('.').next().unwrap_or(full);
        let is_end = full.split('.').count() == 3 && end == name;
        (if is_end { 0 } else { strsim::damerau_levenshtein(name, known) }, known)
    });
    let (distance, known) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.len() / 4).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::checks;

    fn selection(only: &[&str], skip: &[&str]) -> Selection {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Selection { only: names(only), skip: names(skip), slow: false }
    }

    fn count(only: &[&str], skip: &[&str]) -> usize {
        let selection = selection(only, skip);
        checks(Marketplace::Heroku).filter(|check| selection.includes(check)).count()
    }

    #[test]
    fn a_name_is_an_id_or_a_group() {
        let all = count(&[], &[]);
        assert_eq!(count(&["heroku"], &[]), all);
        assert_eq!(count(&["heroku.idempotency.same-uuid-again"], &[]), 1);
        assert_eq!(count(&["idempotency.same-uuid-again"], &[]), 1);
        assert_eq!(count(&["idempotency"], &[]) + count(&[], &["heroku.idempotency"]), all);
        assert_eq!(count(&["sso"], &[]), count(&["sso-token", "sso-window", "sso-session"], &[]));
        assert_eq!(count(&["heroku.idempotency.same-uuid"], &[]), 0, "half an id");
        assert_eq!(count(&["provision.id"], &[]), 1, "not provision.id-works");
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        let validate = |only: &[&str], skip: &[&str]| {
            let result = selection(only, skip).validate(Marketplace::Heroku, || checks(Marketplace::Heroku));
            result.map_err(|error| error.to_string())
        };
        for (unknown, advice) in [
            ("ssso", "did you mean sso?"),
            ("one-use", "did you mean sso-window.one-use?"),
            ("idempotency.same-uid-again", "did you mean idempotency.same-uuid-again?"),
            ("heroku.idempotncy", "did you mean heroku.idempotency?"),
            ("cheese", "use an id such as heroku.manifest.slug, or a group such as heroku.manifest"),
        ] {
            let error = validate(&[unknown], &[]).unwrap_err();
            assert_eq!(error, format!("unknown check `{unknown}` for heroku: {advice}"));
        }
        assert!(validate(&[], &["heroku.nothing"]).is_err());
        assert!(validate(&["sso"], &["sso"]).is_err_and(|error| error.contains("no check is left to run")));
        assert_eq!(validate(&["sso"], &["sso-window.one-use"]), Ok(()));
    }
}
