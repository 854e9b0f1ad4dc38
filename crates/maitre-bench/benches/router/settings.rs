//! Role of this process, from its arguments.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{LOAD, LoadSpec};
use maitre_bench_support::process::SERVER;
use maitre_bench_support::requests::RequestKind;
use maitre_bench_support::serve::Threads;

use crate::contender::Contender;

/// First argument of the in-process role.
pub(crate) const IN_PROCESS: &str = "--in-process";

pub(crate) enum Role {
    Server {
        contender: Contender,
        threads: Threads,
    },
    Load(LoadSpec),
    InProcess {
        contender: Option<Contender>,
        ask: RequestKind,
        requests: u64,
    },
    Bench(Settings),
    /// Do nothing: run by `cargo test`.
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
            [SERVER, contender, threads] => Self::Server { contender: contender.parse()?, threads: threads.parse()? },
            [LOAD, ref order @ ..] => Self::Load(LoadSpec::of(order)?),
            [IN_PROCESS, contender, ask, requests] => {
                // any other name: no contender
                Self::InProcess { contender: contender.parse().ok(), ask: ask.parse()?, requests: requests.parse()? }
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
