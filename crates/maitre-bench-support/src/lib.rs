#![doc = include_str!("../README.md")]

mod cluster;
pub mod load;
mod pooler;
pub mod process;
pub mod requests;
pub mod serve;
pub mod table;
pub mod vercel;
pub mod wire;

pub use cluster::{Cluster, dump, is_root};
pub use pooler::Pooler;

/// Result of a benchmark step; an error ends the benchmark.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Implements `Display` and `FromStr` of an enum from one table of names.
///
/// ```
/// #[derive(Debug, PartialEq)]
/// enum Side {
///     Left,
///     Right,
/// }
/// maitre_bench_support::named!(Side { Self::Left => "left", Self::Right => "right" });
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
                    other => Err(format!("unknown name {other:?}")),
                }
            }
        }
    };
}
