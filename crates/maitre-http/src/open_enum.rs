/// Defines an enum of names that a marketplace may extend at any time: unknown names become `Other`. An optional prefix,
/// which the marketplace writes in some places, is removed. The caller needs `serde`.
///
/// ```
/// maitre_http::open_enum! {
///     /// State.
///     pub enum State {
///         /// Ready.
///         Ready = "ready",
///     }
/// }
/// # fn main() {
/// assert_eq!(State::from("ready"), State::Ready);
/// assert_eq!(State::from("frozen").as_str(), "frozen");
/// # }
/// ```
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$about:meta])*
        pub enum $name:ident $(without $prefix:literal)? { $( $(#[$doc:meta])* $variant:ident = $text:literal, )+ }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$doc])* $variant, )+
            /// Name that this version of the crate does not know, as written by the marketplace.
            Other(String),
        }

        impl $name {
            /// Returns the name as written by the marketplace.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                $( let name = name.strip_prefix($prefix).unwrap_or(name); )?
                match name {
                    $( $text => Self::$variant, )+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(&*<String as serde::Deserialize>::deserialize(deserializer)?))
            }
        }
    };
}
