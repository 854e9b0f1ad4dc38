//! Parsers of option values. The names that they list are completed by the shell.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use maitre_conformance::{Marketplace, checks};
use serde_json::Value;

/// Returns the parser of a marketplace's name.
pub(crate) fn marketplace() -> impl TypedValueParser<Value = Marketplace> {
    PossibleValuesParser::new(Marketplace::ALL.map(Marketplace::name)).try_map(|name| name.parse::<Marketplace>())
}

/// Parser of an id or a group of checks. Unknown names are reported by the suite, which knows the marketplace.
#[derive(Clone)]
pub(crate) struct CheckName;

impl TypedValueParser for CheckName {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let all = Marketplace::ALL.into_iter().flat_map(checks);
        let names: BTreeSet<_> = all.flat_map(|check| [check.group(), check.id]).collect();
        Some(Box::new(names.into_iter().map(PossibleValue::new)))
    }
}

/// Parses an option of a provision, `KEY=VALUE`.
pub(crate) fn option(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as region=eu".to_owned()),
    }
}

/// Returns the options of a provision as a JSON object. They are strings, as on Heroku's command line.
pub(crate) fn options(options: &[(String, String)]) -> Value {
    Value::Object(options.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect())
}

#[cfg(test)]
mod tests {
    use super::option;

    #[test]
    fn an_option_is_a_key_and_a_value() {
        assert_eq!(option("retention=7d=x"), Ok(("retention".to_owned(), "7d=x".to_owned())));
        assert_eq!(option("label="), Ok(("label".to_owned(), String::new())));
        assert!(option("retention").is_err() && option("=7d").is_err());
    }
}
