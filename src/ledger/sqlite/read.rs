//! Reading. What must fit together is read in one snapshot.

use std::sync::Arc;

use anyhow::Result;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::rows::{self, CONTACT_COLUMNS, HEAD_COLUMNS, contact_columns, head_columns, record_columns};
use crate::domain::{ContactId, OrgId, Side, Sub, ThreadId, View};
use crate::ledger::{
    Admission, Badge, CustomerBadge, Inbox, InboxFilter, InboxRow, OrgHead, Page, Reader, Slice, TeamBadge,
    ThreadState, ViewHead,
};

pub(super) async fn log_id(pool: &SqlitePool) -> Result<String> {
    let row = sqlx::query("SELECT id FROM log_identity").fetch_one(pool).await?;
    Ok(row.try_get(0)?)
}

pub(super) async fn admit(
    pool: &SqlitePool,
    org: &OrgId,
    sub: &Sub,
    contact: Option<&ContactId>,
) -> Result<Option<Admission>> {
    let row = sqlx::query(concat!(
        "SELECT o.settings, p.person, r.before, ",
        contact_columns!(),
        " FROM orgs o
          LEFT JOIN people p ON p.org = o.org AND p.sub = $2
          LEFT JOIN revocations r ON r.org = o.org AND r.sub = $2
          LEFT JOIN contacts c ON c.org = o.org AND c.contact = $3
          WHERE o.org = $1"
    ))
    .bind(org.as_str())
    .bind(sub.as_str())
    .bind(contact.map(|contact| contact.as_str()))
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        let settings: &str = row.try_get(0)?;
        let person: Option<&str> = row.try_get(1)?;
        let found: Option<&str> = row.try_get(3)?;
        Ok(Admission {
            settings: serde_json::from_str(settings)?,
            contact: found.map(|_| rows::contact(&row, 3)).transpose()?,
            person: person.map(rows::person_id).transpose()?,
            revoked_before: row.try_get(2)?,
        })
    })
    .transpose()
}

pub(super) async fn lists_origin(pool: &SqlitePool, origin: &str) -> Result<bool> {
    let row =
        sqlx::query("SELECT EXISTS (SELECT 1 FROM orgs o, json_each(o.settings, '$.origins') j WHERE j.value = $1)")
            .bind(origin)
            .fetch_one(pool)
            .await?;
    Ok(row.try_get(0)?)
}

pub(super) async fn heads(pool: &SqlitePool, orgs: &[OrgId]) -> Result<Vec<(OrgId, i64)>> {
    sqlx::query("SELECT h.org, h.rev FROM json_each($1) j JOIN heads h ON h.org = j.value")
        .bind(serde_json::to_string(orgs)?)
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| Ok((rows::org_id(row.try_get(0)?)?, row.try_get(1)?)))
        .collect()
}

pub(super) async fn org_head(connection: &mut SqliteConnection, org: &OrgId) -> Result<Option<OrgHead>> {
    let row = sqlx::query("SELECT rev, at, hash, new, waiting FROM heads WHERE org = $1")
        .bind(org.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| rows::org_head(&row, 0)).transpose()
}

pub(super) async fn head(pool: &SqlitePool, view: &View) -> Result<Option<ViewHead>> {
    let mut snapshot = pool.begin().await?;
    let Some(org) = org_head(&mut snapshot, view.org()).await? else {
        return Ok(None);
    };
    Ok(match view {
        View::Team { .. } => Some(ViewHead {
            rev: org.rev,
            number: org.rev,
            badge: Badge::Team(TeamBadge {
                new: org.new,
                waiting: org.waiting,
                as_of: org.rev,
            }),
        }),
        View::Customer { org: id, thread } => {
            let row = sqlx::query(concat!(
                "SELECT ",
                head_columns!(),
                " FROM threads t WHERE t.org = $1 AND t.thread = $2"
            ))
            .bind(id.as_str())
            .bind(thread.as_str())
            .fetch_optional(&mut *snapshot)
            .await?;
            row.map(|row| rows::head(&row, 0)).transpose()?.map(|head| ViewHead {
                rev: org.rev,
                number: head.seq,
                badge: Badge::Customer(CustomerBadge {
                    unread: head.unread(Side::Customer),
                    as_of: head.seq,
                }),
            })
        }
    })
}

pub(super) async fn after(pool: &SqlitePool, view: &View, cursor: i64, limit: u32) -> Result<Slice> {
    let mut snapshot = pool.begin().await?;
    let head = org_head(&mut snapshot, view.org()).await?.unwrap_or_default().rev;
    let found = match view {
        View::Team { org } => {
            sqlx::query(concat!(
                "SELECT ",
                record_columns!("l"),
                " FROM log l WHERE l.org = $1 AND l.rev > $2 ORDER BY l.rev LIMIT $3"
            ))
            .bind(org.as_str())
            .bind(cursor)
            .bind(limit)
            .fetch_all(&mut *snapshot)
            .await?
        }
        View::Customer { org, thread } => {
            sqlx::query(concat!(
                "SELECT ",
                record_columns!("l"),
                " FROM log l
                 WHERE l.org = $1 AND l.thread = $2 AND l.seq > $3 ORDER BY l.seq LIMIT $4"
            ))
            .bind(org.as_str())
            .bind(thread.as_str())
            .bind(cursor)
            .bind(limit)
            .fetch_all(&mut *snapshot)
            .await?
        }
    };
    let records = found
        .iter()
        .map(|row| rows::record(row, 0).map(Arc::new))
        .collect::<Result<Vec<_>>>()?;
    let complete_to = match records.last() {
        Some(last) if records.len() == limit as usize => last.rev,
        _ => head,
    };
    Ok(Slice { records, complete_to })
}

