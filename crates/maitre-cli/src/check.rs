//! `maitre check`

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table};
use maitre_conformance::{Finding, Level, Marketplace, Outcome, Report, Suite};

use crate::answer::{Answer, Fault, Format};
use crate::given::{Given, Place};
use crate::out::{columns, line, put};
use crate::paint::Paint;
use crate::stop::stopped;

/// Checks whether an add-on keeps its marketplace's contract, and says what to do where it does not.
///
/// Orders, changes and removes resources as the marketplace would, and touches nothing but what it made: that is removed at the
/// end, also after a failure and after Ctrl-C. Without --url the add-on is looked for at the manifest's api.test addresses.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre check --plans basic,premium
  maitre check --plans basic,premium --only sso --strict
  MAITRE_CLIENT_SECRET=… maitre check --platform 127.0.0.1:5999 --only async,platform
  maitre check --url https://staging.lantern.example --production --plans test --format junit > report.xml

Exit status: 0 the contract is kept; 1 something that must be is not (with --strict: or should be), or something
could not be removed again; 2 the add-on could not be checked.")]
pub(crate) struct Check {
    #[command(flatten)]
    given: Given,

    #[command(flatten)]
    place: Place,

    /// Plans that the add-on sells: the first is ordered, the second is changed to
    #[arg(long, value_name = "PLAN,PLAN", value_delimiter = ',', default_value = "test", env = "MAITRE_PLANS")]
    plans: Vec<String>,

    /// Try these checks alone: ids or groups, as `maitre checks` lists them
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,

    /// Leave these checks out
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    skip: Vec<String>,

    /// Exit with 1 for what should be, too, not only for what must be
    #[arg(long)]
    strict: bool,

    /// Try the checks that wait for time to pass, too: some two minutes more
    #[arg(long)]
    slow: bool,

    /// Play Heroku's API at this address, for an add-on that answers 202 and was started with it in the place of those of
    /// api.heroku.com and id.heroku.com
    #[arg(long, value_name = "HOST:PORT", requires = "client_secret")]
    platform: Option<SocketAddr>,

    /// The client secret by which the add-on gets its tokens
    #[arg(long, value_name = "SECRET", env = "MAITRE_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,

    /// How long an add-on that answers 202 may take to finish
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    finish_within: u64,

    /// For whom the report is
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    #[default]
    Human,
    Json,
    Junit,
}

impl Check {
    pub(crate) fn format(&self) -> Format {
        if self.format == ReportFormat::Json { Format::Json } else { Format::Human }
    }

    fn suite(&self) -> Result<Suite, Fault> {
        let suite = match self.given.marketplace {
            Marketplace::CloudControl => Suite::cloudcontrol_file(self.given.file()?)?,
            Marketplace::Opperator => Suite::opperator(self.given.shared_secret()?),
            _ => Suite::heroku_file(self.given.file()?)?,
        };
        let suite =
            suite.plans(self.plans.iter().map(String::as_str)).slow(self.slow).production(self.place.production);
        let suite = suite.only(self.only.iter().map(String::as_str)).skip(self.skip.iter().map(String::as_str));
        let mut suite = suite.finish_within(Duration::from_secs(self.finish_within));
        if let Some(url) = &self.place.url {
            suite = suite.url(url);
        }
        if let Some(url) = &self.place.sso_url {
            suite = suite.sso_url(url);
        }
        if let (Some(address), Some(secret)) = (self.platform, &self.client_secret) {
            if !address.ip().is_loopback() {
                bail!(
                    "{address} is not this machine: Heroku's part is played on a loopback address, such as 127.0.0.1:5999"
                );
            }
            let socket = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
            suite = suite.platform(socket, secret);
        }
        Ok(suite)
    }

    pub(crate) async fn run(self, paint: Paint) -> Result<Answer, Fault> {
        let live = Live::new(self.format == ReportFormat::Human, paint);
        let live = std::sync::Arc::new(Mutex::new(live));
        let (begins, ends) = (live.clone(), live.clone());
        let suite =
            self.suite()?.watch(move |check| lock(&begins).begins(check.id), move |finding| lock(&ends).ends(finding));
        let report = suite.run_until(stopped_in_order()?).await;
        lock(&live).finish();
        let report = report?;
        match self.format {
            ReportFormat::Human => self.print(&report, paint),
            ReportFormat::Json => line!("{}", report.to_json()),
            ReportFormat::Junit => put!("{}", report.to_junit(self.strict)),
        }
        if report.interrupted {
            eprintln!("{} {}", paint.bad("error:"), interrupted(&report));
            return Ok(Answer::Interrupted);
        }
        Ok(if report.is_conformant(self.strict) { Answer::Good } else { Answer::Bad })
    }

    fn print(&self, report: &Report, paint: Paint) {
        // what weighs most, and the first of that, stands last: there one begins to read
        for level in [Level::Info, Level::Should, Level::Must] {
            let of_it: Vec<_> = report.failed(level).filter(|finding| finding.check.level == level).collect();
            for finding in of_it.iter().rev() {
                line!("\n{}", painted(finding, paint));
            }
        }
        skipped(report, paint);
        line!("\n{}", figures(report));
        for left in &report.left_behind {
            line!("{} {left}", paint.bad("left behind:"));
        }
        if !report.interrupted {
            line!("{}", verdict(report, self.strict, paint));
        }
    }
}

fn lock(live: &Mutex<Live>) -> std::sync::MutexGuard<'_, Live> {
    live.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The first Ctrl-C ends the run in order, the second one at once.
