//! Every create call there was: what tests count.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Value, json};

use super::faults::FaultKind;

const MOST_CALLS: usize = 100_000;

/// A create call, as it came.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Call {
    pub at: i64,
    pub to: String,
    pub from: String,
    pub body: String,
    pub media: Vec<String>,
    pub status_callback: Option<String>,
    /// What came of it: a SID, or a code. With a fault the caller may not know.
    pub sid: Option<String>,
    pub code: Option<u32>,
    pub fault: Option<FaultKind>,
}

#[derive(Default)]
pub struct Ledger {
    calls: VecDeque<Call>,
    forgotten: u64,
}

impl Ledger {
    pub fn note(&mut self, call: Call) {
        self.calls.push_back(call);
        if self.calls.len() > MOST_CALLS {
            self.calls.pop_front();
            self.forgotten += 1;
        }
    }

    /// All but the first `after` that there ever were, the oldest first.
    pub fn shown(&self, after: u64) -> Value {
        let skipped = after.saturating_sub(self.forgotten) as usize;
        let creates: Vec<_> = self.calls.iter().skip(skipped).collect();
        json!({ "creates": creates, "forgotten": self.forgotten })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_seen_some_is_shown_the_rest() {
        let mut ledger = Ledger::default();
        for n in 0..3 {
            ledger.note(Call {
                at: n,
                ..Call::default()
            });
        }
        let shown = |ledger: &Ledger, after| {
            let shown = ledger.shown(after);
            let creates = shown["creates"].as_array().unwrap();
            creates
                .iter()
                .map(|call| call["at"].as_i64().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(&ledger, 0), [0, 1, 2]);
        assert_eq!(shown(&ledger, 2), [2]);
        assert_eq!(shown(&ledger, 9), [] as [i64; 0]);
        ledger.forgotten = 5;
        assert_eq!(shown(&ledger, 2), [0, 1, 2]);
        assert_eq!(shown(&ledger, 6), [1, 2]);
    }
}
