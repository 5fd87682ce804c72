//! How fast a number may send: its texts are handed over so far apart, and carriers do not drop them.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::domain::Phone;

/// Numbers remembered before those whose time has passed are forgotten.
const MANY: usize = 10_000;

pub(super) struct Pace {
    apart: Duration,
    next: Mutex<HashMap<Phone, Instant>>,
}

impl Pace {
    pub fn new(per_second: u32) -> Self {
        Self {
            apart: Duration::from_secs(1) / per_second.max(1),
            next: Mutex::default(),
        }
    }

    /// None if the number may send now; else how long to wait for its turn. Either way a turn is taken.
    pub fn turn(&self, number: &Phone, now: Instant) -> Option<Duration> {
        let mut next = self.next.lock();
        if next.len() > MANY {
            next.retain(|_, at| *at > now);
        }
        let at = next.entry(number.clone()).or_insert(now);
        // A second's worth may go at once.
        let wait = (*at).saturating_duration_since(now + Duration::from_secs(1) - self.apart);
        match wait.is_zero() {
            true => {
                *at = (*at).max(now) + self.apart;
                None
            }
            false => Some(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_sends_as_many_in_a_second_as_it_may_and_then_waits() {
        let pace = Pace::new(4);
        let (one, two) = (
            Phone::parse("+14155550100").unwrap(),
            Phone::parse("+14155550101").unwrap(),
        );
        let now = Instant::now();
        for _ in 0..4 {
            assert_eq!(pace.turn(&one, now), None);
        }
        let wait = pace.turn(&one, now).unwrap();
        assert_eq!(wait, Duration::from_millis(250));
        assert_eq!(pace.turn(&two, now), None);
        assert_eq!(pace.turn(&one, now + wait), None);
        assert!(pace.turn(&one, now + wait).is_some());
    }
}
