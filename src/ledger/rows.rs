//! Rows into values, by position: a column list and its reader stand side by side. The engines have
//! the same columns, so they share the lists, and through [`Cells`] and [`Reading`] the readers and
//! every query that does not write.

use anyhow::{Context, Result};
use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{PgConnection, Row, SqliteConnection};

use crate::domain::{
    Chain, Contact, ContactId, Counts, Handler, Kind, Marks, OrgId, PersonId, Phone, Record, Refusal, ThreadHead,
    ThreadId,
};
use crate::ledger::OrgHead;

/// A row of either engine.
pub(super) trait Cells: Send + Sync {
    fn text(&self, n: usize) -> Result<&str>;
    fn text_if_any(&self, n: usize) -> Result<Option<&str>>;
    fn int(&self, n: usize) -> Result<i64>;
    fn int_if_any(&self, n: usize) -> Result<Option<i64>>;
    fn bytes(&self, n: usize) -> Result<&[u8]>;
}

/// What a query is asked with.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    TextIfAny(Option<&'a str>),
    Int(i64),
}

/// A connection of either engine, for queries whose text serves both.
#[async_trait]
pub(super) trait Reading: Send {
    type Row: Cells;

    async fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Self::Row>>;

    async fn row(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Option<Self::Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }
}

macro_rules! engine {
    ($connection:ty, $row:ty) => {
        impl Cells for $row {
            fn text(&self, n: usize) -> Result<&str> {
                Ok(self.try_get(n)?)
            }

            fn text_if_any(&self, n: usize) -> Result<Option<&str>> {
                Ok(self.try_get(n)?)
            }

            fn int(&self, n: usize) -> Result<i64> {
                Ok(self.try_get(n)?)
            }

            fn int_if_any(&self, n: usize) -> Result<Option<i64>> {
                Ok(self.try_get(n)?)
            }

            fn bytes(&self, n: usize) -> Result<&[u8]> {
                Ok(self.try_get(n)?)
            }
        }

        #[async_trait]
        impl Reading for $connection {
            type Row = $row;

            async fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<$row>> {
                let mut query = sqlx::query(sql);
                for value in values {
                    query = match *value {
                        Value::Text(text) => query.bind(text),
                        Value::TextIfAny(text) => query.bind(text),
                        Value::Int(int) => query.bind(int),
                    };
                }
                Ok(query.fetch_all(self).await?)
            }
        }
    };
}
engine!(SqliteConnection, SqliteRow);
engine!(PgConnection, PgRow);

/// Reading back what parsed when it was written; if it does not, it was changed by others.
fn stored<T>(parsed: Result<T, Refusal>) -> Result<T> {
    parsed.map_err(|refusal| anyhow::anyhow!("stored value: {refusal}"))
}

fn chain(bytes: &[u8]) -> Result<Chain> {
    Ok(Chain(bytes.try_into().ok().context("a hash is 32 bytes")?))
}

macro_rules! record_columns {
    ($table:literal) => {
        concat!(
            $table,
            ".org, ",
            $table,
            ".rev, ",
            $table,
            ".thread, ",
            $table,
            ".seq, ",
            $table,
            ".kind, ",
            $table,
            ".submitter, ",
            $table,
            ".id, ",
            $table,
            ".body_team, ",
            $table,
            ".body_public, ",
            $table,
            ".customer_count, ",
            $table,
            ".team_count, ",
            $table,
            ".at, ",
            $table,
            ".hash"
        )
    };
}
pub(super) use record_columns;

/// Reads [`record_columns`] from column `n` on.
pub(super) fn record(row: &impl Cells, n: usize) -> Result<Record> {
    let kind = row.text(n + 4)?;
    let thread = row.text_if_any(n + 2)?;
    Ok(Record {
        org: stored(OrgId::parse(row.text(n)?))?,
        rev: row.int(n + 1)?,
        thread: thread.map(ThreadId::parse).map(stored).transpose()?,
        seq: row.int_if_any(n + 3)?,
        kind: Kind::parse(kind).with_context(|| format!("unknown kind {kind:?}"))?,
        submitter: row.text_if_any(n + 5)?.map(str::to_owned),
        id: row.text_if_any(n + 6)?.map(str::to_owned),
        body_team: row.text(n + 7)?.to_owned(),
        body_public: row.text_if_any(n + 8)?.map(str::to_owned),
        counts: Counts {
            customer: row.int(n + 9)?,
            team: row.int(n + 10)?,
        },
        at: row.int(n + 11)?,
        hash: chain(row.bytes(n + 12)?)?,
    })
}

pub(super) const CONTACT_COLUMNS: usize = 6;

macro_rules! contact_columns {
    () => {
        "c.contact, c.thread, c.person, c.name, c.phone, c.unknown"
    };
}
pub(super) use contact_columns;

