//! Properties that the fuzz targets check on every input. A violation is a panic.
//!
//! Each property has its own oracle: an independent implementation of the rule, not a second call of the code under test.

pub mod api_objects;
pub mod basic_header;
pub mod manifest;
pub mod provision;
pub mod recording;
pub mod redirect;
pub mod sso_form;
pub mod webhook;
