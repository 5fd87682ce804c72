//! What a ledger answers to those who read.

use std::sync::Arc;

use serde::Deserialize;

use super::{CustomerBadge, TeamBadge};
use crate::domain::{Contact, OrgSettings, PersonId, Record, Sub, ThreadHead};

/// What a person who signs in needs to be let in, read in one query.
#[derive(Debug, Clone)]
pub struct Admission {
    pub settings: OrgSettings,
    /// Of a customer's contact, if there is such a contact.
    pub contact: Option<Contact>,
    /// The opaque id of a sub that has done something before.
    pub person: Option<PersonId>,
    /// Tokens of this sub issued then (in seconds) or earlier are refused.
    pub revoked_before: Option<i64>,
}

/// A view's head and badge in one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewHead {
    /// The org's head.
    pub rev: i64,
    /// The view's last number.
    pub number: i64,
    pub badge: Badge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Badge {
    Team(TeamBadge),
    Customer(CustomerBadge),
}

/// Records of a view after a cursor, oldest first.
#[derive(Debug, Clone)]
pub struct Slice {
    pub records: Vec<Arc<Record>>,
    /// Everything of the view up to this rev is in the client's hands once it has these.
    pub complete_to: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxFilter {
    #[default]
    All,
    New,
    Waiting,
    /// The last text to the customer failed, or may have.
    Failed,
    /// Nobody has answered the hand-off.
    Handoff,
}

/// A line of the inbox.
#[derive(Debug, Clone)]
pub struct InboxRow {
    pub contact: Contact,
    pub head: ThreadHead,
    /// The newest message or note.
    pub last: Option<Arc<Record>>,
}

#[derive(Debug, Clone)]
pub struct Inbox {
    pub rows: Vec<InboxRow>,
    pub as_of: i64,
}

/// A staff member's own read mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    pub sub: Sub,
    pub name: String,
    pub up_to: i64,
}

#[derive(Debug, Clone)]
pub struct ThreadState {
    pub contact: Contact,
    pub head: ThreadHead,
    pub readers: Vec<Reader>,
    /// The contact's phone takes no texts.
    pub texts_off: bool,
    /// What a text from a business phone begins with to be for this thread.
    pub tag: Option<i64>,
    /// The org's head rev in the same snapshot.
    pub rev: i64,
}
