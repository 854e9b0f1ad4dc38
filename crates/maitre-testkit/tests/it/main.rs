//! What really goes over the wire, seen by a server of the standard library.

mod server;

mod calls;
mod pace;
mod visitor;
