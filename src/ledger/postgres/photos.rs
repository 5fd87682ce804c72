//! Uploads on Postgres, and what a batch changes of them.

use std::time::Duration;

use async_trait::async_trait;

use super::Postgres;

use crate::domain::{Missing, OrgId, PhotoId, Upload};
use crate::ledger::Result;
use crate::ledger::clerk::Entered;
use crate::ledger::photos::{self, Photos, Statements, statements};
use crate::ledger::rows::Reading;

pub(super) const STATEMENTS: Statements = statements!(
    "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    " FOR UPDATE",
    " FOR UPDATE SKIP LOCKED"
);

#[async_trait]
impl Photos for Postgres {
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
        Ok(STATEMENTS.missing(&mut *self.courier().await?, most, lease).await?)
    }

    async fn postpone_missing(&self, missing: &Missing, wait: Duration) -> Result<()> {
        Ok(STATEMENTS.postpone(&mut *self.courier().await?, missing, wait).await?)
    }
}

/// What a batch changed of them: where photos stand, and what is to be fetched.
pub(super) async fn write(connection: &mut sqlx::PgConnection, all: &[(OrgId, Entered)]) -> anyhow::Result<()> {
    let places: Vec<_> = all
        .iter()
        .flat_map(|(org, entered)| entered.photos.iter().map(move |(id, place)| (org, id, place)))
        .collect();
    if !places.is_empty() {
        let sent = sqlx::query(
            "UPDATE photos p SET state = 'sent', thread = k.thread, seq = k.seq
             FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) k (org, photo, thread, seq)
             WHERE p.org = k.org AND p.photo = k.photo AND p.state <> 'going'",
        )
        .bind(places.iter().map(|(org, ..)| org.as_str()).collect::<Vec<_>>())
        .bind(places.iter().map(|(_, id, _)| id.as_str()).collect::<Vec<_>>())
        .bind(
            places
                .iter()
                .map(|(.., place)| place.thread.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(places.iter().map(|(.., place)| place.seq).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
        anyhow::ensure!(
            sent.rows_affected() == places.len() as u64,
            "a photo of a message is gone"
        );
    }
    for (org, entered) in all {
        for (source, missing) in &entered.missing {
            connection.rows(photos::FOUND, &photos::found(org, source)).await?;
            if let Some(missing) = missing {
                connection.rows(photos::MISS, &photos::miss(missing)).await?;
            }
        }
    }
    Ok(())
}
