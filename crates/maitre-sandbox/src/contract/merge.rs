use std::collections::BTreeMap;

use maitre_testkit::platform::Install;

/// Adds config vars to those of an install.
pub(super) fn merge_config(install: &Install, values: BTreeMap<String, String>) {
    if values.is_empty() {
        return;
    }
    let mut config = install.config();
    config.extend(values);
    install.replace_config(config);
}
