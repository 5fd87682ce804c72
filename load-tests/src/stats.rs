//! What all clients of a run count together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

/// An hour; what takes longer counts as that.
const LONGEST_US: u64 = 3_600_000_000;

/// Latencies in microseconds, exact to three digits.
pub struct Latency(Mutex<Histogram<u64>>);

pub struct Stats {
    /// Names the run: contacts, subs and message ids begin with it.
    pub run: String,
    epoch: Instant,
    pub ack: Latency,
    pub delivery: Latency,
    pub sent: AtomicU64,
    pub acked: AtomicU64,
    pub delivered: AtomicU64,
}

impl Latency {
    pub fn new() -> Self {
        // With bounds: one that grows would clip what `saturating_record` gives it.
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3);
        Self(Mutex::new(histogram.unwrap_or_else(|_| unreachable!("valid bounds"))))
    }

    pub fn record(&self, latency: Duration) {
        let mut histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        histogram.saturating_record(latency.as_micros() as u64);
    }

    pub fn quantiles(&self) -> Vec<(&'static str, f64)> {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if histogram.is_empty() {
            return Vec::new();
        }
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        vec![
            ("p50", at(0.5)),
            ("p90", at(0.9)),
            ("p99", at(0.99)),
            ("p999", at(0.999)),
            ("max", histogram.max() as f64 / 1e3),
        ]
    }

    pub fn p99(&self) -> f64 {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        histogram.value_at_quantile(0.99) as f64 / 1e3
    }
}

impl Stats {
    pub fn new(run: String) -> Self {
        Self {
            run,
            epoch: Instant::now(),
            ack: Latency::new(),
            delivery: Latency::new(),
            sent: AtomicU64::new(0),
            acked: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
        }
    }

    /// A message's id tells when it was due, so that whoever hears it knows how late it is.
    pub fn id(&self, client: usize, n: usize, due: Instant) -> String {
        let due = due.saturating_duration_since(self.epoch).as_micros();
        format!("{}-{client}-{n}-{due}", self.run)
    }

    pub fn acked(&self, id: &str) {
        self.acked.fetch_add(1, Ordering::Relaxed);
        if let Some(age) = self.age(id, Instant::now()) {
            self.ack.record(age);
        }
    }

    pub fn delivered(&self, id: &str) {
        if let Some(age) = self.age(id, Instant::now()) {
            self.delivered.fetch_add(1, Ordering::Relaxed);
            self.delivery.record(age);
        }
    }

    /// None if the id is not of this run.
    fn age(&self, id: &str, now: Instant) -> Option<Duration> {
        let rest = id.strip_prefix(&self.run)?.strip_prefix('-')?;
        let due = rest.rsplit('-').next()?.parse().ok()?;
        Some(now.saturating_duration_since(self.epoch + Duration::from_micros(due)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_counts_from_when_it_was_due() {
        let stats = Stats::new("r1".into());
        let due = stats.epoch + Duration::from_secs(1);
        let id = stats.id(7, 1, due);
        assert_eq!(id, "r1-7-1-1000000");
        // However late it was sent.
        let heard = due + Duration::from_millis(320);
        assert_eq!(stats.age(&id, heard), Some(Duration::from_millis(320)));
        for strange in ["someone-elses-1-2", "r1-7-1-x", "r11-7-1-5"] {
            assert_eq!(stats.age(strange, heard), None, "{strange}");
        }
    }

    #[test]
    fn quantiles_are_of_what_was_recorded() {
        let latency = Latency::new();
        assert!(latency.quantiles().is_empty());
        (1..=1_000).for_each(|ms| latency.record(Duration::from_millis(ms)));
        assert!((latency.p99() - 990.0).abs() < 1.0);
    }
}
