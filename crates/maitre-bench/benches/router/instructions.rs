//! Instructions a request, counted by callgrind: two runs that differ in nothing but the number of requests.
//!
//! Unlike a time it is nearly the same on every machine and beside every load. Two things to know when reading it:
//! the kernel's share is not in it, and callgrind's processor has no SHA instructions, so a hash costs more here than it
//! does on most machines; on both sides the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use maitre_workbench::Outcome;
use maitre_workbench::asks::Ask;
use maitre_workbench::load::{self, Until};
use maitre_workbench::process::{Server, this};
use maitre_workbench::serve::Threads;
use maitre_workbench::table::{Goal, Row, Table};

use crate::desk::{ASKS, Desk};
use crate::settings::IN_PROCESS;

/// Enough of them that a start-up that differs by a few hundred instructions does not show.
const FEW: u64 = 200;
const MANY: u64 = 1200;

pub(crate) fn measure(table: &mut Table) -> Outcome<()> {
    let there = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("valgrind is not there: no instructions are counted");
        return Ok(());
    }
    for ask in ASKS {
        let served = Desk::BOTH.map(|desk| a_request(|requests| serve(desk, ask, requests)));
        let [maitre, by_hand] = served;
        table.add(Row::new(format!("{ask}, instructions of the server"), [maitre?, by_hand?], Goal::AtMost(1.15)));
        eprintln!("{ask}: instructions of the server are counted");
    }
    for ask in ASKS {
        // what making the requests costs, with nobody there to answer them
        let nobody = a_request(|requests| answer(None, ask, requests))?;
        let answered = Desk::BOTH.map(|desk| a_request(|requests| answer(Some(desk), ask, requests)));
        let [maitre, by_hand] = answered;
        let (maitre, by_hand) = (maitre? - nobody, by_hand? - nobody);
        table.add(Row::new(format!("{ask}, instructions of the router"), [maitre, by_hand], Goal::None));
        eprintln!("{ask}: instructions of the router alone are counted");
    }
    Ok(())
}

fn a_request(counted: impl Fn(u64) -> Outcome<u64>) -> Outcome<f64> {
    let more = counted(MANY)?.checked_sub(counted(FEW)?).ok_or("more requests took fewer instructions")?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = more as f64 / (MANY - FEW) as f64;
    Ok(each)
}

/// All that a server process does, on one connection.
fn serve(desk: Desk, ask: Ask, requests: u64) -> Outcome<u64> {
    let figures = figures(&format!("server-{desk}-{ask}-{requests}"));
    let server = Server::start_by(callgrind(&figures)?, &[&desk.to_string(), &Threads::One.to_string()])?;
    load::order(&server, ask, 1, Until::Requests(requests))?;
    drop(server);
    total(&figures)
}

/// The router alone, without sockets and HTTP.
fn answer(desk: Option<Desk>, ask: Ask, requests: u64) -> Outcome<u64> {
    let desk = desk.map_or_else(|| "nobody".to_owned(), |desk| desk.to_string());
    let figures = figures(&format!("router-{desk}-{ask}-{requests}"));
    let arguments = [IN_PROCESS, &desk, &ask.to_string(), &requests.to_string()];
    if !callgrind(&figures)?.args(arguments).status()?.success() {
        return Err(format!("{desk} did not answer every {ask}").into());
    }
    total(&figures)
}

/// They stay there, for `callgrind_annotate`.
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
