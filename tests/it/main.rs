//! Black-box tests: the real binary, spoken to as a stranger would.
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a panic is how a test fails; the harness is one for all modules, also those to come"
)]

#[path = "../support/postgres.rs"]
mod cluster;
#[path = "../support/redis.rs"]
mod redis;
mod support;

mod accessible;
mod append_only;
mod autobahn;
mod bad_input;
mod browser;
mod by_hand;
mod canaries;
mod cli;
mod composer_browser;
mod crash;
mod drain;
mod elements_browser;
mod embed;
mod embedding;
mod embedding_browser;
mod examples;
mod exposure;
mod front_door;
mod handoff_browser;
mod handoffs;
mod history;
mod house;
mod ids;
mod inbox_browser;
mod inbox_people_browser;
mod inbox_state_browser;
mod isolation;
mod keyboard;
mod loading;
mod mms;
mod newcomer;
mod other_log;
mod phones;
mod photo_canaries;
mod photo_limits;
mod photos;
mod photos_browser;
mod pong;
mod portal_browser;
mod postgres_killed;
mod receipts;
mod recount;
mod redis_cluster;
mod resume;
mod s3;
mod screens_browser;
mod scrolling_browser;
mod search;
mod slow_readers;
mod sms_browser;
mod sms_crash;
mod sms_crew;
mod sms_line;
mod start_page;
mod story;
mod thread_browser;
mod tokens;
mod twilio_peers;
mod two_nodes;
mod types;
mod xss;
