#![doc = include_str!("../README.md")]

pub mod asks;
mod cluster;
pub mod load;
pub mod process;
pub mod serve;
pub mod table;
pub mod wire;

pub use cluster::{Cluster, dump, is_root};

/// Whatever goes wrong ends the benchmark with its text.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Makes a type's `Display` and `FromStr` from one table of names.
///
/// ```
/// #[derive(Debug, PartialEq)]
/// enum Side {
///     Left,
///     Right,
/// }
/// maitre_workbench::named!(Side { Self::Left => "left", Self::Right => "right" });
/// assert_eq!("left".parse(), Ok(Side::Left));
/// assert_eq!(Side::Right.to_string(), "right");
/// ```
#[macro_export]
macro_rules! named {
    ($type:ty { $($value:path => $name:literal),+ $(,)? }) => {
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(match self { $($value => $name),+ })
            }
        }

        impl ::std::str::FromStr for $type {
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
