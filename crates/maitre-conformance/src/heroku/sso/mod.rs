//! Single sign-on.

mod forms;
mod session;
mod sign_in;
mod tokens;
mod window;

pub(super) use self::forms::{Form, forged, tokens};
pub(super) use self::session::CASES as SESSION;
pub(super) use self::tokens::CASES as TOKENS;
pub(super) use self::window::CASES as WINDOW;
