//! Sockets: accepted, upgraded, and served by one task each.
//!
//! [`listener`] accepts connections for pages, HTTP and sockets alike; [`upgrade`] turns a request
//! into a [`Socket`]; [`session`] signs it in and serves it: what comes in is understood by
//! `inbound`, what goes out is chosen by `outbound`.

mod guard;
mod inbound;
pub mod listener;
mod outbound;
mod session;
mod upgrade;

pub use session::{SocketSettings, router};
pub use upgrade::{Socket, SocketLimits, goodbye, upgrade};
