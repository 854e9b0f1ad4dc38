/// A set of names that Heroku may add to at any time: what is not known stays readable as `Other`. A prefix that
/// Heroku sometimes writes is left out.
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
            /// A name that this version of the crate does not know, as Heroku wrote it.
            Other(String),
        }

        impl $name {
            /// The name as Heroku writes it.
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

pub(crate) use open_enum;
