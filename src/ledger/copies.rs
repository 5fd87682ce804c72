//! Whole records of one thread, for what is copied, routed and timed by them. The same queries serve both
//! engines.

use anyhow::Result;

use super::rows::{self, Cells, Reading, Value, record_columns};
use crate::domain::{ContactId, OrgId, Phone, Record, ThreadId};

/// What was said in a thread, oldest first, at most `most`.
pub(super) async fn said(
    reading: &mut impl Reading,
    org: &OrgId,
    thread: &ThreadId,
    most: usize,
) -> Result<Vec<Record>> {
    let sql = concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l WHERE l.org = $1 AND l.thread = $2 AND l.kind IN ('message', 'note', 'handoff', 'marker', 'media')
          ORDER BY l.rev LIMIT $3"
    );
    let values = [
        Value::Text(org.as_str()),
        Value::Text(thread.as_str()),
        Value::Int(most as i64),
    ];
    let found = reading.rows(sql, &values).await?;
    found.iter().map(|row| rows::record(row, 0)).collect()
}

/// What was fetched of a message's MMS until now.
pub(super) async fn media_of(
    reading: &mut impl Reading,
    org: &OrgId,
    thread: &ThreadId,
    of: i64,
) -> Result<Vec<Record>> {
    let sql = concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l WHERE l.org = $1 AND l.thread = $2 AND l.seq > $3 AND l.kind = 'media'"
    );
    let values = [Value::Text(org.as_str()), Value::Text(thread.as_str()), Value::Int(of)];
    let found = reading.rows(sql, &values).await?;
    found.iter().map(|row| rows::record(row, 0)).collect()
}

/// The public record of a thread at a seq.
pub(super) async fn at_seq(
    reading: &mut impl Reading,
    org: &OrgId,
    thread: &ThreadId,
    seq: i64,
) -> Result<Option<Record>> {
    let sql = concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l WHERE l.org = $1 AND l.thread = $2 AND l.seq = $3"
    );
    let values = [Value::Text(org.as_str()), Value::Text(thread.as_str()), Value::Int(seq)];
    let row = reading.row(sql, &values).await?;
    row.map(|row| rows::record(&row, 0)).transpose()
}

pub(super) async fn at_rev(reading: &mut impl Reading, org: &OrgId, rev: i64) -> Result<Option<Record>> {
    let sql = concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l WHERE l.org = $1 AND l.rev = $2"
    );
    let row = reading.row(sql, &[Value::Text(org.as_str()), Value::Int(rev)]).await?;
    row.map(|row| rows::record(&row, 0)).transpose()
}

/// The thread that an unrouted text was routed to by hand.
pub(super) async fn routed(reading: &mut impl Reading, org: &OrgId, unrouted: i64) -> Result<Option<ThreadId>> {
    let sql = "SELECT thread FROM routed WHERE org = $1 AND unrouted = $2";
    let values = [Value::Text(org.as_str()), Value::Int(unrouted)];
    let row = reading.row(sql, &values).await?;
    row.map(|row| rows::thread_id(row.text(0)?)).transpose()
}

/// Contacts whose number a phone became when its thread was attached.
pub(super) async fn attached(reading: &mut impl Reading, org: &OrgId, phone: &Phone) -> Result<Vec<ContactId>> {
    let sql = "SELECT contact FROM phones WHERE org = $1 AND phone = $2";
    let values = [Value::Text(org.as_str()), Value::Text(phone.as_str())];
    let found = reading.rows(sql, &values).await?;
    found.iter().map(|row| rows::contact_id(row.text(0)?)).collect()
}
