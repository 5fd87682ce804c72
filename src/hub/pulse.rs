//! Whether the bus can be relied on, judged by beats alone.
//!
//! Every node beats, and hears all nodes, itself too. Its own beat missing means that it is deaf.
//! Another's missing without a goodbye means that it may commit without publishing. Either way the
//! sweep has to deliver. Pure: the time is told.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::bus::Beat;

pub const BEAT_EVERY: Duration = Duration::from_millis(300);
/// Two beats: one may be late.
const MISSING_AFTER: Duration = Duration::from_millis(600);
/// A node that has been silent for so long and says nothing of it in the database either is gone.
const GONE_AFTER: Duration = Duration::from_secs(5);

pub struct Pulse {
    node: String,
    own: Instant,
    others: HashMap<String, Instant>,
    /// In the database, somebody says that their bus is unwell.
    reported: bool,
}

impl Pulse {
    pub fn new(node: String, now: Instant) -> Self {
        Self {
            node,
            own: now,
            others: HashMap::new(),
            reported: false,
        }
    }

    pub fn heard(&mut self, beat: &Beat, now: Instant) {
        if beat.node == self.node {
            self.own = now;
        } else if beat.goodbye {
            self.others.remove(&beat.node);
        } else {
            self.others.insert(beat.node.clone(), now);
        }
    }

    /// What the database says of nodes whose bus is unwell. It keeps a silent node from being gone.
    pub fn reported(&mut self, nodes: &[String], now: Instant) {
        self.reported = nodes.iter().any(|node| *node != self.node);
        let is_gone = |node: &String, heard: Instant| now.duration_since(heard) > GONE_AFTER && !nodes.contains(node);
        self.others.retain(|node, heard| !is_gone(node, *heard));
    }

    /// Not even the own beat comes.
    pub fn is_deaf(&self, now: Instant) -> bool {
        now.duration_since(self.own) > MISSING_AFTER
    }

    /// The sweep has to deliver.
    pub fn is_unwell(&self, now: Instant) -> bool {
        let missing = |heard: &Instant| now.duration_since(*heard) > MISSING_AFTER;
        self.is_deaf(now) || self.reported || self.others.values().any(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(node: &str, goodbye: bool) -> Beat {
        Beat {
            log: "log".into(),
            node: node.into(),
            goodbye,
        }
    }

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn ones_own_beat_missing_is_deaf() {
        let start = Instant::now();
        let mut pulse = Pulse::new("a".into(), start);
        assert!(!pulse.is_deaf(after(start, 600)));
        assert!(pulse.is_deaf(after(start, 601)));
        pulse.heard(&beat("a", false), after(start, 900));
        assert!(!pulse.is_unwell(after(start, 1_000)));
    }

    #[test]
    fn anothers_beat_missing_is_unwell_until_it_returns_or_says_goodbye_or_is_gone() {
        let start = Instant::now();
        let well = |pulse: &mut Pulse, ms| {
            pulse.heard(&beat("a", false), after(start, ms));
            !pulse.is_unwell(after(start, ms))
        };
        let mut pulse = Pulse::new("a".into(), start);
        pulse.heard(&beat("b", false), start);
        assert!(well(&mut pulse, 500));
        assert!(!well(&mut pulse, 700));
        pulse.heard(&beat("b", false), after(start, 800));
        assert!(well(&mut pulse, 900));
        pulse.heard(&beat("b", true), after(start, 1_000));
        assert!(well(&mut pulse, 9_000));

        pulse.heard(&beat("c", false), after(start, 9_000));
        pulse.reported(&["c".into()], after(start, 15_000));
        assert!(!well(&mut pulse, 15_000), "it says itself that it cannot publish");
        pulse.reported(&[], after(start, 15_100));
        assert!(well(&mut pulse, 15_100), "it is gone");
    }

    #[test]
    fn a_node_never_heard_is_known_by_its_report() {
        let start = Instant::now();
        let mut pulse = Pulse::new("a".into(), start);
        pulse.reported(&["b".into()], start);
        assert!(pulse.is_unwell(start));
        pulse.reported(&["a".into()], start);
        assert!(!pulse.is_unwell(start), "one's own report is no news");
    }
}
