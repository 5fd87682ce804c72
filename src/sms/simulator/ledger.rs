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

    /// The oldest first.
    pub fn shown(&self) -> Value {
        json!({ "creates": self.calls, "forgotten": self.forgotten })
    }
}
