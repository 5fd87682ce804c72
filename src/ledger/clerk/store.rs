//! What the clerk asks of an engine's open transaction, and what it gives back to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;

use crate::domain::{
    Attempt, AttemptId, Brought, Contact, ContactId, Counts, Missing, OrgId, OrgSettings, PersonId, Phone, PhotoId,
    Place, Record, Sub, ThreadHead, ThreadId, Upload,
};
use crate::ledger::audit::OrgHead;
use crate::ledger::rows::Reading;
use crate::ledger::search::Line;
use crate::ledger::texting;

/// One open transaction, as the clerk sees it.
#[async_trait]
pub(in crate::ledger) trait Store: Send {
    /// For the questions that [`texting`](crate::ledger::texting) asks of every engine alike.
    type Connection: Reading;
    fn connection(&mut self) -> &mut Self::Connection;
    /// Which log this transaction appends to.
    fn log(&self) -> Arc<str>;
    /// The database's clock, in ms.
    async fn now(&mut self) -> Result<i64>;
    async fn org(&mut self, org: &OrgId) -> Result<Option<(OrgHead, OrgSettings)>>;
    async fn thread(&mut self, org: &OrgId, thread: &ThreadId) -> Result<Option<(Contact, ThreadHead)>>;
    async fn contact(&mut self, org: &OrgId, contact: &ContactId) -> Result<Option<Contact>>;
    async fn person(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<(PersonId, String)>>;
    async fn read_by(&mut self, org: &OrgId, thread: &ThreadId, sub: &Sub) -> Result<i64>;
    async fn revoked_before(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<i64>>;
    async fn by_id(&mut self, org: &OrgId, submitter: &str, id: &str) -> Result<Option<Record>>;
    /// The counts and the time of a public record.
    async fn at_seq(&mut self, org: &OrgId, thread: &ThreadId, seq: i64) -> Result<Option<(Counts, i64)>>;
    /// The first messages after a seq that `submitter` did not send.
    async fn others_after(&mut self, org: &OrgId, thread: &ThreadId, seq: i64, submitter: &str) -> Result<Vec<Record>>;
    /// An upload; it stays as it is until the transaction ends.
    async fn photo(&mut self, org: &OrgId, id: &PhotoId) -> Result<Option<Upload>>;
    /// Whether texts from the number to the phone are off.
    async fn is_off(&mut self, org: &OrgId, number: &Phone, phone: &Phone) -> Result<bool> {
        texting::is_off(self.connection(), org, number, phone).await
    }
    /// One attempt, of whatever org.
    async fn attempt(&mut self, id: &AttemptId) -> Result<Option<Attempt>> {
        texting::attempt_by_id(self.connection(), id).await
    }
    /// Whether Twilio's id is some attempt's.
    async fn has_sid(&mut self, sid: &str) -> Result<bool> {
        Ok(texting::attempt_by_sid(self.connection(), sid).await?.is_some())
    }
    /// All attempts at a message's texts.
    async fn attempts_of(&mut self, org: &OrgId, thread: &ThreadId, of: i64) -> Result<Vec<Attempt>> {
        texting::attempts_of(self.connection(), org, thread, of).await
    }
    /// All that the batch changed, in each org that grew.
    async fn write(&mut self, all: &[(OrgId, Entered)]) -> Result<()>;
}

/// What a batch changes in one org.
#[derive(Default)]
pub(in crate::ledger) struct Entered {
    pub records: Vec<Arc<Record>>,
    /// What can be found of them.
    pub lines: Vec<Line>,
    pub head: OrgHead,
    pub settings: Option<OrgSettings>,
    pub contacts: BTreeMap<ContactId, Contact>,
    pub threads: BTreeMap<ThreadId, ThreadHead>,
    pub people: BTreeMap<Sub, (PersonId, String)>,
    pub reads: BTreeMap<(ThreadId, Sub), i64>,
    pub revocations: BTreeMap<Sub, i64>,
    /// The provisioned number, if it is another one now.
    pub number: Option<Option<Phone>>,
    /// Which thread a tag names, and when it was used last.
    pub tags: BTreeMap<i64, (ThreadId, i64)>,
    pub copied: BTreeMap<(Phone, ThreadId), i64>,
    /// Whether texts from a number to a phone are off.
    pub consents: BTreeMap<(Phone, Phone), bool>,
    pub attempts: BTreeMap<AttemptId, Attempt>,
    /// For texts that wait for what is fetched of an MMS.
    pub brought: BTreeMap<AttemptId, Brought>,
    /// Where photos and files stand now.
    pub photos: BTreeMap<PhotoId, Place>,
    /// Parts of MMS, by Twilio's ids of them: to be fetched, or (none) fetched.
    pub missing: BTreeMap<String, Option<Missing>>,
    /// Numbers that are a contact's besides its own phone.
    pub phones: BTreeSet<(Phone, ContactId)>,
    /// Unrouted texts, by their revs, and the threads that they were routed to by hand.
    pub routed: BTreeMap<i64, ThreadId>,
}
