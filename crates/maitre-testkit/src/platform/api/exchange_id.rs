use super::super::state::exchange::ExchangeNumber;

/// The exchange that a handler serves.
#[derive(Clone)]
pub(crate) struct ExchangeId {
    pub(crate) number: ExchangeNumber,
    /// The method and the path, for messages.
    pub(crate) line: String,
}
