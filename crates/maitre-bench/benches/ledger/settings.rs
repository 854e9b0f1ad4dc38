//! Role of this process, from its arguments.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{LOAD, LoadSpec};
use maitre_bench_support::process::SERVER;
use maitre_bench_support::serve::Threads;

use crate::contender::Contender;

pub(crate) enum Role {
    Server {
        contender: Contender,
        url: String,
        threads: Threads,
    },
    Load(LoadSpec),
    Bench(Settings),
    /// Do nothing: run by `cargo test`.
    Nothing,
}

pub(crate) struct Settings {
    pub(crate) rounds: u32,
    pub(crate) length: Duration,
    pub(crate) only: Option<String>,
    pub(crate) growth: Option<u64>,
    pub(crate) accept: Option<usize>,
    pub(crate) rate: Option<u32>,
}

impl Role {
    pub(crate) fn of(arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let arguments: Vec<String> = arguments.collect();
        let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok(match all[..] {
            [SERVER, contender, url, threads] => {
                Self::Server { contender: contender.parse()?, url: url.to_owned(), threads: threads.parse()? }
            }
            [LOAD, ref order @ ..] => Self::Load(LoadSpec::of(order)?),
            _ if !all.contains(&"--bench") => Self::Nothing,
            _ => Self::Bench(Settings {
                rounds: after(&all, "--rounds")?.unwrap_or(5),
                length: Duration::from_secs_f64(after(&all, "--seconds")?.unwrap_or(1.5)),
                only: after(&all, "--only")?,
                growth: after(&all, "--growth")?,
                accept: after(&all, "--async")?,
                rate: after(&all, "--rate")?,
            }),
        })
    }
}

fn after<T: FromStr<Err: Display>>(arguments: &[&str], name: &str) -> Outcome<Option<T>> {
    let Some(place) = arguments.iter().position(|argument| *argument == name) else { return Ok(None) };
    let value = arguments.get(place + 1).ok_or_else(|| format!("{name} wants a value behind it"))?;
    Ok(Some(value.parse().map_err(|error| format!("{name} {value}: {error}"))?))
}
