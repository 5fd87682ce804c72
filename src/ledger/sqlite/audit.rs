//! Reading everything, for `verify`.

use anyhow::{Context, Result};
use sqlx::{Row, SqlitePool};

use super::read::org_head;
use super::rows::{self, contact_columns, head_columns, record_columns};
use crate::domain::{OrgId, Record};
use crate::ledger::Projections;

pub(super) async fn orgs(pool: &SqlitePool) -> Result<Vec<OrgId>> {
    sqlx::query("SELECT org FROM heads UNION SELECT org FROM orgs UNION SELECT DISTINCT org FROM log ORDER BY 1")
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| rows::org_id(row.try_get(0)?))
        .collect()
}

pub(super) async fn records(pool: &SqlitePool, org: &OrgId, after: i64, limit: u32) -> Result<Vec<Record>> {
    sqlx::query(concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l WHERE l.org = $1 AND l.rev > $2 ORDER BY l.rev LIMIT $3"
    ))
    .bind(org.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await?
    .iter()
    .map(|row| rows::record(row, 0))
    .collect()
}

pub(super) async fn projections(pool: &SqlitePool, org: &OrgId) -> Result<Projections> {
    let mut snapshot = pool.begin().await?;
    let mut stored = Projections {
        head: org_head(&mut snapshot, org).await?.unwrap_or_default(),
        ..Projections::default()
    };
    let settings = sqlx::query("SELECT settings FROM orgs WHERE org = $1")
        .bind(org.as_str())
        .fetch_optional(&mut *snapshot)
        .await?;
    if let Some(row) = settings {
        let text: &str = row.try_get(0)?;
        stored.settings = Some(serde_json::from_str(text).context("an org's settings")?);
    }
    let contacts = sqlx::query(concat!(
        "SELECT ",
        contact_columns!(),
        " FROM contacts c WHERE c.org = $1"
    ))
    .bind(org.as_str())
    .fetch_all(&mut *snapshot)
    .await?;
    for row in &contacts {
        let contact = rows::contact(row, 0)?;
        stored.contacts.insert(contact.id.clone(), contact);
    }
    let threads = sqlx::query(concat!(
        "SELECT t.thread, ",
        head_columns!(),
        " FROM threads t WHERE t.org = $1"
    ))
    .bind(org.as_str())
    .fetch_all(&mut *snapshot)
    .await?;
    for row in &threads {
        stored
            .threads
            .insert(rows::thread_id(row.try_get(0)?)?, rows::head(row, 1)?);
    }
    let people = sqlx::query("SELECT sub, person, name FROM people WHERE org = $1")
        .bind(org.as_str())
        .fetch_all(&mut *snapshot)
        .await?;
    for row in &people {
        let person = rows::person_id(row.try_get(1)?)?;
        stored
            .people
            .insert(rows::sub(row.try_get(0)?)?, (person, row.try_get(2)?));
    }
    let reads = sqlx::query("SELECT thread, sub, up_to FROM reads WHERE org = $1")
        .bind(org.as_str())
        .fetch_all(&mut *snapshot)
        .await?;
    for row in &reads {
        let key = (rows::thread_id(row.try_get(0)?)?, rows::sub(row.try_get(1)?)?);
        stored.reads.insert(key, row.try_get(2)?);
    }
    let revocations = sqlx::query("SELECT sub, before FROM revocations WHERE org = $1")
        .bind(org.as_str())
        .fetch_all(&mut *snapshot)
        .await?;
    for row in &revocations {
        stored.revocations.insert(rows::sub(row.try_get(0)?)?, row.try_get(1)?);
    }
    Ok(stored)
}
