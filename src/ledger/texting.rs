//! What is known of numbers, tags and texts. The same queries serve both engines, inside a writer's
//! transaction and outside.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::photos;
use super::rows::{self, Cells, Reading, Value, contact_columns};
use crate::domain::{Attempt, AttemptId, AttemptState, Brought, Contact, Leg, OrgId, Phone, PhotoId, ThreadId};

/// Contacts with this phone. Those of the CRM come before one that was made for the number.
pub(super) async fn contacts(reading: &mut impl Reading, org: &OrgId, phone: &Phone) -> Result<Vec<Contact>> {
    let sql = concat!(
        "SELECT ",
        contact_columns!(),
        " FROM contacts c WHERE c.org = $1 AND c.phone = $2 ORDER BY c.unknown, c.contact"
    );
    let values = [Value::Text(org.as_str()), Value::Text(phone.as_str())];
    let found = reading.rows(sql, &values).await?;
    found.iter().map(|row| rows::contact(row, 0)).collect()
}

/// Whose a provisioned number is.
pub(super) async fn owner(reading: &mut impl Reading, number: &Phone) -> Result<Option<OrgId>> {
    let sql = "SELECT org FROM numbers WHERE number = $1";
    let row = reading.row(sql, &[Value::Text(number.as_str())]).await?;
    row.map(|row| rows::org_id(row.text(0)?)).transpose()
}

pub(super) async fn numbers(reading: &mut impl Reading) -> Result<Vec<(Phone, OrgId)>> {
    let found = reading
        .rows("SELECT number, org FROM numbers ORDER BY number", &[])
        .await?;
    found
        .iter()
        .map(|row| Ok((rows::phone(row.text(0)?)?, rows::org_id(row.text(1)?)?)))
        .collect()
}

/// Whether texts from the number to the phone are off.
pub(super) async fn is_off(reading: &mut impl Reading, org: &OrgId, number: &Phone, phone: &Phone) -> Result<bool> {
    let sql = "SELECT off FROM consents WHERE org = $1 AND number = $2 AND phone = $3";
    let values = [
        Value::Text(org.as_str()),
        Value::Text(number.as_str()),
        Value::Text(phone.as_str()),
    ];
    let row = reading.row(sql, &values).await?;
    Ok(row.map(|row| row.int(0)).transpose()? == Some(1))
}

/// Phones that take no texts from the org's number.
pub(super) async fn stopped(reading: &mut impl Reading, org: &OrgId) -> Result<Vec<Phone>> {
    let sql = "SELECT s.phone FROM numbers n JOIN consents s ON s.org = n.org AND s.number = n.number
               WHERE n.org = $1 AND s.off = 1 ORDER BY s.phone";
    let found = reading.rows(sql, &[Value::Text(org.as_str())]).await?;
    found.iter().map(|row| rows::phone(row.text(0)?)).collect()
}

/// The tag that a thread had last, and when it was used.
pub(super) async fn tag_of(reading: &mut impl Reading, org: &OrgId, thread: &ThreadId) -> Result<Option<(i64, i64)>> {
    let sql = "SELECT tag, at FROM tags WHERE org = $1 AND thread = $2 ORDER BY at DESC, tag LIMIT 1";
    let values = [Value::Text(org.as_str()), Value::Text(thread.as_str())];
    let row = reading.row(sql, &values).await?;
    row.map(|row| Ok((row.int(0)?, row.int(1)?))).transpose()
}

/// The thread that a tag names, and when it was used.
pub(super) async fn tagged(reading: &mut impl Reading, org: &OrgId, tag: i64) -> Result<Option<(ThreadId, i64)>> {
    let sql = "SELECT thread, at FROM tags WHERE org = $1 AND tag = $2";
    let row = reading.row(sql, &[Value::Text(org.as_str()), Value::Int(tag)]).await?;
    row.map(|row| Ok((rows::thread_id(row.text(0)?)?, row.int(1)?)))
        .transpose()
}

/// The lowest tag that was not used since.
pub(super) async fn free_tag(reading: &mut impl Reading, org: &OrgId, since: i64) -> Result<i64> {
    let sql = "SELECT MIN(c.tag) FROM (
                   SELECT 1 AS tag UNION ALL SELECT tag + 1 FROM tags WHERE org = $1 AND at >= $2) c
               WHERE NOT EXISTS (SELECT 1 FROM tags t WHERE t.org = $1 AND t.tag = c.tag AND t.at >= $2)";
    let values = [Value::Text(org.as_str()), Value::Int(since)];
    reading
        .row(sql, &values)
        .await?
        .context("there is always a next tag")?
        .int(0)
}

/// Threads that were copied to a business phone since, the last one first.
pub(super) async fn copied_since(
    reading: &mut impl Reading,
    org: &OrgId,
    phone: &Phone,
    since: i64,
) -> Result<Vec<(ThreadId, i64)>> {
    let sql = "SELECT thread, at FROM copied WHERE org = $1 AND phone = $2 AND at >= $3 ORDER BY at DESC LIMIT 20";
    let values = [
        Value::Text(org.as_str()),
        Value::Text(phone.as_str()),
        Value::Int(since),
    ];
    let found = reading.rows(sql, &values).await?;
    found
        .iter()
        .map(|row| Ok((rows::thread_id(row.text(0)?)?, row.int(1)?)))
        .collect()
}

