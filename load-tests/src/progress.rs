//! On stderr, and only if that is a terminal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::stats::Stats;

pub fn bar(length: usize, what: impl Into<String>) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {elapsed}");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.into())
}

/// Live figures while something is measured; gone when dropped.
pub struct Live(ProgressBar, JoinHandle<()>);

impl Live {
    pub fn show(seconds: u64, stats: &Arc<Stats>) -> Self {
        let (bar, stats, start) = (bar(seconds as usize, "s"), Arc::clone(stats), Instant::now());
        let shown = bar.clone();
        let task = tokio::spawn(async move {
            let mut before = 0;
            loop {
                sleep(Duration::from_secs(1)).await;
                let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
                let delivered = count(&stats.delivered);
                shown.set_position(start.elapsed().as_secs());
                shown.set_message(format!(
                    "s: {} sent, {} acknowledged (p99 {:.1} ms), {} deliveries/s (p99 {:.1} ms)",
                    count(&stats.sent),
                    count(&stats.acked),
                    stats.ack.p99(),
                    delivered - before,
                    stats.delivery.p99(),
                ));
                before = delivered;
            }
        });
        Self(bar, task)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.1.abort();
        self.0.finish_and_clear();
    }
}
