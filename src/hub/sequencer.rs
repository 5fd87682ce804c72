//! Passes each rev of an org once and in order, whatever order its feeders bring them in.
//!
//! A pure state machine: it waits for nothing and reads nothing. When it has a [`Hole`] its owner
//! waits a moment for a straggler and then offers it what the ledger has.

use std::collections::BTreeMap;

/// Early items that are kept. Past that only the highest rev is: the ledger has the rest.
const EARLY: usize = 1_024;

#[derive(Debug)]
pub struct Sequencer<T> {
    last: i64,
    early: BTreeMap<i64, T>,
    /// The highest rev that is known to exist.
    highest: i64,
}

/// Revs that exist and have not come: (after, up_to].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    pub after: i64,
    pub up_to: i64,
}

impl<T> Sequencer<T> {
    /// Passes what comes after `last`.
    pub fn new(last: i64) -> Self {
        Self {
            last,
            early: BTreeMap::new(),
            highest: last,
        }
    }

    pub fn last(&self) -> i64 {
        self.last
    }

    /// Takes an item in; `pass` gets every item whose turn has come.
    pub fn offer(&mut self, rev: i64, item: T, mut pass: impl FnMut(T)) {
        self.highest = self.highest.max(rev);
        if rev == self.last + 1 {
            self.last = rev;
            pass(item);
            while let Some(next) = self.early.remove(&(self.last + 1)) {
                self.last += 1;
                pass(next);
            }
        } else if rev > self.last && self.early.len() < EARLY {
            self.early.entry(rev).or_insert(item);
        }
    }

    /// A rev is known to exist, but is not here.
    pub fn hint(&mut self, rev: i64) {
        self.highest = self.highest.max(rev);
    }

    pub fn hole(&self) -> Option<Hole> {
        let up_to = match self.early.first_key_value() {
            Some((&rev, _)) => rev - 1,
            None => self.highest,
        };
        (up_to > self.last).then_some(Hole {
            after: self.last,
            up_to,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a feeder may do to the revs 1..=n: lose some, double some, bring them in any order.
    fn feed() -> impl Strategy<Value = (i64, Vec<i64>)> {
        (1..200i64).prop_flat_map(|n| (Just(n), proptest::collection::vec(1..=n, 0..400)))
    }

    proptest! {
        #[test]
        fn what_it_lets_out_is_exactly_1_to_n((n, revs) in feed(), hints in proptest::collection::vec(1..200i64, 0..5)) {
            let mut sequencer = Sequencer::new(0);
            let mut out = Vec::new();
            for rev in revs {
                sequencer.offer(rev, rev, |item| out.push(item));
            }
            for hint in hints {
                sequencer.hint(hint.min(n));
            }
            sequencer.hint(n);
            // The ledger heals what is missing, a few at a time.
            while let Some(hole) = sequencer.hole() {
                prop_assert!(hole.after < hole.up_to && hole.up_to <= n);
                for rev in hole.after + 1..=hole.up_to.min(hole.after + 3) {
                    sequencer.offer(rev, rev, |item| out.push(item));
                }
            }
            prop_assert_eq!(out, (1..=n).collect::<Vec<_>>());
            prop_assert!(sequencer.early.is_empty());
        }

        #[test]
        fn early_items_are_bounded_and_nothing_is_lost_by_it(extra in 1..500i64) {
            let n = EARLY as i64 + extra;
            let mut sequencer = Sequencer::new(0);
            let mut out = Vec::new();
            for rev in (2..=n).rev() {
                sequencer.offer(rev, rev, |item| out.push(item));
            }
            prop_assert!(sequencer.early.len() <= EARLY);
            prop_assert!(out.is_empty());
            while let Some(hole) = sequencer.hole() {
                for rev in hole.after + 1..=hole.up_to {
                    sequencer.offer(rev, rev, |item| out.push(item));
                }
            }
            prop_assert_eq!(out, (1..=n).collect::<Vec<_>>());
        }
    }
}
