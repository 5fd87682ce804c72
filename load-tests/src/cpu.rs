//! What this program itself takes, and whether it was what the run waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::report::{Figure, Report};
use crate::stats::Latency;

/// `/proc/PID/stat` counts in these, on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Of each worker thread: above it there is no room for what comes in bursts.
const BUSY: f64 = 0.9;
/// A timer that fires so much later than asked spoils latencies of the same size.
const LATE_MS: f64 = 10.0;

pub struct Meter {
    start: Instant,
    own: f64,
    hub: Option<(u32, f64)>,
    lag: Arc<Latency>,
    task: JoinHandle<()>,
}

impl Meter {
    pub fn start(hub: Option<u32>) -> Self {
        let lag = Arc::new(Latency::new());
        let seen = Arc::clone(&lag);
        let task = tokio::spawn(async move {
            let nap = Duration::from_millis(20);
            loop {
                let due = Instant::now() + nap;
                sleep(nap).await;
                seen.record(due.elapsed());
            }
        });
        Self {
            start: Instant::now(),
            own: seconds("self").unwrap_or(0.0),
            hub: hub.and_then(|pid| Some((pid, seconds(&pid.to_string())?))),
            lag,
            task,
        }
    }

    pub fn stop(self, report: &mut Report) {
        self.task.abort();
        let passed = self.start.elapsed().as_secs_f64().max(0.001);
        let workers = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let own = (seconds("self").unwrap_or(0.0) - self.own) / passed;
        let late = self.lag.p99();
        report.row("own_cpu", Figure::Cores(own));
        report.row("own_lag_p99_ms", Figure::Ms(late));
        if let Some((pid, before)) = self.hub
            && let Some(after) = seconds(&pid.to_string())
        {
            report.row("hub_cpu", Figure::Cores((after - before) / passed));
        }
        if let Some(sentence) = bottleneck(own, workers, late) {
            report.note(sentence);
        }
    }
}

fn bottleneck(own: f64, workers: f64, late: f64) -> Option<String> {
    if own > BUSY * workers {
        return Some(format!(
            "This program was the bottleneck: it used {own:.2} of {workers} cores. Run it on another machine."
        ));
    }
    (late > LATE_MS).then(|| {
        format!(
            "This machine was too full for this program: its timers fired up to {late:.0} ms late (p99), \
             and the latencies include that."
        )
    })
}

/// The CPU time of a process so far.
fn seconds(pid: &str) -> Option<f64> {
    ticks(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?).map(|ticks| ticks / TICKS_PER_SECOND)
}

/// User and system time: fields 14 and 15, counted after the name, which may hold anything.
fn ticks(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_past_a_strange_name() {
        assert_eq!(ticks("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0"), Some(300.0));
        assert!(seconds("self").is_some());
    }

    #[test]
    fn it_says_when_it_was_the_bottleneck() {
        assert_eq!(bottleneck(1.0, 2.0, 1.0), None);
        assert!(bottleneck(1.9, 2.0, 1.0).unwrap().contains("bottleneck"));
        assert!(bottleneck(1.0, 2.0, 30.0).unwrap().contains("30 ms late"));
    }
}
