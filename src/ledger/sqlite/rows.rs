//! Rows into values, by position: a column list and its reader stand side by side.

use anyhow::{Context, Result};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::domain::{
    Chain, Contact, ContactId, Counts, Kind, Marks, OrgId, PersonId, Phone, Record, Refusal, ThreadHead, ThreadId,
};
use crate::ledger::OrgHead;

/// Reading back what parsed when it was written; if it does not, the file was changed by others.
fn stored<T>(parsed: Result<T, Refusal>) -> Result<T> {
    parsed.map_err(|refusal| anyhow::anyhow!("stored value: {refusal}"))
}

fn chain(bytes: Vec<u8>) -> Result<Chain> {
    let bytes: [u8; 32] = bytes.try_into().ok().context("a hash is 32 bytes")?;
    Ok(Chain(bytes))
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
pub(super) fn record(row: &SqliteRow, n: usize) -> Result<Record> {
    let kind: &str = row.try_get(n + 4)?;
    let thread: Option<&str> = row.try_get(n + 2)?;
    Ok(Record {
        org: stored(OrgId::parse(row.try_get(n)?))?,
        rev: row.try_get(n + 1)?,
        thread: thread.map(ThreadId::parse).map(stored).transpose()?,
        seq: row.try_get(n + 3)?,
        kind: Kind::parse(kind).with_context(|| format!("unknown kind {kind:?}"))?,
        submitter: row.try_get(n + 5)?,
        id: row.try_get(n + 6)?,
        body_team: row.try_get(n + 7)?,
        body_public: row.try_get(n + 8)?,
        counts: Counts {
            customer: row.try_get(n + 9)?,
            team: row.try_get(n + 10)?,
        },
        at: row.try_get(n + 11)?,
        hash: chain(row.try_get(n + 12)?)?,
    })
}

pub(super) const CONTACT_COLUMNS: usize = 5;

macro_rules! contact_columns {
    () => {
        "c.contact, c.thread, c.person, c.name, c.phone"
    };
}
pub(super) use contact_columns;

/// Reads [`contact_columns`] from column `n` on.
pub(super) fn contact(row: &SqliteRow, n: usize) -> Result<Contact> {
    let phone: Option<&str> = row.try_get(n + 4)?;
    Ok(Contact {
        id: stored(ContactId::parse(row.try_get(n)?))?,
        thread: stored(ThreadId::parse(row.try_get(n + 1)?))?,
        person: stored(PersonId::parse(row.try_get(n + 2)?))?,
        name: row.try_get(n + 3)?,
        phone: phone.map(Phone::parse).map(stored).transpose()?,
    })
}

pub(super) const HEAD_COLUMNS: usize = 15;

macro_rules! head_columns {
    () => {
        "t.seq, t.customer_count, t.team_count, t.hash, t.active, t.last_customer, t.last_team, \
         t.customer_delivered, t.customer_read, t.customer_read_count, \
         t.team_delivered, t.team_read, t.team_read_count, t.answered, t.waiting_since"
    };
}
pub(super) use head_columns;

/// Reads [`head_columns`] from column `n` on.
pub(super) fn head(row: &SqliteRow, n: usize) -> Result<ThreadHead> {
    Ok(ThreadHead {
        seq: row.try_get(n)?,
        counts: Counts {
            customer: row.try_get(n + 1)?,
            team: row.try_get(n + 2)?,
        },
        hash: chain(row.try_get(n + 3)?)?,
        active: row.try_get(n + 4)?,
        last_customer: row.try_get(n + 5)?,
        last_team: row.try_get(n + 6)?,
        customer: Marks {
            delivered: row.try_get(n + 7)?,
            read: row.try_get(n + 8)?,
            read_count: row.try_get(n + 9)?,
        },
        team: Marks {
            delivered: row.try_get(n + 10)?,
            read: row.try_get(n + 11)?,
            read_count: row.try_get(n + 12)?,
        },
        answered: row.try_get(n + 13)?,
        waiting_since: row.try_get(n + 14)?,
    })
}

/// Reads `rev, at, hash, new, waiting` from column `n` on.
pub(super) fn org_head(row: &SqliteRow, n: usize) -> Result<OrgHead> {
    Ok(OrgHead {
        rev: row.try_get(n)?,
        at: row.try_get(n + 1)?,
        hash: chain(row.try_get(n + 2)?)?,
        new: row.try_get(n + 3)?,
        waiting: row.try_get(n + 4)?,
    })
}

pub(super) fn person_id(text: &str) -> Result<PersonId> {
    stored(PersonId::parse(text))
}

pub(super) fn sub(text: &str) -> Result<crate::domain::Sub> {
    stored(crate::domain::Sub::parse(text))
}

pub(super) fn thread_id(text: &str) -> Result<ThreadId> {
    stored(ThreadId::parse(text))
}

pub(super) fn org_id(text: &str) -> Result<OrgId> {
    stored(OrgId::parse(text))
}
