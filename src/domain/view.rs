//! A filter on the log that has its own gap-free numbers.

use super::{OrgId, Record, ThreadId};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// Everything in the org, numbered by rev.
    Team { org: OrgId },
    /// The public records of one thread, numbered by seq.
    Customer { org: OrgId, thread: ThreadId },
}

impl View {
    pub fn org(&self) -> &OrgId {
        match self {
            View::Team { org } | View::Customer { org, .. } => org,
        }
    }

    /// The record's number in this view; none if the view does not show it.
    pub fn number(&self, record: &Record) -> Option<i64> {
        match self {
            View::Team { .. } => Some(record.rev),
            View::Customer { thread, .. } if record.thread.as_ref() == Some(thread) => record.seq,
            View::Customer { .. } => None,
        }
    }
}
