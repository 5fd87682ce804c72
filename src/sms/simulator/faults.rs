//! What goes wrong on demand.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::Phone;

/// What goes wrong with the next creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    #[serde(flatten)]
    pub kind: FaultKind,
    #[serde(default = "once")]
    pub times: u32,
    /// To this phone alone.
    pub to: Option<Phone>,
}

fn once() -> u32 {
    1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Created and sent, but there is no answer.
    AcceptThenTimeout,
    /// Created and sent, but the answer is 500.
    #[serde(rename = "accept_then_500")]
    AcceptThen500,
    /// Created and sent, but the connection breaks.
    AcceptThenBreak,
    /// Not created, and no answer.
    Timeout,
    /// Not created, and the answer is 500.
    Unavailable,
    /// 429: not created.
    Throttle,
    /// Not created, for this reason.
    Refuse { code: u32 },
}

impl FaultKind {
    pub fn accepts(self) -> bool {
        matches!(
            self,
            Self::AcceptThenTimeout | Self::AcceptThen500 | Self::AcceptThenBreak
        )
    }
}

#[derive(Default)]
pub struct Faults(VecDeque<Fault>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What is to go wrong with a create to this phone: once less from now on.
    pub fn take(&mut self, to: &str) -> Option<FaultKind> {
        let concerns = |fault: &Fault| fault.to.as_ref().is_none_or(|phone| phone.as_str() == to);
        let at = self.0.iter().position(concerns)?;
        let fault = &mut self.0[at];
        let kind = fault.kind;
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.0.remove(at);
        }
        Some(kind)
    }
}
