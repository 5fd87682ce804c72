//! The harness that all tests speak through: a hub as a child process, people who join it, a browser.
//!
//! It knows Crewline only from the page "The wire" of `docs/DESIGN.md` and never uses the library,
//! so that a mistake in the library's own reading of that page cannot hide here.

pub mod axe;
pub mod chromium;
pub mod demo;
mod devtools;
pub mod fold;
pub mod hub;
pub mod newcomer;
pub mod nodes;
pub mod org;
pub mod pages;
pub mod peers;
pub mod phones;
pub mod pictures;
pub mod proxy;
pub mod relay;
pub mod s3;
pub mod simulator;
pub mod state;
pub mod token;
pub mod traffic;
pub mod wire;

pub use fold::Fold;
pub use hub::Hub;
pub use nodes::Nodes;
pub use org::{Org, Person, Scene};
pub use relay::Relay;
pub use state::State;
pub use token::Claims;
pub use wire::{Client, Dial};

use std::time::Duration;

/// How long a test waits for what is promised without a time. Long, since a slow machine is no fault.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An id that no other call in this process has given out.
pub fn fresh_id() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("id-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn now_s() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs() as i64
}

/// Waits for something that only asking again can tell.
pub async fn eventually(what: &str, is: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
