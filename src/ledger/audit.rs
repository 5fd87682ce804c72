//! All that is derived from an org's log, as one value that can be compared, and reading everything
//! for `verify`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::photos;
use super::read;
use super::rows::{self, Cells, Reading, Value, contact_columns, head_columns, record_columns};
use super::texting::{self, attempt_columns};
use crate::domain::{
    AttemptId, AttemptState, Chain, Contact, ContactId, Leg, Missing, OrgId, OrgSettings, PersonId, Phone, PhotoId,
    Place, Record, Sub, ThreadHead, ThreadId,
};

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

/// What is kept of a photo or file that was sent: its hash, its size if it is a photo, and where it stands.
type Sent = (String, Option<(u32, u32)>, Option<Place>);

/// A text that was queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The thread and seq of the message that it carries on; none of an answer.
    pub message: Option<(ThreadId, i64)>,
    pub from: Phone,
    pub parts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projections {
    pub head: OrgHead,
    pub settings: Option<OrgSettings>,
    pub contacts: BTreeMap<ContactId, Contact>,
    /// Their names as they are looked for.
    pub folded: BTreeMap<ContactId, Option<String>>,
    pub threads: BTreeMap<ThreadId, ThreadHead>,
    /// The opaque id and the latest name of each sub.
    pub people: BTreeMap<Sub, (PersonId, String)>,
    pub reads: BTreeMap<(ThreadId, Sub), i64>,
    pub revocations: BTreeMap<Sub, i64>,
    pub numbers: BTreeSet<Phone>,
    pub tags: BTreeMap<i64, (ThreadId, i64)>,
    /// When a thread was copied to a business phone last.
    pub copied: BTreeMap<(Phone, ThreadId), i64>,
    /// Whether texts from a number to a phone are off.
    pub consents: BTreeMap<(Phone, Phone), bool>,
    /// Texts that were queued: by the record that asked for it, leg and phone.
    pub queued: BTreeMap<(i64, Leg, Phone), Queued>,
    /// What was heard of each attempt of which anything was: how it stands, and Twilio's id of it.
    pub heard: BTreeMap<AttemptId, (AttemptState, Option<String>)>,
    pub photos: BTreeMap<PhotoId, Sent>,
    /// Parts of MMS that are to be fetched, without how often that was tried.
    pub missing: BTreeMap<String, Missing>,
    /// Numbers that are a contact's besides its own phone.
    pub phones: BTreeSet<(Phone, ContactId)>,
    /// Unrouted texts, by their revs, and the threads that they were routed to by hand.
    pub routed: BTreeMap<i64, ThreadId>,
}

pub(super) async fn orgs(reading: &mut impl Reading) -> Result<Vec<OrgId>> {
    let sql = "SELECT org FROM heads UNION SELECT org FROM orgs UNION SELECT org FROM numbers
               UNION SELECT DISTINCT org FROM log ORDER BY 1";
    let found = reading.rows(sql, &[]).await?;
    found.iter().map(|row| rows::org_id(row.text(0)?)).collect()
}

pub(super) async fn records(reading: &mut impl Reading, org: &OrgId, after: i64, limit: u32) -> Result<Vec<Record>> {
    let sql = concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l WHERE l.org = $1 AND l.rev > $2 ORDER BY l.rev LIMIT $3"
    );
    let values = [Value::Text(org.as_str()), Value::Int(after), Value::Int(limit.into())];
    let found = reading.rows(sql, &values).await?;
    found.iter().map(|row| rows::record(row, 0)).collect()
}

