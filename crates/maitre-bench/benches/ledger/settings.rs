//! What this process is to do, from its arguments.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use maitre_workbench::Outcome;
use maitre_workbench::load::{LOAD, Order};
use maitre_workbench::process::SERVER;
use maitre_workbench::serve::Threads;

use crate::desk::Desk;

pub(crate) enum Role {
    Server {
        desk: Desk,
        url: String,
        threads: Threads,
    },
    Load(Order),
    Bench(Settings),
    /// Run by `cargo test`, which wants to know nothing.
    Nothing,
}

pub(crate) struct Settings {
    pub(crate) rounds: u32,
    pub(crate) length: Duration,
    pub(crate) only: Option<String>,
    pub(crate) growth: Option<u64>,
    pub(crate) give_way: Option<usize>,
}

impl Role {
    pub(crate) fn of(arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let arguments: Vec<String> = arguments.collect();
        let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok(match all[..] {
            [SERVER, desk, url, threads] => {
                Self::Server { desk: desk.parse()?, url: url.to_owned(), threads: threads.parse()? }
            }
            [LOAD, ref order @ ..] => Self::Load(Order::of(order)?),
            _ if !all.contains(&"--bench") => Self::Nothing,
            _ => Self::Bench(Settings {
                rounds: after(&all, "--rounds")?.unwrap_or(5),
                length: Duration::from_secs_f64(after(&all, "--seconds")?.unwrap_or(1.5)),
                only: after(&all, "--only")?,
                growth: after(&all, "--growth")?,
                give_way: after(&all, "--give-way")?,
            }),
        })
    }
}

fn after<T: FromStr<Err: Display>>(arguments: &[&str], name: &str) -> Outcome<Option<T>> {
    let Some(place) = arguments.iter().position(|argument| *argument == name) else { return Ok(None) };
    let value = arguments.get(place + 1).ok_or_else(|| format!("{name} wants a value behind it"))?;
    Ok(Some(value.parse().map_err(|error| format!("{name} {value}: {error}"))?))
}
