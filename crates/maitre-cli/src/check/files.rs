//! Reports in files, beside the report on standard output.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use maitre_conformance::{Report, SetupError};
use serde_json::json;

/// Files to write the report to.
#[derive(Args)]
pub(super) struct ReportFiles {
    /// Also write the report to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Also write the report to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Created files, empty until the report is written.
pub(super) struct OpenFiles<'a> {
    json: Option<OpenFile<'a>>,
    junit: Option<OpenFile<'a>>,
}

struct OpenFile<'a> {
    path: &'a Path,
    file: File,
}

impl ReportFiles {
    /// Creates the files. A path that cannot be written is reported before the run.
    pub(super) fn open(&self) -> anyhow::Result<OpenFiles<'_>> {
        let json = self.json.as_deref().map(OpenFile::create).transpose()?;
        let junit = self.junit.as_deref().map(OpenFile::create).transpose()?;
        Ok(OpenFiles { json, junit })
    }
}

impl OpenFiles<'_> {
    /// Writes the report, or the reason why there is none.
    pub(super) fn write(self, report: &Result<Report, SetupError>, strict: bool) -> anyhow::Result<()> {
        if let Some(file) = self.json {
            file.write(&match report {
                Ok(report) => report.to_json().to_string(),
                Err(error) => json!({ "error": error.to_string() }).to_string(),
            })?;
        }
        if let Some(file) = self.junit {
            file.write(&match report {
                Ok(report) => report.to_junit(strict),
                Err(error) => error.to_junit(),
            })?;
        }
        Ok(())
    }
}

impl<'a> OpenFile<'a> {
    fn create(path: &'a Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path, file })
    }

    fn write(mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.file, "{}", text.trim_end()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}
