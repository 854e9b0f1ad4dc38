//! What this process is to do, from its arguments.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use maitre_workbench::Outcome;
use maitre_workbench::asks::Ask;
use maitre_workbench::load::{LOAD, Order};
use maitre_workbench::process::SERVER;
use maitre_workbench::serve::Threads;

use crate::desk::Desk;

/// The roles that this executable gives itself begin with words that nobody filters tests by.
pub(crate) const IN_PROCESS: &str = "--in-process";

pub(crate) enum Role {
    Server {
        desk: Desk,
        threads: Threads,
    },
    Load(Order),
    InProcess {
        desk: Option<Desk>,
        ask: Ask,
        requests: u64,
    },
    Bench(Settings),
    /// Run by `cargo test`, which wants to know nothing.
    Nothing,
}

pub(crate) struct Settings {
    pub(crate) rounds: u32,
    pub(crate) length: Duration,
}

impl Role {
    pub(crate) fn of(arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let arguments: Vec<String> = arguments.collect();
        let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok(match all[..] {
            [SERVER, desk, threads] => Self::Server { desk: desk.parse()?, threads: threads.parse()? },
            [LOAD, ref order @ ..] => Self::Load(Order::of(order)?),
            [IN_PROCESS, desk, ask, requests] => {
                // any other name is nobody's
                Self::InProcess { desk: desk.parse().ok(), ask: ask.parse()?, requests: requests.parse()? }
            }
            _ if !all.contains(&"--bench") => Self::Nothing,
            _ => Self::Bench(Settings {
                rounds: after(&all, "--rounds")?.unwrap_or(15),
                length: Duration::from_secs_f64(after(&all, "--seconds")?.unwrap_or(0.75)),
            }),
        })
    }
}

fn after<T: FromStr<Err: Display>>(arguments: &[&str], name: &str) -> Outcome<Option<T>> {
    let Some(place) = arguments.iter().position(|argument| *argument == name) else { return Ok(None) };
    let value = arguments.get(place + 1).ok_or_else(|| format!("{name} wants a number behind it"))?;
    Ok(Some(value.parse().map_err(|error| format!("{name} {value}: {error}"))?))
}
