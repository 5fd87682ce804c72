//! What was uploaded, and what is to be fetched of MMS. An upload is known here before anybody sends it;
//! that it was sent is appended to the log, and is then for ever.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;

use super::Result;
use super::rows::{self, Cells, Reading, Value};
use crate::domain::{Missing, OrgId, PhotoId, Place, Upload};

/// The contract of uploads. One suite of tests holds every engine to it.
///
/// - **For ever.** What was sent is never removed, by any session.
/// - **Once.** What is being removed cannot be sent any more.
#[async_trait]
pub trait Photos: Send + Sync + 'static {
    /// An upload that nobody has sent yet.
    async fn keep(&self, upload: &Upload) -> Result<()>;

    /// How many uploads somebody has not sent, and their bytes.
    async fn unsent(&self, org: &OrgId, uploader: &str) -> Result<(u64, u64)>;

    /// One, of whatever org, unless it is being removed.
    async fn photo(&self, id: &PhotoId) -> Result<Option<Upload>>;

    /// At most `most` uploads that nobody sent within `age`, and from now on nobody can.
    async fn expire(&self, age: Duration, most: u32) -> Result<Vec<PhotoId>>;

    /// Its files are removed.
    async fn forget(&self, id: &PhotoId) -> Result<()>;

    /// At most `most` parts of MMS whose time has come, for `lease`.
    async fn missing(&self, most: u32, lease: Duration) -> Result<Vec<Missing>>;

    /// One could not be fetched now; it is tried again after so long.
    async fn postpone_missing(&self, missing: &Missing, wait: Duration) -> Result<()>;
}

macro_rules! upload_columns {
    () => {
        "org, photo, uploader, width, height, bytes, sha256, content_type, thread, seq"
    };
}
pub(super) use upload_columns;

macro_rules! missing_columns {
    () => {
        "org, source, message, thread, of, part, content_type, tries"
    };
}
pub(super) use missing_columns;

/// An engine as the keeper of uploads. What differs is how it tells the time, and how it holds a row, or
/// passes over it.
macro_rules! photos {
    ($engine:ty, $now:literal, $hold:literal, $skip:literal) => {
        pub(super) const STATEMENTS: crate::ledger::photos::Statements = crate::ledger::photos::Statements {
            keep: concat!(
                "INSERT INTO photos (org, photo, uploader, width, height, bytes, sha256, content_type, state, at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'uploaded', ",
                $now,
                ") RETURNING photo"
            ),
            of_org: concat!(
                "SELECT ",
                crate::ledger::photos::upload_columns!(),
                " FROM photos WHERE org = $1 AND photo = $2 AND state <> 'going'",
                $hold
            ),
            // Materialized, as the outbox's claim is, and for its reason.
            expire: concat!(
                "WITH c AS MATERIALIZED (
                     SELECT p.photo AS chosen FROM photos p WHERE p.state <> 'sent' AND p.at <= ",
                $now,
                " - $1 ORDER BY p.at LIMIT $2",
                $skip,
                ")
                 UPDATE photos SET state = 'going' FROM c WHERE photo = chosen RETURNING photo"
            ),
            missing: concat!(
                "WITH c AS MATERIALIZED (
                     SELECT m.org AS o, m.source AS s FROM missing m WHERE m.due_at <= ",
                $now,
                " ORDER BY m.due_at LIMIT $1",
                $skip,
                ")
                 UPDATE missing SET tries = tries + 1, due_at = ",
                $now,
                " + $2 FROM c
                 WHERE org = o AND source = s RETURNING ",
                crate::ledger::photos::missing_columns!()
            ),
            postpone: concat!(
                "UPDATE missing SET due_at = ",
                $now,
                " + $3 WHERE org = $1 AND source = $2 RETURNING source"
            ),
        };

        #[async_trait::async_trait]
        impl Photos for $engine {
            async fn keep(&self, upload: &Upload) -> Result<()> {
                Ok(STATEMENTS.keep(&mut *self.courier().await?, upload).await?)
            }

            async fn unsent(&self, org: &OrgId, uploader: &str) -> Result<(u64, u64)> {
                Ok(photos::unsent(&mut *self.reader().await?, org, uploader).await?)
            }

            async fn photo(&self, id: &PhotoId) -> Result<Option<Upload>> {
                Ok(photos::photo(&mut *self.reader().await?, id).await?)
            }

            async fn expire(&self, age: Duration, most: u32) -> Result<Vec<PhotoId>> {
                Ok(STATEMENTS.expire(&mut *self.courier().await?, age, most).await?)
            }

            async fn forget(&self, id: &PhotoId) -> Result<()> {
                Ok(photos::forget(&mut *self.courier().await?, id).await?)
            }

            async fn missing(&self, most: u32, lease: Duration) -> Result<Vec<Missing>> {
                Ok(STATEMENTS
                    .missing(&mut *self.courier().await?, most, lease)
                    .await?)
            }

            async fn postpone_missing(&self, missing: &Missing, wait: Duration) -> Result<()> {
                Ok(STATEMENTS
                    .postpone(&mut *self.courier().await?, missing, wait)
                    .await?)
            }
        }
    };
}
pub(super) use photos;