/// Copies and answers that went to a phone since.
pub(super) async fn automatic_since(
    reading: &mut impl Reading,
    org: &OrgId,
    phone: &Phone,
    since: i64,
) -> Result<BTreeMap<AttemptId, Leg>> {
    let sql = "SELECT attempt, leg FROM outbox
               WHERE org = $1 AND recipient = $2 AND queued_at > $3 AND leg <> 'customer' AND part = 1 AND nth = 1
               LIMIT 100";
    let values = [
        Value::Text(org.as_str()),
        Value::Text(phone.as_str()),
        Value::Int(since),
    ];
    let found = reading.rows(sql, &values).await?;
    found
        .iter()
        .map(|row| Ok((attempt_id(row.text(0)?)?, leg(row.text(1)?)?)))
        .collect()
}

macro_rules! attempt_columns {
    () => {
        "org, attempt, thread, of, leg, rev, part, parts, nth, sender, recipient, body, \
         state, due_at, queued_at, called_at, sid, media, counted, linked"
    };
}
pub(super) use attempt_columns;

/// Reads [`attempt_columns`].
pub(super) fn attempt(row: &impl Cells) -> Result<Attempt> {
    let thread = row.text_if_any(2)?.map(rows::thread_id).transpose()?;
    let state = row.text(12)?;
    Ok(Attempt {
        org: rows::org_id(row.text(0)?)?,
        id: attempt_id(row.text(1)?)?,
        message: thread.zip(row.int_if_any(3)?),
        leg: leg(row.text(4)?)?,
        rev: row.int(5)?,
        part: u32::try_from(row.int(6)?)?,
        parts: u32::try_from(row.int(7)?)?,
        nth: u32::try_from(row.int(8)?)?,
        from: rows::phone(row.text(9)?)?,
        to: rows::phone(row.text(10)?)?,
        body: row.text(11)?.to_owned(),
        state: AttemptState::parse(state).with_context(|| format!("unknown state {state:?}"))?,
        due_at: row.int(13)?,
        queued_at: row.int(14)?,
        called_at: row.int_if_any(15)?,
        sid: row.text_if_any(16)?.map(str::to_owned),
        media: row
            .text(17)?
            .split_whitespace()
            .map(photos::photo_id)
            .collect::<Result<_>>()?,
        counted: u32::try_from(row.int(18)?)?,
        linked: row.int(19)? == 1,
    })
}

/// The photos of an attempt as they are stored.
pub(super) fn media(media: &[PhotoId]) -> String {
    let ids: Vec<_> = media.iter().map(|id| id.as_str()).collect();
    ids.join(" ")
}

/// What was fetched goes along, unless a courier was quicker: then the text has counted it.
pub(super) async fn bring(writing: &mut impl Reading, id: &AttemptId, brought: &Brought) -> Result<()> {
    let sql = "UPDATE outbox SET media = $2, counted = $3, due_at = $4
               WHERE attempt = $1 AND state = 'due' AND called_at IS NULL RETURNING attempt";
    let media = media(&brought.media);
    let values = [
        Value::Text(id.as_str()),
        Value::Text(&media),
        Value::Int(brought.counted.into()),
        Value::Int(brought.due_at),
    ];
    writing.rows(sql, &values).await?;
    Ok(())
}

fn attempt_id(text: &str) -> Result<AttemptId> {
    AttemptId::parse(text).context("an attempt's id is a UUID")
}

fn leg(text: &str) -> Result<Leg> {
    Leg::parse(text).with_context(|| format!("unknown leg {text:?}"))
}

/// One attempt, of whatever org.
pub(super) async fn attempt_by_id(reading: &mut impl Reading, id: &AttemptId) -> Result<Option<Attempt>> {
    let sql = concat!("SELECT ", attempt_columns!(), " FROM outbox WHERE attempt = $1");
    let row = reading.row(sql, &[Value::Text(id.as_str())]).await?;
    row.map(|row| attempt(&row)).transpose()
}

/// The attempt that Twilio knows by this id.
pub(super) async fn attempt_by_sid(reading: &mut impl Reading, sid: &str) -> Result<Option<Attempt>> {
    let sql = concat!("SELECT ", attempt_columns!(), " FROM outbox WHERE sid = $1");
    let row = reading.row(sql, &[Value::Text(sid)]).await?;
    row.map(|row| attempt(&row)).transpose()
}

/// All attempts at a message's texts.
pub(super) async fn attempts_of(
    reading: &mut impl Reading,
    org: &OrgId,
    thread: &ThreadId,
    of: i64,
) -> Result<Vec<Attempt>> {
    let sql = concat!(
        "SELECT ",
        attempt_columns!(),
        " FROM outbox WHERE org = $1 AND thread = $2 AND of = $3"
    );
    let values = [Value::Text(org.as_str()), Value::Text(thread.as_str()), Value::Int(of)];
    let found = reading.rows(sql, &values).await?;
    found.iter().map(attempt).collect()
}
