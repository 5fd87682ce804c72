//! What the clerk asks of one open transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};

use super::photos::STATEMENTS;
use super::{Clock, search};
use crate::domain::{
    Contact, ContactId, Counts, OrgId, OrgSettings, PersonId, PhotoId, Record, Sub, ThreadHead, ThreadId, Upload,
    folded,
};
use crate::ledger::OrgHead;
use crate::ledger::clerk::{Entered, Store};
use crate::ledger::rows::{
    self, CONTACT_COLUMNS, contact_columns, head_columns, into_log, into_threads, over_thread, record_columns,
};

/// How many records a `stale` answer looks at; the wire shows fewer.
const STALE_RECORDS: i64 = 20;

pub(super) struct Transaction<'a>(pub &'a mut SqliteConnection, pub Arc<str>, pub &'a Clock);

#[async_trait]
impl Store for Transaction<'_> {
    type Connection = SqliteConnection;

    fn connection(&mut self) -> &mut SqliteConnection {
        self.0
    }

    fn log(&self) -> Arc<str> {
        Arc::clone(&self.1)
    }

    async fn now(&mut self) -> Result<i64> {
        if let Clock::Set(at) = self.2 {
            return Ok(at.load(Ordering::Relaxed));
        }
        let row = sqlx::query("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)")
            .fetch_one(&mut *self.0)
            .await?;
        Ok(row.try_get(0)?)
    }

    async fn org(&mut self, org: &OrgId) -> Result<Option<(OrgHead, OrgSettings)>> {
        let row = sqlx::query(
            "SELECT h.rev, h.at, h.hash, h.new, h.waiting, o.settings
             FROM heads h JOIN orgs o ON o.org = h.org WHERE h.org = $1",
        )
        .bind(org.as_str())
        .fetch_optional(&mut *self.0)
        .await?;
        row.map(|row| {
            let settings: &str = row.try_get(5)?;
            Ok((rows::org_head(&row, 0)?, serde_json::from_str(settings)?))
        })
        .transpose()
    }

    async fn thread(&mut self, org: &OrgId, thread: &ThreadId) -> Result<Option<(Contact, ThreadHead)>> {
        let row = sqlx::query(concat!(
            "SELECT ",
            contact_columns!(),
            ", ",
            head_columns!(),
            " FROM threads t JOIN contacts c ON c.org = t.org AND c.thread = t.thread
              WHERE t.org = $1 AND t.thread = $2"
        ))
        .bind(org.as_str())
        .bind(thread.as_str())
        .fetch_optional(&mut *self.0)
        .await?;
        row.map(|row| Ok((rows::contact(&row, 0)?, rows::head(&row, CONTACT_COLUMNS)?)))
            .transpose()
    }

    async fn contact(&mut self, org: &OrgId, contact: &ContactId) -> Result<Option<Contact>> {
        let row = sqlx::query(concat!(
            "SELECT ",
            contact_columns!(),
            " FROM contacts c WHERE c.org = $1 AND c.contact = $2"
        ))
        .bind(org.as_str())
        .bind(contact.as_str())
        .fetch_optional(&mut *self.0)
        .await?;
        row.map(|row| rows::contact(&row, 0)).transpose()
    }

    async fn person(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<(PersonId, String)>> {
        let row = sqlx::query("SELECT person, name FROM people WHERE org = $1 AND sub = $2")
            .bind(org.as_str())
            .bind(sub.as_str())
            .fetch_optional(&mut *self.0)
            .await?;
        row.map(|row| Ok((rows::person_id(row.try_get(0)?)?, row.try_get(1)?)))
            .transpose()
    }

    async fn read_by(&mut self, org: &OrgId, thread: &ThreadId, sub: &Sub) -> Result<i64> {
        let row = sqlx::query("SELECT up_to FROM reads WHERE org = $1 AND thread = $2 AND sub = $3")
            .bind(org.as_str())
            .bind(thread.as_str())
            .bind(sub.as_str())
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
    }

    async fn revoked_before(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT before FROM revocations WHERE org = $1 AND sub = $2")
            .bind(org.as_str())
            .bind(sub.as_str())
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    async fn by_id(&mut self, org: &OrgId, submitter: &str, id: &str) -> Result<Option<Record>> {
        let row = sqlx::query(concat!(
            "SELECT ",
            record_columns!("l"),
            " FROM log l WHERE l.org = $1 AND l.submitter = $2 AND l.id = $3"
        ))
        .bind(org.as_str())
        .bind(submitter)
        .bind(id)
        .fetch_optional(&mut *self.0)
        .await?;
        row.map(|row| rows::record(&row, 0)).transpose()
    }

    async fn at_seq(&mut self, org: &OrgId, thread: &ThreadId, seq: i64) -> Result<Option<(Counts, i64)>> {
        let row =
            sqlx::query("SELECT customer_count, team_count, at FROM log WHERE org = $1 AND thread = $2 AND seq = $3")
                .bind(org.as_str())
                .bind(thread.as_str())
                .bind(seq)
                .fetch_optional(&mut *self.0)
                .await?;
        row.map(|row| {
            let counts = Counts {
                customer: row.try_get(0)?,
                team: row.try_get(1)?,
            };
            Ok((counts, row.try_get(2)?))
        })
        .transpose()
    }

    async fn others_after(&mut self, org: &OrgId, thread: &ThreadId, seq: i64, submitter: &str) -> Result<Vec<Record>> {
        sqlx::query(concat!(
            "SELECT ",
            record_columns!("l"),
            " FROM log l
             WHERE l.org = $1 AND l.thread = $2 AND l.seq > $3 AND l.kind IN ('message', 'handoff') AND l.submitter <> $4
             ORDER BY l.seq LIMIT $5"
        ))
        .bind(org.as_str())
        .bind(thread.as_str())
        .bind(seq)
        .bind(submitter)
        .bind(STALE_RECORDS)
        .fetch_all(&mut *self.0)
        .await?
        .iter()
        .map(|row| rows::record(row, 0))
        .collect()
    }

    async fn photo(&mut self, org: &OrgId, id: &PhotoId) -> Result<Option<Upload>> {
        STATEMENTS.of_org(self.0, org, id).await
    }

    async fn write(&mut self, all: &[(OrgId, Entered)]) -> Result<()> {
        for (org, entered) in all {
            self.write_org(org, entered).await?;
        }
        Ok(())
    }
}

impl Transaction<'_> {
    async fn write_org(&mut self, org: &OrgId, entered: &Entered) -> Result<()> {
        for record in &entered.records {
            self.insert(record).await?;
        }
        for line in &entered.lines {
            search::write(self.0, line).await?;
        }
        let head = &entered.head;
        sqlx::query(
            "INSERT INTO heads (org, rev, at, hash, new, waiting) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (org) DO UPDATE SET rev = excluded.rev, at = excluded.at, hash = excluded.hash,
                 new = excluded.new, waiting = excluded.waiting",
        )
        .bind(org.as_str())
        .bind(head.rev)
        .bind(head.at)
        .bind(head.hash.0.as_slice())
        .bind(head.new)
        .bind(head.waiting)
        .execute(&mut *self.0)
        .await?;
        if let Some(settings) = &entered.settings {
            sqlx::query(
                "INSERT INTO orgs (org, settings) VALUES ($1, $2)
                 ON CONFLICT (org) DO UPDATE SET settings = excluded.settings",
            )
            .bind(org.as_str())
            .bind(serde_json::to_string(settings)?)
            .execute(&mut *self.0)
            .await?;
        }
        for (thread, head) in &entered.threads {
            self.put_thread(org, thread, head).await?;
        }
        for contact in entered.contacts.values() {
            sqlx::query(
                "INSERT INTO contacts (org, contact, thread, person, name, phone, unknown, folded)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (org, contact) DO UPDATE SET name = excluded.name, phone = excluded.phone,
                     unknown = excluded.unknown, folded = excluded.folded",
            )
            .bind(org.as_str())
            .bind(contact.id.as_str())
            .bind(contact.thread.as_str())
            .bind(contact.person.as_str())
            .bind(&contact.name)
            .bind(contact.phone.as_ref().map(|phone| phone.as_str()))
            .bind(i64::from(contact.unknown))
            .bind(folded(&contact.name))
            .execute(&mut *self.0)
            .await?;
        }
        for (sub, (person, name)) in &entered.people {
            sqlx::query(
                "INSERT INTO people (org, sub, person, name) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (org, sub) DO UPDATE SET name = excluded.name WHERE people.name <> excluded.name",
            )
            .bind(org.as_str())
            .bind(sub.as_str())
            .bind(person.as_str())
            .bind(name)
            .execute(&mut *self.0)
            .await?;
        }
        for ((thread, sub), up_to) in &entered.reads {
            sqlx::query(
                "INSERT INTO reads (org, thread, sub, up_to) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (org, thread, sub) DO UPDATE SET up_to = excluded.up_to",
            )
            .bind(org.as_str())
            .bind(thread.as_str())
            .bind(sub.as_str())
            .bind(up_to)
            .execute(&mut *self.0)
            .await?;
        }
        self.write_texting(org, entered).await?;
        self.write_photos(org, entered).await?;
        self.write_routes(org, entered).await?;
        for (sub, before) in &entered.revocations {
            sqlx::query(
                "INSERT INTO revocations (org, sub, before) VALUES ($1, $2, $3)
                 ON CONFLICT (org, sub) DO UPDATE SET before = excluded.before",
            )
            .bind(org.as_str())
            .bind(sub.as_str())
            .bind(before)
            .execute(&mut *self.0)
            .await?;
        }
        Ok(())
    }

    async fn insert(&mut self, record: &Record) -> Result<()> {
        sqlx::query(concat!(
            into_log!(),
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ))
        .bind(record.org.as_str())
        .bind(record.rev)
        .bind(record.thread.as_ref().map(|thread| thread.as_str()))
        .bind(record.seq)
        .bind(record.kind.as_str())
        .bind(record.submitter.as_deref())
        .bind(record.id.as_deref())
        .bind(&record.body_team)
        .bind(record.body_public.as_deref())
        .bind(record.counts.customer)
        .bind(record.counts.team)
        .bind(record.at)
        .bind(record.hash.0.as_slice())
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    async fn put_thread(&mut self, org: &OrgId, thread: &ThreadId, head: &ThreadHead) -> Result<()> {
        sqlx::query(concat!(
            into_threads!(),
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
            over_thread!()
        ))
        .bind(org.as_str())
        .bind(thread.as_str())
        .bind(head.seq)
        .bind(head.counts.customer)
        .bind(head.counts.team)
        .bind(head.hash.0.as_slice())
        .bind(head.active)
        .bind(head.last_customer)
        .bind(head.last_team)
        .bind(head.customer.delivered)
        .bind(head.customer.read)
        .bind(head.customer.read_count)
        .bind(head.team.delivered)
        .bind(head.team.read)
        .bind(head.team.read_count)
        .bind(head.answered)
        .bind(head.waiting_since)
        .bind(head.failed)
        .bind(head.handoff)
        .bind(head.handler.as_str())
        .bind(head.attached.as_ref().map(|thread| thread.as_str()))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}
