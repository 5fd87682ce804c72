//! All that is derived from an org's log, as one value that can be compared.

use std::collections::BTreeMap;

use crate::domain::{Chain, Contact, ContactId, OrgSettings, PersonId, Sub, ThreadHead, ThreadId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgHead {
    pub rev: i64,
    pub at: i64,
    /// The chain of records without a thread.
    pub hash: Chain,
    /// Threads that are new; threads that wait.
    pub new: i64,
    pub waiting: i64,
}

impl Default for OrgHead {
    fn default() -> Self {
        Self {
            rev: 0,
            at: 0,
            hash: Chain::START,
            new: 0,
            waiting: 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projections {
    pub head: OrgHead,
    pub settings: Option<OrgSettings>,
    pub contacts: BTreeMap<ContactId, Contact>,
    pub threads: BTreeMap<ThreadId, ThreadHead>,
    /// The opaque id and the latest name of each sub.
    pub people: BTreeMap<Sub, (PersonId, String)>,
    pub reads: BTreeMap<(ThreadId, Sub), i64>,
    pub revocations: BTreeMap<Sub, i64>,
}
