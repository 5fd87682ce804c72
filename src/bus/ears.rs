//! The bounded way from an engine to its node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::Heard;

/// What a node may have waiting. Past that it loses, and hears of a gap.
const QUEUE: usize = 4_096;

#[derive(Clone)]
pub struct Ears {
    queue: mpsc::Sender<Heard>,
    missed: Arc<AtomicBool>,
}

impl Ears {
    pub fn new() -> (Self, mpsc::Receiver<Heard>) {
        let (queue, listener) = mpsc::channel(QUEUE);
        let missed = Arc::default();
        (Self { queue, missed }, listener)
    }

    /// Never waits. A gap is told before anything that comes after it.
    pub fn hear(&self, heard: Heard) {
        if self.missed.load(Ordering::Acquire) && self.queue.try_send(Heard::Gap).is_ok() {
            self.missed.store(false, Ordering::Release);
        }
        if self.missed.load(Ordering::Acquire) || self.queue.try_send(heard).is_err() {
            self.missed.store(true, Ordering::Release);
        }
    }

    /// Something may have been missed.
    pub fn gap(&self) {
        self.missed.store(true, Ordering::Release);
        if self.queue.try_send(Heard::Gap).is_ok() {
            self.missed.store(false, Ordering::Release);
        }
    }
}