pub(super) async fn history(
    pool: &SqlitePool,
    view: &View,
    thread: &ThreadId,
    before: Option<i64>,
    limit: u32,
) -> Result<Page> {
    let mut snapshot = pool.begin().await?;
    // One more than asked for tells whether there is anything older.
    let (found, as_of) = match view {
        View::Team { org } => {
            let found = sqlx::query(concat!(
                "SELECT ",
                record_columns!("l"),
                " FROM log l
                 WHERE l.org = $1 AND l.thread = $2 AND l.rev < $3 ORDER BY l.rev DESC LIMIT $4"
            ))
            .bind(org.as_str())
            .bind(thread.as_str())
            .bind(before.unwrap_or(i64::MAX))
            .bind(limit + 1)
            .fetch_all(&mut *snapshot)
            .await?;
            (found, org_head(&mut snapshot, org).await?.unwrap_or_default().rev)
        }
        View::Customer { org, .. } => {
            let found = sqlx::query(concat!(
                "SELECT ",
                record_columns!("l"),
                " FROM log l
                 WHERE l.org = $1 AND l.thread = $2 AND l.seq < $3 ORDER BY l.seq DESC LIMIT $4"
            ))
            .bind(org.as_str())
            .bind(thread.as_str())
            .bind(before.unwrap_or(i64::MAX))
            .bind(limit + 1)
            .fetch_all(&mut *snapshot)
            .await?;
            let head = sqlx::query("SELECT seq FROM threads WHERE org = $1 AND thread = $2")
                .bind(org.as_str())
                .bind(thread.as_str())
                .fetch_optional(&mut *snapshot)
                .await?;
            (found, head.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
        }
    };
    let records = found
        .iter()
        .take(limit as usize)
        .map(|row| rows::record(row, 0).map(Arc::new))
        .collect::<Result<Vec<_>>>()?;
    Ok(Page {
        more: found.len() > records.len(),
        records,
        as_of,
    })
}

macro_rules! inbox_query {
    ($filter:literal) => {
        concat!(
            "SELECT ",
            contact_columns!(),
            ", ",
            head_columns!(),
            ", ",
            record_columns!("l"),
            " FROM threads t
              JOIN contacts c ON c.org = t.org AND c.thread = t.thread
              LEFT JOIN log l ON l.org = t.org AND l.rev = t.active
              WHERE t.org = $1 AND t.active > 0 AND t.active < $2 ",
            $filter,
            " ORDER BY t.active DESC LIMIT $3"
        )
    };
}

pub(super) async fn inbox(
    pool: &SqlitePool,
    org: &OrgId,
    filter: InboxFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Inbox> {
    let mut snapshot = pool.begin().await?;
    let as_of = org_head(&mut snapshot, org).await?.unwrap_or_default().rev;
    let query = match filter {
        InboxFilter::All => sqlx::query(inbox_query!("")),
        InboxFilter::New => sqlx::query(inbox_query!("AND t.customer_count > t.team_read_count")),
        InboxFilter::Waiting => sqlx::query(inbox_query!("AND t.waiting_since IS NOT NULL")),
    };
    let rows = query
        .bind(org.as_str())
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(&mut *snapshot)
        .await?
        .iter()
        .map(|row| {
            let last: Option<i64> = row.try_get(CONTACT_COLUMNS + HEAD_COLUMNS + 1)?;
            Ok(InboxRow {
                contact: rows::contact(row, 0)?,
                head: rows::head(row, CONTACT_COLUMNS)?,
                last: last
                    .map(|_| rows::record(row, CONTACT_COLUMNS + HEAD_COLUMNS).map(Arc::new))
                    .transpose()?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Inbox { rows, as_of })
}

pub(super) async fn thread(pool: &SqlitePool, org: &OrgId, thread: &ThreadId) -> Result<Option<ThreadState>> {
    let mut snapshot = pool.begin().await?;
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
    .fetch_optional(&mut *snapshot)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let readers = sqlx::query(
        "SELECT r.sub, p.name, r.up_to FROM reads r JOIN people p ON p.org = r.org AND p.sub = r.sub
         WHERE r.org = $1 AND r.thread = $2 ORDER BY r.up_to DESC, r.sub",
    )
    .bind(org.as_str())
    .bind(thread.as_str())
    .fetch_all(&mut *snapshot)
    .await?
    .iter()
    .map(|row| {
        Ok(Reader {
            sub: rows::sub(row.try_get(0)?)?,
            name: row.try_get(1)?,
            up_to: row.try_get(2)?,
        })
    })
    .collect::<Result<Vec<_>>>()?;
    Ok(Some(ThreadState {
        contact: rows::contact(&row, 0)?,
        head: rows::head(&row, CONTACT_COLUMNS)?,
        readers,
        rev: org_head(&mut snapshot, org).await?.unwrap_or_default().rev,
    }))
}
