//! Signing and verification of single sign-on tokens.
//!
//! A token is a hash over the signed fields, a shared salt and the time of issue. The timestamp is hashed exactly as
//! received, and the current time is an argument, so that tests are tables.
//!
//! ```
//! use maitre_core::Salt;
//! use maitre_core::sso::{SignedFields, Window};
//! use time::OffsetDateTime;
//!
//! let salt = Salt::new("2f97bfa52ca102f8874716e2eb1d3b4920ad0be4")?;
//! let fields = SignedFields::Id("123");
//! let token = fields.sign(&salt, "1267597772");
//! assert_eq!(token, "bb466eb1d6bc345d11072c3cd25c311f21be130d");
//!
//! let a_minute_later = OffsetDateTime::from_unix_timestamp(1_267_597_832)?;
//! assert_eq!(fields.verify(&token, "1267597772", &[salt], Window::default(), a_minute_later), Ok(()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod error;
mod signed_fields;
mod token;
mod window;

pub use error::TokenError;
pub use signed_fields::{Algorithm, Part, SignedFields};
pub use token::{TokenKind, VerifiedToken, is_cookie_safe};
pub use window::Window;
