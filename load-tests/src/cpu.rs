//! What a run takes of the machine, and whether this program itself was what it waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::hub::Hub;
use crate::report::{Figure, Report};
use crate::stats::Latency;

/// `/proc/PID/stat` counts in these, on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Of each worker thread: above it there is no room for what comes in bursts.
const BUSY: f64 = 0.9;
/// A timer that fires so much later than asked spoils latencies of the same size.
const LATE_MS: f64 = 10.0;

/// Whose CPU is read: one kind of program, of which there may be several processes.
struct Watched {
    name: &'static str,
    pids: Vec<u32>,
    /// With the children that each has and had: a Postgres works in those.
    children: bool,
    /// Seconds, when the meter was started.
    before: f64,
}

pub struct Meter {
    start: Instant,
    watched: Vec<Watched>,
    lag: Arc<Latency>,
    task: JoinHandle<()>,
}

/// The CPU time of hub, Postgres and Redis, where they are known, in seconds.
#[derive(Debug, Default)]
pub struct Spent(Vec<(&'static str, f64)>);

impl Meter {
    pub fn start(hub: Option<&Hub>) -> Self {
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
        let mut watched = vec![Watched::new("own", vec![std::process::id()], false)];
        if let Some(hub) = hub.filter(|hub| !hub.pids.is_empty()) {
            watched.push(Watched::new("hub", hub.pids.clone(), false));
        }
        if let Some((postgres, redis)) = hub.and_then(|hub| hub.local.as_ref()?.engines()) {
            watched.push(Watched::new("postgres", vec![postgres], true));
            watched.push(Watched::new("redis", vec![redis], false));
        }
        Self {
            start: Instant::now(),
            watched,
            lag,
            task,
        }
    }

    pub fn stop(self, report: &mut Report) -> Spent {
        self.task.abort();
        let passed = self.start.elapsed().as_secs_f64().max(0.001);
        let workers = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let late = self.lag.p99();
        let mut spent: Vec<_> = self.watched.iter().map(|one| (one.name, one.spent())).collect();
        let own = spent.remove(0).1 / passed;
        report.row("own_cpu", Figure::Cores(own));
        report.row("own_lag_p99_ms", Figure::Ms(late));
        for (name, seconds) in &spent {
            report.row(format!("{name}_cpu"), Figure::Cores(seconds / passed));
        }
        if let Some(sentence) = bottleneck(own, workers, late) {
            report.note(sentence);
        }
        Spent(spent)
    }
}

impl Spent {
    /// What a million messages take: of the hub, and of all together.
    pub fn per_million(&self, messages: u64, report: &mut Report) {
        if self.0.is_empty() || messages == 0 {
            return;
        }
        let of_each = 1e6 / messages as f64;
        let all: f64 = self.0.iter().map(|(_, seconds)| seconds).sum();
        for (name, seconds) in self.0.iter().copied().chain([("all", all)]) {
            report.row(format!("{name}_s_per_million"), Figure::Seconds(seconds * of_each));
        }
    }
}

impl Watched {
    fn new(name: &'static str, pids: Vec<u32>, children: bool) -> Self {
        let mut watched = Self {
            name,
            pids,
            children,
            before: 0.0,
        };
        watched.before = watched.spent();
        watched
    }

    /// Since the start.
    fn spent(&self) -> f64 {
        let sum: f64 = match self.children {
            true => self.pids.iter().map(|pid| seconds_with_children(*pid)).sum(),
            false => self.pids.iter().map(|pid| cpu(*pid).0).sum(),
        };
        sum - self.before
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

/// The CPU time so far of a process, of its children, and of those that it had.
pub fn seconds_with_children(pid: u32) -> f64 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    let (own, gone) = cpu(pid);
    own + gone + children.map(|child| cpu(child).0).sum::<f64>()
}

/// Seconds of CPU so far: a process's own, and those of its children that have ended. 0 if it is gone.
fn cpu(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.ok().and_then(|stat| times(&stat)).unwrap_or_default()
}

/// User and system time of a process and of its children: fields 14 to 17, counted after the name, which
/// may hold anything.
fn times(stat: &str) -> Option<(f64, f64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || Some(fields.next()?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    Some((next()? + next()?, next()? + next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_past_a_strange_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 7 3 0";
        assert_eq!(times(stat), Some((3.0, 0.1)));
        assert_eq!(times("7 (a) S 1 2"), None);
    }

    #[test]
    fn it_says_when_it_was_the_bottleneck() {
        assert_eq!(bottleneck(1.0, 2.0, 1.0), None);
        assert!(bottleneck(1.9, 2.0, 1.0).unwrap().contains("bottleneck"));
        assert!(bottleneck(1.0, 2.0, 30.0).unwrap().contains("30 ms late"));
    }
}
