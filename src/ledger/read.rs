//! Reading, the same for every engine. Who needs what fits together hands in a connection that is in
//! a snapshot.

use std::sync::Arc;

use anyhow::Result;
use serde::Deserialize;

use super::rows::{
    self, CONTACT_COLUMNS, Cells, HEAD_COLUMNS, Reading, Value, contact_columns, head_columns, record_columns,
};
use super::{
    Admission, Badge, CustomerBadge, Inbox, InboxFilter, InboxRow, OrgHead, Page, Reader, Slice, TeamBadge,
    ThreadState, ViewHead, texting,
};
use crate::domain::{ContactId, OrgId, Record, Seek, Side, Sub, ThreadId, View};

pub(super) async fn admit(
    reading: &mut impl Reading,
    org: &OrgId,
    sub: &Sub,
    contact: Option<&ContactId>,
) -> Result<Option<Admission>> {
    let sql = concat!(
        "SELECT o.settings, p.person, r.before, ",
        contact_columns!(),
        " FROM orgs o
          LEFT JOIN people p ON p.org = o.org AND p.sub = $2
          LEFT JOIN revocations r ON r.org = o.org AND r.sub = $2
          LEFT JOIN contacts c ON c.org = o.org AND c.contact = $3
          WHERE o.org = $1"
    );
    let values = [
        Value::Text(org.as_str()),
        Value::Text(sub.as_str()),
        Value::TextIfAny(contact.map(|contact| contact.as_str())),
    ];
    let Some(row) = reading.row(sql, &values).await? else {
        return Ok(None);
    };
    let found = row.text_if_any(3)?.is_some();
    Ok(Some(Admission {
        settings: serde_json::from_str(row.text(0)?)?,
        contact: found.then(|| rows::contact(&row, 3)).transpose()?,
        person: row.text_if_any(1)?.map(rows::person_id).transpose()?,
        revoked_before: row.int_if_any(2)?,
    }))
}

/// All of an org's settings that is looked at for every org: what else a newer node may have stored in one hides
/// none of the others.
#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    origins: Vec<String>,
}

pub(super) async fn sites(reading: &mut impl Reading) -> Result<Vec<(OrgId, Vec<String>)>> {
    // Whoever lists none does not have the field, so that most rows are passed over unread.
    let sql = r#"SELECT org, settings FROM orgs WHERE settings LIKE '%"origins":%'"#;
    let mut sites = Vec::new();
    for row in reading.rows(sql, &[]).await? {
        let org = row.text(0)?;
        match serde_json::from_str::<Listing>(row.text(1)?) {
            Ok(listing) => sites.push((rows::org_id(org)?, listing.origins)),
            Err(error) => tracing::warn!(org, %error, "an org's sites cannot be read: they are nobody's"),
        }
    }
    Ok(sites)
}

/// `sql` names the orgs in its own way, each engine having another word for a list.
pub(super) async fn heads(reading: &mut impl Reading, sql: &'static str, orgs: &[OrgId]) -> Result<Vec<(OrgId, i64)>> {
    let list = serde_json::to_string(orgs)?;
    let found = reading.rows(sql, &[Value::Text(&list)]).await?;
    found
        .iter()
        .map(|row| Ok((rows::org_id(row.text(0)?)?, row.int(1)?)))
        .collect()
}

pub(super) async fn org_head(reading: &mut impl Reading, org: &OrgId) -> Result<Option<OrgHead>> {
    let sql = "SELECT rev, at, hash, new, waiting FROM heads WHERE org = $1";
    let row = reading.row(sql, &[Value::Text(org.as_str())]).await?;
    row.map(|row| rows::org_head(&row, 0)).transpose()
}

