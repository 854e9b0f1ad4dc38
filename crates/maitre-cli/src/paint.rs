//! Colours, where there is a terminal and nobody minds.

use std::env;
use std::io::IsTerminal as _;

use clap::ValueEnum;
use owo_colors::{OwoColorize as _, Style};

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

impl Colour {
    pub(crate) fn paint(self) -> Paint {
        let wanted = match self {
            Self::Always => true,
            Self::Never => false,
            // https://no-color.org
            Self::Auto => std::io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
        };
        Paint(wanted)
    }
}

/// Paints, or does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn good(self, text: &str) -> String {
        self.with(text, Style::new().green())
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.with(text, Style::new().red().bold())
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.with(text, Style::new().yellow())
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.with(text, Style::new().bold())
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.with(text, Style::new().dimmed())
    }

    fn with(self, text: &str, style: Style) -> String {
        if self.0 { text.style(style).to_string() } else { text.to_owned() }
    }
}
