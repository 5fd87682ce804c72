//! How the simulator behaves, and misbehaves.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Replaced as a whole; what is left out is as at the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// How long a create takes at least.
    pub latency_ms: u64,
    /// How long a picture from a phone takes to be fetched at least.
    pub media_latency_ms: u64,
    /// Before each status of a message.
    pub step_ms: u64,
    /// In which order statuses are told.
    pub order: Order,
    /// How often each is told.
    pub copies: u32,
    /// All are told before the create call is answered.
    pub callbacks_first: bool,
    /// Incoming keywords carry `OptOutType`, as with Advanced Opt-Out.
    pub opt_out_type: bool,
    /// Errors are problem documents of RFC 9457.
    pub problem_documents: bool,
    /// Fields that nobody has announced, in every webhook.
    pub extra_fields: BTreeMap<String, String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            media_latency_ms: 0,
            step_ms: 150,
            order: Order::Forward,
            copies: 1,
            callbacks_first: false,
            opt_out_type: false,
            problem_documents: false,
            extra_fields: BTreeMap::new(),
        }
    }
}

impl Behaviour {
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }

    pub fn step(&self) -> Duration {
        Duration::from_millis(self.step_ms)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Forward,
    Reverse,
    Shuffled,
    /// A message stays queued until `POST /simulator/messages/{SID}/callbacks` says otherwise.
    ByHand,
}
