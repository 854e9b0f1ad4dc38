//! Which checks are tried.

use crate::check::Check;
use crate::error::CannotRun;
use crate::marketplace::Marketplace;

#[derive(Clone, Default)]
pub(crate) struct Selection {
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) slow: bool,
}

impl Selection {
    pub(crate) fn takes(&self, check: &Check) -> bool {
        let named = |names: &[String]| names.iter().any(|name| is(check, name));
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }

    /// Whoever names a slow check wants it.
    pub(crate) fn takes_slow(&self, check: &Check) -> bool {
        self.slow || self.only.iter().any(|name| full(check, name) == check.id)
    }

    /// A name that is no check's is a mistake, and never "nothing to do".
    pub(crate) fn validate(&self, marketplace: Marketplace) -> Result<(), CannotRun> {
        let unknown =
            self.only.iter().chain(&self.skip).find(|name| !marketplace.checks().any(|check| is(check, name)));
        if let Some(name) = unknown {
            return Err(CannotRun::new(format!(
                "no check of {marketplace} is named {name}: write an id, such as {}, or a group of them, such as {}",
                marketplace.checks().next().map_or("", |check| check.id),
                marketplace.checks().next().map_or("", Check::group),
            )));
        }
        if marketplace.checks().any(|check| self.takes(check)) {
            Ok(())
        } else {
            Err(CannotRun::new("nothing is left to check: what is named to try is also named to skip"))
        }
    }
}

/// An id, a group, or the first word of several groups; with or without the marketplace in front.
fn is(check: &Check, name: &str) -> bool {
    let name = full(check, name);
    let of_a_group = name.split('.').count() < 3;
    check
        .id
        .strip_prefix(name.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || (of_a_group && rest.starts_with('-')))
}

fn full(check: &Check, name: &str) -> String {
    let marketplace = check.id.split('.').next().unwrap_or_default();
    match name.split('.').next() {
        Some(first) if first == marketplace => name.to_owned(),
        _ => format!("{marketplace}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(only: &[&str], skip: &[&str]) -> usize {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let selection = Selection { only: names(only), skip: names(skip), slow: false };
        Marketplace::Heroku.checks().filter(|check| selection.takes(check)).count()
    }

    #[test]
    fn a_name_is_an_id_or_a_group() {
        let all = taken(&[], &[]);
        assert_eq!(taken(&["heroku"], &[]), all);
        assert_eq!(taken(&["heroku.idempotency.same-uuid-again"], &[]), 1);
        assert_eq!(taken(&["idempotency.same-uuid-again"], &[]), 1);
        assert_eq!(taken(&["idempotency"], &[]) + taken(&[], &["heroku.idempotency"]), all);
        assert_eq!(taken(&["sso"], &[]), taken(&["sso-token", "sso-window", "sso-session"], &[]));
        assert_eq!(taken(&["heroku.idempotency.same-uuid"], &[]), 0, "half an id");
        assert_eq!(taken(&["provision.id"], &[]), 1, "and not provision.id-works");
    }

    #[test]
    fn a_name_of_nothing_is_an_error() {
        let refused = |only: &str, skip: &str| {
            let names = |name: &str| if name.is_empty() { vec![] } else { vec![name.to_owned()] };
            let selection = Selection { only: names(only), skip: names(skip), slow: false };
            selection.validate(Marketplace::Heroku).map_err(|error| error.to_string())
        };
        assert!(refused("ssso", "").is_err_and(|said| said.contains("no check of heroku is named ssso")));
        assert!(refused("", "heroku.nothing").is_err());
        assert!(refused("sso", "sso").is_err_and(|said| said.contains("nothing is left")));
        assert_eq!(refused("sso", "sso-window.one-use"), Ok(()));
    }
}
