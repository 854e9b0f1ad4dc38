//! Instructions per request, counted by callgrind: two runs that differ only in the number of requests.
//!
//! Unlike a time, the count is nearly the same on every machine and under every load. It does not contain the kernel's
//! share, and callgrind's processor has no SHA instructions, so a hash costs more than on most machines, for both servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{self, Until};
use maitre_bench_support::process::{Server, this};
use maitre_bench_support::requests::RequestKind;
use maitre_bench_support::serve::Threads;
use maitre_bench_support::table::{Goal, Row, Table};

use crate::contender::{Contender, KINDS};
use crate::settings::IN_PROCESS;

/// Numbers of requests, large enough that small differences of the start-up do not matter.
const FEW: u64 = 200;
const MANY: u64 = 1200;

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let there = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("valgrind is not installed: instructions are not counted");
        return Ok(());
    }
    for ask in KINDS {
        let served = Contender::BOTH.map(|contender| a_request(|requests| serve(contender, ask, requests)));
        let [maitre, baseline] = served;
        table.add(Row::new(format!("{ask}, instructions of the server"), [maitre?, baseline?], Goal::AtMost(1.15)));
        eprintln!("{ask}: instructions of the server are counted");
    }
    for ask in KINDS {
        // the cost of creating the requests
        let creation_only = a_request(|requests| answer(None, ask, requests))?;
        let answered = Contender::BOTH.map(|contender| a_request(|requests| answer(Some(contender), ask, requests)));
        let [maitre, baseline] = answered;
        let (maitre, baseline) = (maitre? - creation_only, baseline? - creation_only);
        table.add(Row::new(format!("{ask}, instructions of the router"), [maitre, baseline], Goal::None));
        eprintln!("{ask}: instructions of the router are counted");
    }
    Ok(())
}

fn a_request(counted: impl Fn(u64) -> Outcome<u64>) -> Outcome<f64> {
    let more = counted(MANY)?.checked_sub(counted(FEW)?).ok_or("more requests took fewer instructions")?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = more as f64 / (MANY - FEW) as f64;
    Ok(each)
}

/// Counts the instructions of a server process on one connection.
fn serve(contender: Contender, ask: RequestKind, requests: u64) -> Outcome<u64> {
    let figures = figures(&format!("server-{contender}-{ask}-{requests}"));
    let server = Server::start_by(callgrind(&figures)?, &[&contender.to_string(), &Threads::One.to_string()])?;
    load::start(&server, ask, 1, Until::Requests(requests))?;
    drop(server);
    total(&figures)
}

/// Counts the instructions of the router without sockets and HTTP.
fn answer(contender: Option<Contender>, ask: RequestKind, requests: u64) -> Outcome<u64> {
    let contender = contender.map_or_else(|| "creation_only".to_owned(), |contender| contender.to_string());
    let figures = figures(&format!("router-{contender}-{ask}-{requests}"));
    let arguments = [IN_PROCESS, &contender, &ask.to_string(), &requests.to_string()];
    if !callgrind(&figures)?.args(arguments).status()?.success() {
        return Err(format!("{contender} did not answer every {ask}").into());
    }
    total(&figures)
}

/// Path of the profile, which is kept for `callgrind_annotate`.
fn figures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("callgrind.{name}"))
}

fn callgrind(figures: &Path) -> Outcome<Command> {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]).arg(format!("--callgrind-out-file={}", figures.display()));
    command.arg(this()?.get_program());
    Ok(command)
}

fn total(figures: &Path) -> Outcome<u64> {
    let text = fs::read_to_string(figures)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("callgrind wrote no total")?;
    Ok(total.trim().parse()?)
}
