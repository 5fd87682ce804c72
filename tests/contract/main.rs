//! What the traits promise, held against every engine of each.

// In a test an error is a failure.
#![allow(clippy::unwrap_used)]

#[path = "../support/postgres.rs"]
mod cluster;
#[path = "../support/redis.rs"]
mod redis;

mod book;
mod bus;
mod gallery;
mod healing;
mod index;
mod ledger;
mod newer_node;
mod only_appends;
mod plans;
mod postgres;
mod postgres_faults;
mod postgres_locks;
mod tampering;
mod twilio;
mod two_hubs;
mod upgrade;
