//! Payloads that did not go out. Nobody else can know of them, so a node that lost one keeps silent for a
//! while: its beat goes missing, and the others ask the ledger.

use std::time::{Duration, Instant};

use metrics::counter;
use parking_lot::Mutex;

/// Longer than the others wait for a beat.
const SILENT_FOR: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Losses(Mutex<Option<Instant>>);

impl Losses {
    pub fn add(&self, payloads: usize) {
        counter!("crewline_bus_publish_failed_total").increment(payloads as u64);
        *self.0.lock() = Some(Instant::now());
    }

    /// Whether the others may not have noticed yet.
    pub fn are_fresh(&self) -> bool {
        self.0.lock().is_some_and(|last| last.elapsed() < SILENT_FOR)
    }
}
