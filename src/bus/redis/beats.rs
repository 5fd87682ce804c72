//! A beat counts when it has come by every shard: only then can every org be heard. So one dead shard
//! of a cluster is deafness, and the sweep delivers to the orgs on it.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;

/// Nodes whose beats are on their way; past that it is begun afresh.
const NODES: usize = 1_000;

#[derive(Default)]
pub struct Beats(Mutex<Coming>);

#[derive(Default)]
struct Coming {
    shards: Vec<u64>,
    /// By which shards a beat has come since it counted last.
    came: HashMap<Bytes, Vec<u64>>,
}

impl Beats {
    /// By which shards beats have to come.
    pub fn expect(&self, shards: Vec<u64>) {
        *self.0.lock() = Coming {
            shards,
            came: HashMap::new(),
        };
    }

    /// A beat came by a shard. Returns whether that was the last one missing.
    pub fn came(&self, shard: u64, beat: &Bytes) -> bool {
        let Coming { shards, came } = &mut *self.0.lock();
        if !shards.contains(&shard) {
            return false;
        }
        if came.len() >= NODES {
            came.clear();
        }
        let by = came.entry(beat.clone()).or_default();
        if !by.contains(&shard) {
            by.push(shard);
        }
        let is_whole = by.len() == shards.len();
        if is_whole {
            by.clear();
        }
        is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_counts_when_it_came_by_every_shard() {
        let (beats, a, b) = (Beats::default(), Bytes::from("a"), Bytes::from("b"));
        beats.expect(vec![1, 2]);
        assert!(!beats.came(1, &a));
        assert!(!beats.came(1, &a), "the same shard again proves nothing more");
        assert!(!beats.came(2, &b), "each node's beats are its own");
        assert!(beats.came(2, &a));
        assert!(!beats.came(2, &a), "and from the start again");
        assert!(beats.came(1, &a));
    }

    #[test]
    fn with_another_layout_it_begins_afresh() {
        let (beats, a) = (Beats::default(), Bytes::from("a"));
        beats.expect(vec![1, 2]);
        assert!(!beats.came(1, &a));
        beats.expect(vec![2, 3]);
        assert!(!beats.came(1, &a), "no shard any more");
        assert!(!beats.came(2, &a));
        assert!(beats.came(3, &a));
    }
}
