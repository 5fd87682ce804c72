//! The durable logs: what is said here is said for ever.
//!
//! [`Ledger`] is the contract; [`writer`] queues commands and commits whatever queued while the last
//! commit was in flight; [`clerk`] decides, once for all engines, what a command appends; an engine
//! ([`sqlite`], [`postgres`]) only loads and stores; [`read`] is what they have in common besides; [`verify`]
//! recomputes everything from the log.

mod answers;
mod aside;
mod audit;
mod clerk;
mod command;
mod contacts;
mod copies;
mod lanes;
mod outbox;
mod pending;
mod photos;
mod postgres;
mod read;
mod rows;
mod search;
mod sqlite;
mod texting;
pub mod verify;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use answers::{Admission, Badge, Inbox, InboxFilter, InboxRow, Reader, Slice, ThreadState, ViewHead};
pub use audit::{OrgHead, Projections};
pub use command::Command;
pub use outbox::Outbox;
pub use pending::Pending;
pub use photos::Photos;
pub use postgres::Postgres;
pub use search::{Find, Found, Indexed, Order, Place, RANKED};
pub use sqlite::{Clock, Sqlite, new_log_id};

use crate::domain::{Contact, ContactId, OrgId, Page, Phone, Record, Seek, Sub, ThreadId, View};

/// The ledger could not be read. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("the ledger cannot be read: {0}")]
pub struct LedgerError(#[from] pub anyhow::Error);

pub type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// The numbers that a record got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub rev: i64,
    pub seq: Option<i64>,
    pub at: i64,
}

/// What became of a command that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Appended(Numbers),
    /// The same id with the same content was appended before; these are its numbers.
    Duplicate(Numbers),
    /// It says nothing new: a mark that is not ahead, settings as they are.
    Unchanged,
    /// The contact, its thread, and whether it was made now.
    Contact {
        contact: ContactId,
        thread: ThreadId,
        made: bool,
    },
    Revoked {
        before: i64,
    },
    /// Where a hand-off landed.
    Landed {
        contact: ContactId,
        thread: ThreadId,
        numbers: Numbers,
        duplicate: bool,
    },
    /// The contact's thread, and how many records were copied to it now.
    Attached {
        thread: ThreadId,
        copies: u32,
    },
}

/// What one transaction appended to one org, handed to the hub after COMMIT.
#[derive(Debug, Clone)]
pub struct Commit {
    /// In which log its numbers mean something.
    pub log: Arc<str>,
    pub org: OrgId,
    /// In order of their revs, without a gap.
    pub records: Vec<Arc<Record>>,
    /// As of the last record.
    pub badge: TeamBadge,
    /// Of each thread whose public records are among them, as of its last seq.
    pub badges: Vec<(ThreadId, CustomerBadge)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TeamBadge {
    pub new: i64,
    pub waiting: i64,
    /// A rev.
    pub as_of: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerBadge {
    pub unread: i64,
    /// A seq.
    pub as_of: i64,
}

/// The contract of the durable logs. One suite of tests holds every engine to it.
///
/// - **Order.** An org's records get revs 1, 2, 3 …; a thread's public ones seqs 1, 2, 3 …; commands
///   of one caller for one org are appended in the order in which they were submitted: those that are
///   awaited, and behind them, but not for long, those that are not.
/// - **Atomicity.** A command's record, its numbers and every projection are one transaction.
/// - **Once.** (org, submitter, id) answers for ever with the first outcome.
/// - **Loss.** An outcome is durable when the caller hears it. Every commit is also sent to the
///   receiver of [`Ledger::commits`], in order; a process that dies in between loses only that.
/// - **For ever.** Nothing changes or removes a record, by any session of this engine.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Queues a command, in the order of the calls. Never waits; a full queue is refused with `busy`.
    fn submit(&self, command: Command) -> Pending;

    /// The stream of commits. There is one; the second call gets none.
    fn commits(&self) -> Option<mpsc::Receiver<Commit>>;

    /// Which log this is, as the database says now. Numbers mean nothing in another one.
    async fn log_id(&self) -> Result<String>;

    /// None if there is no such org.
    async fn admit(&self, org: &OrgId, sub: &Sub, contact: Option<&ContactId>) -> Result<Option<Admission>>;

    /// Each org that lists origins, with them.
    async fn sites(&self) -> Result<Vec<(OrgId, Vec<String>)>>;

    /// The head rev of each org; 0 for one that has nothing.
    async fn heads(&self, orgs: &[OrgId]) -> Result<Vec<(OrgId, i64)>>;

    /// None if the view's org or thread does not exist.
    async fn head(&self, view: &View) -> Result<Option<ViewHead>>;

    /// At most `limit` records of the view with numbers above `cursor`. Reads from a pool of its own,
    /// so that many who return at once do not starve the writer.
    async fn after(&self, view: &View, cursor: i64, limit: u32) -> Result<Slice>;

    /// At most `limit` records that the view shows of a thread.
    async fn history(&self, view: &View, thread: &ThreadId, seek: Seek, limit: u32) -> Result<Page>;

    /// Threads with something said in them, `active` below `before`, the newest activity first.
    async fn inbox(&self, org: &OrgId, filter: InboxFilter, before: Option<i64>, limit: u32) -> Result<Inbox>;

    /// Contacts whose name or phone holds `like`, or whose id it is, those with the newest activity first.
    /// Case and accents of a name do not matter.
    async fn contacts(&self, org: &OrgId, like: &str, limit: u32) -> Result<Vec<Contact>>;

    /// Texts that reached no thread, and were routed to none by hand, with revs below `before`, the newest first.
    async fn unrouted(&self, org: &OrgId, before: Option<i64>, limit: u32) -> Result<Page>;

    /// At most `limit` hits among what the view shows. The team searches all of the org, a customer the
    /// public text of the own thread. Reads from a pool of its own, and no longer than a few seconds.
    async fn search(&self, view: &View, find: &Find, limit: usize) -> Result<Found>;

    /// Phones that have asked for no more texts from the org's number.
    async fn stopped(&self, org: &OrgId) -> Result<Vec<Phone>>;

    /// None if the org has no such thread.
    async fn thread(&self, org: &OrgId, thread: &ThreadId) -> Result<Option<ThreadState>>;

    /// Says, for a few seconds, that this node cannot publish: the others then sweep. An engine whose
    /// log has one node only has nobody to tell.
    async fn report_unwell(&self, _node: &str) -> Result<()> {
        Ok(())
    }

    /// The nodes that said so lately.
    async fn unwell_nodes(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// For `verify`: every org that has a head or a record.
    async fn orgs(&self) -> Result<Vec<OrgId>>;

    /// For `verify`: whole records with revs above `after`.
    async fn records(&self, org: &OrgId, after: i64, limit: u32) -> Result<Vec<Record>>;

    /// For `verify`: the lines of the index for revs above `after`, up to `up_to`.
    async fn indexed(&self, org: &OrgId, after: i64, up_to: i64) -> Result<Vec<Indexed>>;

    /// For `verify`: every projection of an org, as it is stored.
    async fn projections(&self, org: &OrgId) -> Result<Projections>;

    /// Commits what has queued, refuses what comes later, and closes.
    async fn close(&self);
}