pub(super) struct Statements {
    pub keep: &'static str,
    /// For the clerk: nobody else changes it until the transaction ends.
    pub of_org: &'static str,
    pub expire: &'static str,
    pub missing: &'static str,
    pub postpone: &'static str,
}

impl Statements {
    pub async fn keep(&self, writing: &mut impl Reading, upload: &Upload) -> anyhow::Result<()> {
        let (width, height) = upload.size.unwrap_or_default();
        let values = [
            Value::Text(upload.org.as_str()),
            Value::Text(upload.id.as_str()),
            Value::Text(&upload.uploader),
            Value::Int(width.into()),
            Value::Int(height.into()),
            Value::Int(upload.bytes as i64),
            Value::Text(&upload.sha256),
            Value::Text(&upload.content_type),
        ];
        writing.rows(self.keep, &values).await?;
        Ok(())
    }

    pub async fn of_org(
        &self,
        writing: &mut impl Reading,
        org: &OrgId,
        id: &PhotoId,
    ) -> anyhow::Result<Option<Upload>> {
        let values = [Value::Text(org.as_str()), Value::Text(id.as_str())];
        let row = writing.row(self.of_org, &values).await?;
        row.map(|row| upload(&row)).transpose()
    }

    pub async fn expire(&self, writing: &mut impl Reading, age: Duration, most: u32) -> anyhow::Result<Vec<PhotoId>> {
        let values = [Value::Int(age.as_millis() as i64), Value::Int(most.into())];
        let found = writing.rows(self.expire, &values).await?;
        found.iter().map(|row| photo_id(row.text(0)?)).collect()
    }

    pub async fn missing(
        &self,
        writing: &mut impl Reading,
        most: u32,
        lease: Duration,
    ) -> anyhow::Result<Vec<Missing>> {
        let values = [Value::Int(most.into()), Value::Int(lease.as_millis() as i64)];
        let found = writing.rows(self.missing, &values).await?;
        found.iter().map(missing).collect()
    }

    pub async fn postpone(&self, writing: &mut impl Reading, missing: &Missing, wait: Duration) -> anyhow::Result<()> {
        let values = [
            Value::Text(missing.org.as_str()),
            Value::Text(&missing.source),
            Value::Int(wait.as_millis() as i64),
        ];
        writing.rows(self.postpone, &values).await?;
        Ok(())
    }
}

pub(super) async fn photo(reading: &mut impl Reading, id: &PhotoId) -> anyhow::Result<Option<Upload>> {
    let sql = concat!(
        "SELECT ",
        upload_columns!(),
        " FROM photos WHERE photo = $1 AND state <> 'going'"
    );
    let row = reading.row(sql, &[Value::Text(id.as_str())]).await?;
    row.map(|row| upload(&row)).transpose()
}

pub(super) async fn unsent(reading: &mut impl Reading, org: &OrgId, uploader: &str) -> anyhow::Result<(u64, u64)> {
    let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM photos
               WHERE org = $1 AND uploader = $2 AND state <> 'sent'";
    let values = [Value::Text(org.as_str()), Value::Text(uploader)];
    let row = reading.row(sql, &values).await?.context("a count is a row")?;
    Ok((u64::try_from(row.int(0)?)?, u64::try_from(row.int(1)?)?))
}

