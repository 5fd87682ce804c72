//! What the traits promise, held against every engine of each.

mod bus;
mod ledger;
mod only_appends;
mod tampering;
