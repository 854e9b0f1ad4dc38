//! Colored terminal output.

use std::env;

use clap::ValueEnum;
use owo_colors::{OwoColorize as _, Style};

use crate::terminal::understands_escapes;

/// Value of `--color`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    pub(crate) fn palette(self) -> Palette {
        let is_colored = match self {
            Self::Always => true,
            Self::Never => false,
            // https://no-color.org
            Self::Auto => understands_escapes() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Palette { is_colored }
    }
}

/// Text styles by meaning; plain text if color is off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    is_colored: bool,
}

impl Palette {
    pub(crate) fn success(self, text: &str) -> String {
        self.style(text, Style::new().green())
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.style(text, Style::new().red().bold())
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.style(text, Style::new().yellow())
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.style(text, Style::new().bold())
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.style(text, Style::new().dimmed())
    }

    fn style(self, text: &str, style: Style) -> String {
        if self.is_colored { text.style(style).to_string() } else { text.to_owned() }
    }
}