pub(super) async fn forget(writing: &mut impl Reading, id: &PhotoId) -> anyhow::Result<()> {
    let sql = "DELETE FROM photos WHERE photo = $1 AND state = 'going' RETURNING photo";
    writing.rows(sql, &[Value::Text(id.as_str())]).await?;
    Ok(())
}

/// Where and what a part of an MMS is that is still to be fetched.
pub(super) async fn missing_of(
    reading: &mut impl Reading,
    org: &OrgId,
    source: &str,
) -> anyhow::Result<Option<Missing>> {
    let sql = concat!(
        "SELECT ",
        missing_columns!(),
        " FROM missing WHERE org = $1 AND source = $2"
    );
    let row = reading
        .row(sql, &[Value::Text(org.as_str()), Value::Text(source)])
        .await?;
    row.as_ref().map(missing).transpose()
}

/// All sent photos of an org, and all that is to be fetched.
pub(super) async fn sent(reading: &mut impl Reading, org: &OrgId) -> anyhow::Result<Vec<Upload>> {
    let sql = concat!(
        "SELECT ",
        upload_columns!(),
        " FROM photos WHERE org = $1 AND state = 'sent'"
    );
    let found = reading.rows(sql, &[Value::Text(org.as_str())]).await?;
    found.iter().map(upload).collect()
}

pub(super) async fn all_missing(reading: &mut impl Reading, org: &OrgId) -> anyhow::Result<Vec<Missing>> {
    let sql = concat!("SELECT ", missing_columns!(), " FROM missing WHERE org = $1");
    let found = reading.rows(sql, &[Value::Text(org.as_str())]).await?;
    found.iter().map(missing).collect()
}

/// A part is fetched, or to be fetched for another place.
pub(super) const FOUND: &str = "DELETE FROM missing WHERE org = $1 AND source = $2 RETURNING source";

pub(super) fn found<'a>(org: &'a OrgId, source: &'a str) -> [Value<'a>; 2] {
    [Value::Text(org.as_str()), Value::Text(source)]
}

pub(super) const MISS: &str =
    "INSERT INTO missing (org, source, message, thread, of, part, content_type, due_at, tries)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0) RETURNING source";

pub(super) fn miss(missing: &Missing) -> [Value<'_>; 7] {
    [
        Value::Text(missing.org.as_str()),
        Value::Text(&missing.source),
        Value::Text(&missing.message),
        Value::Text(missing.thread.as_str()),
        Value::Int(missing.of),
        Value::Int(missing.index.into()),
        Value::Text(&missing.content_type),
    ]
}

/// Reads [`upload_columns`].
fn upload(row: &impl Cells) -> anyhow::Result<Upload> {
    let size = (u32::try_from(row.int(3)?)?, u32::try_from(row.int(4)?)?);
    let thread = row.text_if_any(8)?.map(rows::thread_id).transpose()?;
    let seq = row.int_if_any(9)?;
    Ok(Upload {
        org: rows::org_id(row.text(0)?)?,
        id: photo_id(row.text(1)?)?,
        uploader: row.text(2)?.to_owned(),
        size: (size != (0, 0)).then_some(size),
        bytes: u64::try_from(row.int(5)?)?,
        sha256: row.text(6)?.to_owned(),
        content_type: row.text(7)?.to_owned(),
        place: thread.map(|thread| Place { thread, seq }),
    })
}

/// Reads [`missing_columns`].
fn missing(row: &impl Cells) -> anyhow::Result<Missing> {
    Ok(Missing {
        org: rows::org_id(row.text(0)?)?,
        source: row.text(1)?.to_owned(),
        message: row.text(2)?.to_owned(),
        thread: rows::thread_id(row.text(3)?)?,
        of: row.int(4)?,
        index: u32::try_from(row.int(5)?)?,
        content_type: row.text(6)?.to_owned(),
        tries: u32::try_from(row.int(7)?)?,
    })
}

pub(super) fn photo_id(text: &str) -> anyhow::Result<PhotoId> {
    PhotoId::parse(text).context("a photo's id is 32 hex digits")
}