/// Reads [`contact_columns`] from column `n` on.
pub(super) fn contact(row: &impl Cells, n: usize) -> Result<Contact> {
    let phone = row.text_if_any(n + 4)?;
    Ok(Contact {
        id: contact_id(row.text(n)?)?,
        thread: stored(ThreadId::parse(row.text(n + 1)?))?,
        person: stored(PersonId::parse(row.text(n + 2)?))?,
        name: row.text(n + 3)?.to_owned(),
        phone: phone.map(self::phone).transpose()?,
        unknown: row.int(n + 5)? == 1,
    })
}

pub(super) const HEAD_COLUMNS: usize = 19;

macro_rules! head_columns {
    () => {
        "t.seq, t.customer_count, t.team_count, t.hash, t.active, t.last_customer, t.last_team, \
         t.customer_delivered, t.customer_read, t.customer_read_count, \
         t.team_delivered, t.team_read, t.team_read_count, t.answered, t.waiting_since, t.failed, \
         t.handoff, t.handler, t.attached"
    };
}
pub(super) use head_columns;

/// Into which a record is written: behind INSERT, in the order of [`record_columns`].
macro_rules! into_log {
    () => {
        "INSERT INTO log (org, rev, thread, seq, kind, submitter, id, body_team, body_public, \
         customer_count, team_count, at, hash) "
    };
}
pub(super) use into_log;

/// Into which a thread's head is written, in the order of [`head_columns`]; what stands there gives way by
/// [`over_thread`].
macro_rules! into_threads {
    () => {
        "INSERT INTO threads (org, thread, seq, customer_count, team_count, hash, active, last_customer, last_team, \
         customer_delivered, customer_read, customer_read_count, \
         team_delivered, team_read, team_read_count, answered, waiting_since, failed, handoff, handler, attached) "
    };
}
pub(super) use into_threads;

macro_rules! over_thread {
    () => {
        " ON CONFLICT (org, thread) DO UPDATE SET seq = excluded.seq, \
         customer_count = excluded.customer_count, team_count = excluded.team_count, hash = excluded.hash, \
         active = excluded.active, last_customer = excluded.last_customer, last_team = excluded.last_team, \
         customer_delivered = excluded.customer_delivered, customer_read = excluded.customer_read, \
         customer_read_count = excluded.customer_read_count, team_delivered = excluded.team_delivered, \
         team_read = excluded.team_read, team_read_count = excluded.team_read_count, \
         answered = excluded.answered, waiting_since = excluded.waiting_since, failed = excluded.failed, \
         handoff = excluded.handoff, handler = excluded.handler, attached = excluded.attached"
    };
}
pub(super) use over_thread;

/// Reads [`head_columns`] from column `n` on.
pub(super) fn head(row: &impl Cells, n: usize) -> Result<ThreadHead> {
    let handler = row.text(n + 17)?;
    Ok(ThreadHead {
        seq: row.int(n)?,
        counts: Counts {
            customer: row.int(n + 1)?,
            team: row.int(n + 2)?,
        },
        hash: chain(row.bytes(n + 3)?)?,
        active: row.int(n + 4)?,
        last_customer: row.int(n + 5)?,
        last_team: row.int(n + 6)?,
        customer: Marks {
            delivered: row.int(n + 7)?,
            read: row.int(n + 8)?,
            read_count: row.int(n + 9)?,
        },
        team: Marks {
            delivered: row.int(n + 10)?,
            read: row.int(n + 11)?,
            read_count: row.int(n + 12)?,
        },
        answered: row.int(n + 13)?,
        waiting_since: row.int_if_any(n + 14)?,
        failed: row.int(n + 15)?,
        handoff: row.int(n + 16)?,
        handler: Handler::parse(handler).with_context(|| format!("unknown handler {handler:?}"))?,
        attached: row.text_if_any(n + 18)?.map(thread_id).transpose()?,
    })
}

/// Reads `rev, at, hash, new, waiting` from column `n` on.
pub(super) fn org_head(row: &impl Cells, n: usize) -> Result<OrgHead> {
    Ok(OrgHead {
        rev: row.int(n)?,
        at: row.int(n + 1)?,
        hash: chain(row.bytes(n + 2)?)?,
        new: row.int(n + 3)?,
        waiting: row.int(n + 4)?,
    })
}

pub(super) fn person_id(text: &str) -> Result<PersonId> {
    stored(PersonId::parse(text))
}

pub(super) fn sub(text: &str) -> Result<crate::domain::Sub> {
    stored(crate::domain::Sub::parse(text))
}

pub(super) fn contact_id(text: &str) -> Result<ContactId> {
    stored(ContactId::parse(text))
}

pub(super) fn thread_id(text: &str) -> Result<ThreadId> {
    stored(ThreadId::parse(text))
}

pub(super) fn phone(text: &str) -> Result<Phone> {
    stored(Phone::parse(text))
}

pub(super) fn org_id(text: &str) -> Result<OrgId> {
    stored(OrgId::parse(text))
}
