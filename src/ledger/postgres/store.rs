//! The clerk's questions, answered from what was looked up for the whole batch. What a command turns
//! out to need besides is looked up alone.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;

use super::photos::STATEMENTS;
use super::transaction::Transaction;
use super::write;
use crate::domain::{
    Attempt, AttemptId, Contact, ContactId, Counts, OrgId, OrgSettings, PersonId, Phone, PhotoId, Record, Sub,
    ThreadHead, ThreadId, Upload,
};
use crate::ledger::OrgHead;
use crate::ledger::clerk::{Entered, Store};
use crate::ledger::rows::{self, Reading, Value, record_columns};

/// How many records a `stale` answer looks at; the wire shows fewer.
const STALE_RECORDS: i64 = 20;

/// Answers from `$map`, after `$look_up` if the key is not in it yet.
macro_rules! known {
    ($self:ident.$map:ident, $key:expr, $look_up:ident) => {{
        let key = $key;
        if !$self.$map.contains_key(&key) {
            $self.$look_up([key.clone()].into()).await?;
        }
        Ok($self.$map.get(&key).cloned().flatten())
    }};
}

#[async_trait]
impl Store for Transaction<'_> {
    type Connection = sqlx::PgConnection;

    fn connection(&mut self) -> &mut sqlx::PgConnection {
        self.connection
    }

    fn log(&self) -> Arc<str> {
        Arc::clone(&self.log)
    }

    async fn now(&mut self) -> Result<i64> {
        Ok(self.now)
    }

    /// Only what is locked exists: an org that another node made since then is not ours to write to.
    async fn org(&mut self, org: &OrgId) -> Result<Option<(OrgHead, OrgSettings)>> {
        Ok(self.orgs.get(org).cloned())
    }

    async fn thread(&mut self, org: &OrgId, thread: &ThreadId) -> Result<Option<(Contact, ThreadHead)>> {
        known!(self.threads, (org.clone(), thread.clone()), look_up_threads)
    }

    async fn contact(&mut self, org: &OrgId, contact: &ContactId) -> Result<Option<Contact>> {
        known!(self.contacts, (org.clone(), contact.clone()), look_up_contacts)
    }

    async fn person(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<(PersonId, String)>> {
        known!(self.people, (org.clone(), sub.clone()), look_up_people)
    }

    async fn read_by(&mut self, org: &OrgId, thread: &ThreadId, sub: &Sub) -> Result<i64> {
        let key = (org.clone(), thread.clone(), sub.clone());
        let up_to: Result<Option<i64>> = known!(self.reads, key, look_up_reads);
        Ok(up_to?.unwrap_or(0))
    }

    async fn revoked_before(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<i64>> {
        known!(self.revocations, (org.clone(), sub.clone()), look_up_revocations)
    }

    async fn by_id(&mut self, org: &OrgId, submitter: &str, id: &str) -> Result<Option<Record>> {
        known!(
            self.ids,
            (org.clone(), submitter.to_owned(), id.to_owned()),
            look_up_ids
        )
    }

    async fn at_seq(&mut self, org: &OrgId, thread: &ThreadId, seq: i64) -> Result<Option<(Counts, i64)>> {
        let key = (org.clone(), thread.clone(), seq);
        known!(self.seqs, key, look_up_seqs)
    }

    async fn others_after(&mut self, org: &OrgId, thread: &ThreadId, seq: i64, submitter: &str) -> Result<Vec<Record>> {
        let sql = concat!(
            "SELECT ",
            record_columns!("l"),
            " FROM log l
             WHERE l.org = $1 AND l.thread = $2 AND l.seq > $3 AND l.kind IN ('message', 'handoff') AND l.submitter <> $4
             ORDER BY l.seq LIMIT $5"
        );
        let values = [
            Value::Text(org.as_str()),
            Value::Text(thread.as_str()),
            Value::Int(seq),
            Value::Text(submitter),
            Value::Int(STALE_RECORDS),
        ];
        let found = self.connection.rows(sql, &values).await?;
        found.iter().map(|row| rows::record(row, 0)).collect()
    }

    async fn is_off(&mut self, org: &OrgId, number: &Phone, phone: &Phone) -> Result<bool> {
        let key = (org.clone(), number.clone(), phone.clone());
        if !self.consents.contains_key(&key) {
            self.look_up_consents([key.clone()].into()).await?;
        }
        Ok(self.consents.get(&key) == Some(&true))
    }

    async fn attempt(&mut self, id: &AttemptId) -> Result<Option<Attempt>> {
        known!(self.attempts, id.clone(), look_up_attempts)
    }

    async fn has_sid(&mut self, sid: &str) -> Result<bool> {
        if !self.sids.contains_key(sid) {
            self.look_up_sids([sid.to_owned()].into()).await?;
        }
        Ok(self.sids.get(sid) == Some(&true))
    }

    async fn attempts_of(&mut self, org: &OrgId, thread: &ThreadId, of: i64) -> Result<Vec<Attempt>> {
        let key = (org.clone(), thread.clone(), of);
        if !self.texts.contains_key(&key) {
            self.look_up_texts([key.clone()].into()).await?;
        }
        Ok(self.texts.get(&key).cloned().unwrap_or_default())
    }

    async fn photo(&mut self, org: &OrgId, id: &PhotoId) -> Result<Option<Upload>> {
        STATEMENTS.of_org(self.connection, org, id).await
    }

    async fn write(&mut self, all: &[(OrgId, Entered)]) -> Result<()> {
        write::write(self.connection, all).await
    }
}
