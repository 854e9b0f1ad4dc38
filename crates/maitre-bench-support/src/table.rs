//! Table of the results.

use std::fmt;

/// Goal for the ratio of the first value to the second.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// No goal.
    None,
    /// This ratio or more.
    AtLeast(f64),
    /// This ratio or less.
    AtMost(f64),
}

impl Goal {
    fn judge(self, ratio: f64) -> &'static str {
        match self {
            Self::None => "",
            Self::AtLeast(goal) if ratio >= goal => "met",
            Self::AtMost(goal) if ratio <= goal => "met",
            Self::AtLeast(_) | Self::AtMost(_) => "missed",
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad(""),
            Self::AtLeast(goal) => f.pad(&format!(">= {goal:.2}")),
            Self::AtMost(goal) => f.pad(&format!("<= {goal:.2}")),
        }
    }
}

/// Two values and their ratio.
#[derive(Debug)]
pub struct Row {
    what: String,
    figures: [f64; 2],
    ratio: f64,
    range: Option<(f64, f64)>,
    goal: Goal,
}

impl Row {
    /// Creates a row of values that were measured once.
    pub fn new(what: impl Into<String>, figures: [f64; 2], goal: Goal) -> Self {
        Self { what: what.into(), figures, ratio: figures[0] / figures[1], range: None, goal }
    }

    /// Creates a row of several rounds. Its ratio is the median of the ratios of the rounds, not the ratio of the medians.
    pub fn of_rounds(what: impl Into<String>, rounds: &[[f64; 2]], goal: Goal) -> Self {
        let sorted = |figure: fn(&[f64; 2]) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let ratios = sorted(|[first, second]| first / second);
        Self {
            what: what.into(),
            figures: [median(&sorted(|[first, _]| *first)), median(&sorted(|[_, second]| *second))],
            ratio: median(&ratios),
            range: ratios.first().copied().zip(ratios.last().copied()),
            goal,
        }
    }

    /// Returns the first value divided by the second.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ratio
    }
}

fn median(sorted: &[f64]) -> f64 {
    let (Some(&low), Some(&high)) = (sorted.get((sorted.len().max(1) - 1) / 2), sorted.get(sorted.len() / 2)) else {
        return f64::NAN;
    };
    f64::midpoint(low, high)
}

/// Rows under the names of the two contenders.
#[derive(Debug)]
pub struct Table {
    source: [&'static str; 3],
    rows: Vec<Row>,
}

impl Table {
    /// Creates a table that compares two contenders.
    #[must_use]
    pub fn of(what: &'static str, first: &'static str, second: &'static str) -> Self {
        Self { source: [what, first, second], rows: Vec::new() }
    }

    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Prints the table to standard output.
    pub fn print(&self) {
        println!("{self}");
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [what, first, second] = self.source;
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0).max(what.len());
        write!(f, "{what:<width$} {first:>10} {second:>10}   {:<22} {:<8}", "ratio (range)", "goal")?;
        for Row { what, figures: [first, second], ratio, range, goal } in &self.rows {
            let range = range.map(|(low, high)| format!(" ({low:.3} to {high:.3})")).unwrap_or_default();
            let ratio_and_range = format!("{ratio:.3}{range}");
            let verdict = goal.judge(*ratio);
            let line =
                format!("{what:<width$} {first:>10.0} {second:>10.0}   {ratio_and_range:<22} {goal:<8} {verdict}");
            write!(f, "\n{}", line.trim_end())?;
        }
        Ok(())
    }
}
