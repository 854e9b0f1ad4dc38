//! Rules that a catalog must satisfy.

use std::collections::BTreeSet;

use super::error::CatalogError;
use super::plan::Plan;
use super::service::Service;

/// The longest id or name, in characters.
const MAX_LENGTH: usize = 255;

/// Returns the first problem.
pub(super) fn check(services: &[Service]) -> Result<(), CatalogError> {
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (index, service) in services.iter().enumerate() {
        let path = format!("services[{index}]");
        check_entry(&path, service.id(), service.name(), service.description(), &mut ids, &mut names)?;
        if service.plans().is_empty() {
            return Err(CatalogError::new(format!("{path}.plans"), "a service has at least one plan"));
        }
        let mut plan_names = BTreeSet::new();
        for (index, plan) in service.plans().iter().enumerate() {
            let path = format!("{path}.plans[{index}]");
            check_entry(&path, plan.id(), plan.name(), plan.description(), &mut ids, &mut plan_names)?;
            check_plan(&path, plan)?;
        }
    }
    Ok(())
}

/// Checks what services and plans have in common. Ids are unique in the whole catalog, names in their list.
fn check_entry<'a>(
    path: &str,
    id: &'a str,
    name: &'a str,
    description: &str,
    ids: &mut BTreeSet<&'a str>,
    names: &mut BTreeSet<&'a str>,
) -> Result<(), CatalogError> {
    let error = |field: &str, detail: &str| Err(CatalogError::new(format!("{path}.{field}"), detail));
    for (field, text) in [("id", id), ("name", name), ("description", description)] {
        if text.is_empty() {
            return error(field, "it is empty");
        }
    }
    for (field, text) in [("id", id), ("name", name)] {
        if text.chars().count() > MAX_LENGTH {
            return error(field, "it has more than 255 characters");
        }
    }
    if id.contains(char::is_control) {
        return error("id", "it has a control character");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
        return error("name", "only letters, digits, `-` and `.` are allowed: put another name into the metadata");
    }
    if !ids.insert(id) {
        return error("id", "another service or plan has the same id");
    }
    if !names.insert(name) {
        return error("name", "another one has the same name");
    }
    Ok(())
}

fn check_plan(path: &str, plan: &Plan) -> Result<(), CatalogError> {
    if plan.maximum_polling_seconds() == Some(0) {
        return Err(CatalogError::new(format!("{path}.maximum_polling_duration"), "it is less than a second"));
    }
    if plan.maintenance_version().is_some_and(|version| !is_semantic_version(version)) {
        let path = format!("{path}.maintenance_info.version");
        return Err(CatalogError::new(path, "it is not a semantic version such as 2.1.0"));
    }
    for (name, schema) in plan.schemas().all() {
        if let Some(problem) = schema.problem() {
            let below = if problem.path.is_empty() { String::new() } else { format!(".{}", problem.path) };
            return Err(CatalogError::new(format!("{path}.{name}{below}"), problem.detail.clone()));
        }
    }
    Ok(())
}

/// Returns whether the text is a version as defined by semver.org 2.0.
fn is_semantic_version(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let is_number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    let is_identifier = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    core.split('.').count() == 3
        && core.split('.').all(is_number)
        && pre
            .is_none_or(|pre| pre.split('.').all(|part| is_identifier(part) && (!is_numeric(part) || is_number(part))))
        && build.is_none_or(|build| build.split('.').all(is_identifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_semantic() {
        for valid in ["0.0.0", "2.1.0", "1.0.0-alpha.1", "1.0.0-x-y.0", "1.0.0+001", "1.0.0-rc.1+build.5"] {
            assert!(is_semantic_version(valid), "{valid}");
        }
        for invalid in
            ["", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.x", "1.0.0-", "1.0.0-01", "1.0.0+", "v1.0.0", "1.0.0 "]
        {
            assert!(!is_semantic_version(invalid), "{invalid}");
        }
    }
}
