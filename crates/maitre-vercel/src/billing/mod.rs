//! Outbox of usage, invoices and refunds.
//!
//! A [`Statement`] is the record of one installation and period in the ledger. Every change is a write with an expected
//! version. The invoice is sent between two of them: the first records that it may be sent, the second that it was.
//! After a crash between the two it is sent again with the same external id, and Vercel's conflict means that it has been
//! received.

mod credit;
mod invoice;
mod jobs;
mod line;
mod meter;
mod refund;
mod statement;
mod store;
mod usage;

pub use self::{
    line::Usage,
    statement::{Statement, StatementState},
};