fn stopped_in_order() -> Result<impl Future<Output = ()>, Fault> {
    let first = stopped().context("cannot wait for Ctrl-C, by which what was made would be removed")?;
    Ok(async move {
        first.await;
        eprintln!("\nstopping: what was made is being removed (Ctrl-C once more to leave it)");
        // not before: every listener hears every signal
        if let Ok(second) = stopped() {
            tokio::spawn(async move {
                second.await;
                std::process::exit(130);
            });
        }
    })
}

/// The report's own text, its headline in the colour of its weight.
fn painted(finding: &Finding, paint: Paint) -> String {
    let text = finding.to_string();
    let (headline, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let headline = match finding.check.level {
        Level::Must => paint.bad(headline),
        Level::Should => paint.warning(headline),
        _ => paint.strong(headline),
    };
    format!("{headline}\n{}", rest.trim_end())
}

/// One line a reason: what is missing, and for how many checks.
fn skipped(report: &Report, paint: Paint) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for finding in &report.findings {
        let Outcome::Skipped(reason) = &finding.outcome else { continue };
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, ids)) => ids.push(finding.check.id),
            None => reasons.push((reason, vec![finding.check.id])),
        }
    }
    if !reasons.is_empty() {
        line!();
    }
    for (reason, ids) in reasons {
        let ids = if let [id] = ids[..] { id.to_owned() } else { format!("{} checks", ids.len()) };
        line!("{} {ids}: {reason}", paint.faint("skipped"));
    }
}

fn figures(report: &Report) -> String {
    let figures = report.figures();
    let mut table = Table::new();
    table.set_header(["", "must", "should", "info"]);
    let count = |level: Level, failed: bool| {
        let of_it = report.findings.iter().filter(|finding| finding.check.level == level);
        let counted = of_it.filter(|finding| match &finding.outcome {
            Outcome::Passed => !failed,
            Outcome::Failed(_) => failed,
            _ => false,
        });
        counted.count().to_string()
    };
    let levels = [Level::Must, Level::Should, Level::Info];
    for (name, failed) in [("passed", false), ("failed", true)] {
        table.add_row(std::iter::once(name.to_owned()).chain(levels.map(|level| count(level, failed))));
    }
    if figures.skipped > 0 {
        table.add_row(["skipped", &figures.skipped.to_string()]);
    }
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    columns(&mut table)
}

fn interrupted(report: &Report) -> &'static str {
    if report.left_behind.is_empty() {
        "stopped before its end, and what was made is removed"
    } else {
        "stopped before its end, and not all that was made could be removed: see what was left behind"
    }
}

fn verdict(report: &Report, strict: bool, paint: Paint) -> String {
    let seconds = report.took.as_secs_f32();
    let (figures, contract) = (report.figures(), report.marketplace.contract());
    if report.is_conformant(strict) {
        let advice = if figures.should > 0 { " What failed should be mended; nobody insists on it." } else { "" };
        return format!(
            "{}{advice} ({seconds:.1} s)",
            paint.good(&format!("This add-on keeps the contract: {contract}."))
        );
    }
    let level = if figures.must == 0 && figures.should > 0 { "should" } else { "must" };
    let what = if figures.must + figures.should == 0 {
        "Something was left behind that could not be removed.".to_owned()
    } else {
        format!("This add-on does not keep the contract: {contract}. Begin with the last failure above, a {level}.")
    };
    format!("{} ({seconds:.1} s)", paint.bad(&what))
}

/// A line a group while the run goes on, and on a terminal the check that is being tried.
struct Live {
    human: bool,
    terminal: bool,
    paint: Paint,
    group: String,
    passed: usize,
    failed: Vec<String>,
    skipped: usize,
}

impl Live {
    fn new(human: bool, paint: Paint) -> Self {
        let terminal = human && std::io::stdout().is_terminal();
        Self { human, terminal, paint, group: String::new(), passed: 0, failed: Vec::new(), skipped: 0 }
    }

    fn begins(&mut self, id: &str) {
        let group = id.rsplit_once('.').map_or(id, |(group, _)| group);
        if group != self.group {
            self.finish();
            group.clone_into(&mut self.group);
        }
        if self.terminal {
            put!("\r\u{1b}[K{}", self.paint.faint(id));
            let _ = std::io::stdout().flush();
        }
    }

    fn ends(&mut self, finding: &Finding) {
        match &finding.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed(_) => {
                let name = finding.check.id.rsplit('.').next().unwrap_or_default();
                self.failed.push(match finding.check.level {
                    Level::Must => self.paint.bad(name),
                    Level::Should => self.paint.warning(name),
                    _ => name.to_owned(),
                });
            }
            _ => self.skipped += 1,
        }
    }

    /// Prints the line of the group that is done.
    fn finish(&mut self) {
        let (passed, skipped, failed) = (self.passed, self.skipped, std::mem::take(&mut self.failed));
        (self.passed, self.skipped) = (0, 0);
        if self.terminal {
            put!("\r\u{1b}[K");
        }
        if !self.human || passed + skipped + failed.len() == 0 {
            return;
        }
        let mut line = format!("{:<24} {passed:>3} passed", self.group);
        if skipped > 0 {
            line.push_str(&self.paint.faint(&format!(", {skipped} skipped")));
        }
        if !failed.is_empty() {
            let _ = write!(line, ", {} failed: {}", failed.len(), failed.join(", "));
        }
        line!("{line}");
    }
}
