//! The two that are compared, and the two things that are asked of them.

use std::fmt;
use std::str::FromStr;

use axum::Router;

use crate::{Outcome, by_hand, with_maitre};

pub(crate) const USER: &str = "tally";
pub(crate) const PASSWORD: &str = "6d1f0b7c9e3a4582b0d7f6e5c4a39281";
pub(crate) const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Desk {
    Maitre,
    ByHand,
}

impl Desk {
    pub(crate) const BOTH: [Self; 2] = [Self::Maitre, Self::ByHand];

    pub(crate) fn app(self) -> Outcome<Router> {
        Ok(match self {
            Self::Maitre => with_maitre::app(USER, PASSWORD, SALT)?,
            Self::ByHand => by_hand::app(USER, PASSWORD, SALT),
        })
    }
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Provision,
    SignOn,
}

impl Ask {
    pub(crate) const BOTH: [Self; 2] = [Self::Provision, Self::SignOn];
}

/// A server's runtime: as `#[tokio::main]` makes it, or one thread, whose instructions are the same in every run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    Many,
    One,
}

/// Each of these is written and read by one table of names.
macro_rules! named {
    ($type:ty { $($value:path => $name:literal),+ $(,)? }) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $($value => $name),+ })
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(name: &str) -> Result<Self, String> {
                match name {
                    $($name => Ok($value),)+
                    other => Err(format!("there is no {other:?}")),
                }
            }
        }
    };
}

named!(Desk { Self::Maitre => "maitre", Self::ByHand => "by-hand" });
named!(Ask { Self::Provision => "provision", Self::SignOn => "sign-on" });
named!(Threads { Self::Many => "many-threads", Self::One => "one-thread" });