pub(super) async fn projections(snapshot: &mut impl Reading, org: &OrgId) -> Result<Projections> {
    let mut stored = Projections {
        head: read::org_head(snapshot, org).await?.unwrap_or_default(),
        ..Projections::default()
    };
    let of_org = [Value::Text(org.as_str())];
    let settings = snapshot
        .row("SELECT settings FROM orgs WHERE org = $1", &of_org)
        .await?;
    if let Some(row) = settings {
        stored.settings = Some(serde_json::from_str(row.text(0)?).context("an org's settings")?);
    }
    let sql = concat!("SELECT ", contact_columns!(), " FROM contacts c WHERE c.org = $1");
    for row in &snapshot.rows(sql, &of_org).await? {
        let contact = rows::contact(row, 0)?;
        stored.contacts.insert(contact.id.clone(), contact);
    }
    let sql = "SELECT contact, folded FROM contacts WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        let folded = row.text_if_any(1)?.map(str::to_owned);
        stored.folded.insert(rows::contact_id(row.text(0)?)?, folded);
    }
    let sql = concat!("SELECT t.thread, ", head_columns!(), " FROM threads t WHERE t.org = $1");
    for row in &snapshot.rows(sql, &of_org).await? {
        stored
            .threads
            .insert(rows::thread_id(row.text(0)?)?, rows::head(row, 1)?);
    }
    let sql = "SELECT sub, person, name FROM people WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        let person = (rows::person_id(row.text(1)?)?, row.text(2)?.to_owned());
        stored.people.insert(rows::sub(row.text(0)?)?, person);
    }
    let sql = "SELECT thread, sub, up_to FROM reads WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        let key = (rows::thread_id(row.text(0)?)?, rows::sub(row.text(1)?)?);
        stored.reads.insert(key, row.int(2)?);
    }
    let sql = "SELECT sub, before FROM revocations WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        stored.revocations.insert(rows::sub(row.text(0)?)?, row.int(1)?);
    }
    texting(snapshot, org, &mut stored).await?;
    for sent in photos::sent(snapshot, org).await? {
        stored.photos.insert(sent.id, (sent.sha256, sent.size, sent.place));
    }
    for missing in photos::all_missing(snapshot, org).await? {
        stored
            .missing
            .insert(missing.source.clone(), Missing { tries: 0, ..missing });
    }
    routes(snapshot, org, &mut stored).await?;
    Ok(stored)
}

async fn texting(snapshot: &mut impl Reading, org: &OrgId, stored: &mut Projections) -> Result<()> {
    let of_org = [Value::Text(org.as_str())];
    let sql = "SELECT number FROM numbers WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        stored.numbers.insert(rows::phone(row.text(0)?)?);
    }
    let sql = "SELECT tag, thread, at FROM tags WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        let thread = rows::thread_id(row.text(1)?)?;
        stored.tags.insert(row.int(0)?, (thread, row.int(2)?));
    }
    let sql = "SELECT phone, thread, at FROM copied WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        let key = (rows::phone(row.text(0)?)?, rows::thread_id(row.text(1)?)?);
        stored.copied.insert(key, row.int(2)?);
    }
    let sql = "SELECT number, phone, off FROM consents WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        let key = (rows::phone(row.text(0)?)?, rows::phone(row.text(1)?)?);
        stored.consents.insert(key, row.int(2)? == 1);
    }
    let sql = concat!("SELECT ", attempt_columns!(), " FROM outbox WHERE org = $1");
    for row in &snapshot.rows(sql, &of_org).await? {
        let attempt = texting::attempt(row)?;
        if attempt.nth == 1 {
            let queued = Queued {
                message: attempt.message,
                from: attempt.from,
                parts: 0,
            };
            let text = stored.queued.entry((attempt.rev, attempt.leg, attempt.to));
            text.or_insert(queued).parts += 1;
        }
        if !matches!(attempt.state, AttemptState::Due | AttemptState::Calling) {
            stored.heard.insert(attempt.id, (attempt.state, attempt.sid));
        }
    }
    Ok(())
}

async fn routes(snapshot: &mut impl Reading, org: &OrgId, stored: &mut Projections) -> Result<()> {
    let of_org = [Value::Text(org.as_str())];
    let sql = "SELECT phone, contact FROM phones WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        let contact = rows::contact_id(row.text(1)?)?;
        stored.phones.insert((rows::phone(row.text(0)?)?, contact));
    }
    let sql = "SELECT unrouted, thread FROM routed WHERE org = $1";
    for row in &snapshot.rows(sql, &of_org).await? {
        stored.routed.insert(row.int(0)?, rows::thread_id(row.text(1)?)?);
    }
    Ok(())
}
