//! Uploads on SQLite, and what a batch changes of them.

use std::time::Duration;

use async_trait::async_trait;

use super::Sqlite;
use super::store::Transaction;
use crate::domain::{Missing, OrgId, PhotoId, Upload};
use crate::ledger::Result;
use crate::ledger::clerk::Entered;
use crate::ledger::photos::{self, Photos, Statements, statements};
use crate::ledger::rows::Reading;

pub(super) const STATEMENTS: Statements = statements!("CAST(unixepoch('subsec') * 1000 AS INTEGER)", "", "");

#[async_trait]
impl Photos for Sqlite {
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

impl Transaction<'_> {
    /// What a batch changed of them: where photos stand, and what is to be fetched.
    pub(super) async fn write_photos(&mut self, org: &OrgId, entered: &Entered) -> anyhow::Result<()> {
        for (id, place) in &entered.photos {
            let sent = sqlx::query(
                "UPDATE photos SET state = 'sent', thread = $3, seq = $4
                 WHERE org = $1 AND photo = $2 AND state <> 'going'",
            )
            .bind(org.as_str())
            .bind(id.as_str())
            .bind(place.thread.as_str())
            .bind(place.seq)
            .execute(&mut *self.0)
            .await?;
            anyhow::ensure!(sent.rows_affected() == 1, "a photo of a message is gone");
        }
        for (source, missing) in &entered.missing {
            self.0.rows(photos::FOUND, &photos::found(org, source)).await?;
            if let Some(missing) = missing {
                self.0.rows(photos::MISS, &photos::miss(missing)).await?;
            }
        }
        Ok(())
    }
}