pub(super) async fn head(snapshot: &mut impl Reading, view: &View) -> Result<Option<ViewHead>> {
    let Some(org) = org_head(snapshot, view.org()).await? else {
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
            let sql = concat!(
                "SELECT ",
                head_columns!(),
                " FROM threads t WHERE t.org = $1 AND t.thread = $2"
            );
            let values = [Value::Text(id.as_str()), Value::Text(thread.as_str())];
            let row = snapshot.row(sql, &values).await?;
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

pub(super) async fn after(snapshot: &mut impl Reading, view: &View, cursor: i64, limit: u32) -> Result<Slice> {
    let head = org_head(snapshot, view.org()).await?.unwrap_or_default().rev;
    let (cursor, most) = (Value::Int(cursor), Value::Int(limit.into()));
    let found = match view {
        View::Team { org } => {
            let sql = concat!(
                "SELECT ",
                record_columns!("l"),
                " FROM log l WHERE l.org = $1 AND l.rev > $2 ORDER BY l.rev LIMIT $3"
            );
            snapshot.rows(sql, &[Value::Text(org.as_str()), cursor, most]).await?
        }
        View::Customer { org, thread } => {
            let sql = concat!(
                "SELECT ",
                record_columns!("l"),
                " FROM log l
                 WHERE l.org = $1 AND l.thread = $2 AND l.seq > $3 ORDER BY l.seq LIMIT $4"
            );
            let values = [Value::Text(org.as_str()), Value::Text(thread.as_str()), cursor, most];
            snapshot.rows(sql, &values).await?
        }
    };
    let records = shared(&found)?;
    let complete_to = match records.last() {
        Some(last) if records.len() == limit as usize => last.rev,
        _ => head,
    };
    Ok(Slice { records, complete_to })
}

macro_rules! neighbours {
    ($which:literal) => {
        concat!(
            "SELECT ",
            record_columns!("l"),
            " FROM log l WHERE l.org = $1 AND l.thread = $2 AND ",
            $which,
            " LIMIT $4"
        )
    };
}

pub(super) async fn history(
    snapshot: &mut impl Reading,
    view: &View,
    thread: &ThreadId,
    seek: Seek,
    limit: u32,
) -> Result<Page> {
    // What is older lies below the edge, what is newer from there on.
    let (edge, older, newer) = match seek {
        Seek::Newest => (i64::MAX, limit, 0),
        Seek::Before(number) => (number, limit, 0),
        Seek::After(number) => (number.saturating_add(1), 0, limit),
        Seek::Around(number) => (number.saturating_add(1), limit - limit / 2, limit / 2),
    };
    let (below, above) = match view {
        View::Team { .. } => (
            neighbours!("l.rev < $3 ORDER BY l.rev DESC"),
            neighbours!("l.rev >= $3 ORDER BY l.rev"),
        ),
        View::Customer { .. } => (
            neighbours!("l.seq < $3 ORDER BY l.seq DESC"),
            neighbours!("l.seq >= $3 ORDER BY l.seq"),
        ),
    };
    let org = view.org();
    let place = [Value::Text(org.as_str()), Value::Text(thread.as_str())];
    let mut side = async |sql, limit: u32| {
        // One more than asked for tells whether there is more.
        let values = [place[0], place[1], Value::Int(edge), Value::Int(i64::from(limit) + 1)];
        let mut found = shared(&snapshot.rows(sql, &values).await?)?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        anyhow::Ok((found, more))
    };
    let (below, older) = side(below, older).await?;
    let (mut records, newer) = side(above, newer).await?;
    records.reverse();
    let asked = records.len().min((records.len() + below.len()).saturating_sub(1));
    records.extend(below);
    let as_of = match view {
        View::Team { .. } => org_head(snapshot, org).await?.unwrap_or_default().rev,
        View::Customer { .. } => {
            let sql = "SELECT seq FROM threads WHERE org = $1 AND thread = $2";
            let head = snapshot.row(sql, &place).await?;
            head.map(|row| row.int(0)).transpose()?.unwrap_or(0)
        }
    };
    let number = |record: Option<&Arc<Record>>| record.and_then(|record| view.number(record));
    Ok(Page {
        before: older.then(|| number(records.last()).unwrap_or(edge)),
        after: newer.then(|| number(records.first()).unwrap_or(edge.saturating_sub(1))),
        records,
        asked,
        as_of,
    })
}

pub(super) async fn unrouted(
    snapshot: &mut impl Reading,
    org: &OrgId,
    before: Option<i64>,
    limit: u32,
) -> Result<Page> {
    let sql = concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l
         WHERE l.org = $1 AND l.kind = 'unrouted' AND l.rev < $2
           AND NOT EXISTS (SELECT 1 FROM routed r WHERE r.org = l.org AND r.unrouted = l.rev)
         ORDER BY l.rev DESC LIMIT $3"
    );
    let values = [
        Value::Text(org.as_str()),
        Value::Int(before.unwrap_or(i64::MAX)),
        Value::Int(i64::from(limit) + 1),
    ];
    let found = snapshot.rows(sql, &values).await?;
    let mut records = shared(&found)?;
    records.truncate(limit as usize);
    let more = found.len() > records.len();
    Ok(Page {
        before: records.last().filter(|_| more).map(|record| record.rev),
        after: None,
        records,
        asked: 0,
        as_of: org_head(snapshot, org).await?.unwrap_or_default().rev,
    })
}

fn shared(found: &[impl Cells]) -> Result<Vec<Arc<Record>>> {
    found.iter().map(|row| rows::record(row, 0).map(Arc::new)).collect()
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
    snapshot: &mut impl Reading,
    org: &OrgId,
    filter: InboxFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Inbox> {
    let as_of = org_head(snapshot, org).await?.unwrap_or_default().rev;
    let sql = match filter {
        InboxFilter::All => inbox_query!(""),
        InboxFilter::New => inbox_query!("AND t.customer_count > t.team_read_count"),
        InboxFilter::Waiting => inbox_query!("AND t.waiting_since IS NOT NULL"),
        InboxFilter::Failed => inbox_query!("AND t.failed > 0"),
        InboxFilter::Handoff => inbox_query!("AND t.handoff > t.answered"),
    };
    let values = [
        Value::Text(org.as_str()),
        Value::Int(before.unwrap_or(i64::MAX)),
        Value::Int(limit.into()),
    ];
    let found = snapshot.rows(sql, &values).await?;
    let rows = found
        .iter()
        .map(|row| {
            let last = row.int_if_any(CONTACT_COLUMNS + HEAD_COLUMNS + 1)?;
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

pub(super) async fn thread(snapshot: &mut impl Reading, org: &OrgId, thread: &ThreadId) -> Result<Option<ThreadState>> {
    let values = [Value::Text(org.as_str()), Value::Text(thread.as_str())];
    let sql = concat!(
        "SELECT ",
        contact_columns!(),
        ", ",
        head_columns!(),
        " FROM threads t JOIN contacts c ON c.org = t.org AND c.thread = t.thread
          WHERE t.org = $1 AND t.thread = $2"
    );
    let Some(row) = snapshot.row(sql, &values).await? else {
        return Ok(None);
    };
    let sql = "SELECT r.sub, p.name, r.up_to FROM reads r JOIN people p ON p.org = r.org AND p.sub = r.sub
               WHERE r.org = $1 AND r.thread = $2 ORDER BY r.up_to DESC, r.sub";
    let readers = snapshot
        .rows(sql, &values)
        .await?
        .iter()
        .map(|row| {
            Ok(Reader {
                sub: rows::sub(row.text(0)?)?,
                name: row.text(1)?.to_owned(),
                up_to: row.int(2)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let sql = "SELECT s.off FROM contacts c JOIN numbers n ON n.org = c.org
               JOIN consents s ON s.org = c.org AND s.number = n.number AND s.phone = c.phone
               WHERE c.org = $1 AND c.thread = $2";
    let consent = snapshot.row(sql, &values).await?;
    let texts_off = consent.map(|row| row.int(0)).transpose()? == Some(1);
    let tag = texting::tag_of(snapshot, org, thread).await?;
    Ok(Some(ThreadState {
        contact: rows::contact(&row, 0)?,
        head: rows::head(&row, CONTACT_COLUMNS)?,
        readers,
        texts_off,
        tag: tag.map(|(tag, _)| tag),
        rev: org_head(snapshot, org).await?.unwrap_or_default().rev,
    }))
}
