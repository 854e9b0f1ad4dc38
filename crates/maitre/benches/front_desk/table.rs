//! The figures at the end.

use std::fmt;

/// What a ratio, `maitre` to by hand, should be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    None,
    AtLeast(f64),
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

pub(crate) struct Row {
    what: String,
    maitre: f64,
    by_hand: f64,
    ratio: f64,
    range: Option<(f64, f64)>,
    goal: Goal,
}

impl Row {
    pub(crate) fn new(what: String, maitre: f64, by_hand: f64, goal: Goal) -> Self {
        Self { what, maitre, by_hand, ratio: maitre / by_hand, range: None, goal }
    }

    /// The ratio is the median of the rounds' own ratios, and not that of the medians.
    pub(crate) fn of_rounds(what: String, rounds: &[[f64; 2]], goal: Goal) -> Self {
        let sorted = |figure: fn(&[f64; 2]) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let ratios = sorted(|[maitre, by_hand]| maitre / by_hand);
        Self {
            what,
            maitre: median(&sorted(|[maitre, _]| *maitre)),
            by_hand: median(&sorted(|[_, by_hand]| *by_hand)),
            ratio: median(&ratios),
            range: ratios.first().copied().zip(ratios.last().copied()),
            goal,
        }
    }
}

fn median(sorted: &[f64]) -> f64 {
    let (Some(&low), Some(&high)) = (sorted.get((sorted.len().max(1) - 1) / 2), sorted.get(sorted.len() / 2)) else {
        return f64::NAN;
    };
    f64::midpoint(low, high)
}

#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    pub(crate) fn print(&self) {
        let [what, maitre, by_hand, ratio] = ["a request", "maitre", "by hand", "ratio (range)"];
        println!("{what:<37} {maitre:>9} {by_hand:>9}   {ratio:<21} {:<8}", "goal");
        for Row { what, maitre, by_hand, ratio, range, goal } in &self.0 {
            let range = range.map(|(low, high)| format!(" ({low:.3} to {high:.3})")).unwrap_or_default();
            let ratio_and_range = format!("{ratio:.3}{range}");
            let verdict = goal.judge(*ratio);
            let line = format!("{what:<37} {maitre:>9.0} {by_hand:>9.0}   {ratio_and_range:<21} {goal:<8} {verdict}");
            println!("{}", line.trim_end());
        }
    }
}
