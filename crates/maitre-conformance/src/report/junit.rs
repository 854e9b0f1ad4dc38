//! For continuous integration.

use std::fmt::Write;

use maitre_core::manifest::Level;

use super::{Finding, Report};
use crate::verdict::Outcome;

pub(super) fn write(report: &Report, strict: bool) -> String {
    let counts = if strict { Level::Should } else { Level::Must };
    let failures = report.failed(counts).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let head = format!(
        "<testsuite name=\"maitre check {}\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
        report.marketplace,
        report.findings.len(),
        u8::from(report.interrupted),
        report.figures().skipped,
        report.took.as_secs_f64(),
    );
    line(&mut xml, 0, &head);
    for finding in &report.findings {
        case(&mut xml, finding, counts);
    }
    if report.interrupted {
        line(
            &mut xml,
            1,
            "<testcase classname=\"maitre\" name=\"interrupted\"><error message=\"stopped before its end\"/></testcase>",
        );
    }
    if !report.left_behind.is_empty() {
        line(&mut xml, 1, &format!("<system-err>left behind: {}</system-err>", escape(&report.left_behind.join(", "))));
    }
    line(&mut xml, 0, "</testsuite>");
    xml
}

fn case(xml: &mut String, finding: &Finding, counts: Level) {
    let check = finding.check;
    let name = check.id.rsplit('.').next().unwrap_or(check.id);
    let (group, seconds) = (check.group(), finding.took.as_secs_f64());
    let open = format!("<testcase classname=\"{group}\" name=\"{name}\" time=\"{seconds:.3}\"");
    match &finding.outcome {
        Outcome::Passed => line(xml, 1, &format!("{open}/>")),
        Outcome::Skipped(reason) => {
            line(xml, 1, &format!("{open}><skipped message=\"{}\"/></testcase>", escape(reason)));
        }
        Outcome::Failed(failure) => {
            let (level, why, text) = (check.level, escape(&failure.why), escape(&finding.to_string()));
            line(xml, 1, &format!("{open}>"));
            if check.level >= counts {
                line(xml, 2, &format!("<failure type=\"{level}\" message=\"{why}\">{text}</failure>"));
            } else {
                line(xml, 2, &format!("<system-out>{text}</system-out>"));
            }
            line(xml, 1, "</testcase>");
        }
    }
}

fn line(xml: &mut String, depth: usize, text: &str) {
    let _ = writeln!(xml, "{}{text}", "  ".repeat(depth)); // a String takes everything
}

/// What XML cannot hold at all is left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_breaks_the_xml() {
        assert_eq!(escape("<a href=\"x\">&\u{1b}[31m\u{0}\n</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;[31m\n&lt;/a&gt;");
    }
}
