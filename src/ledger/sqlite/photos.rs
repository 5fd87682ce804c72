//! Uploads on SQLite, and what a batch changes of them.

use std::time::Duration;

use super::Sqlite;
use super::store::Transaction;
use crate::domain::{Missing, OrgId, PhotoId, Upload};
use crate::ledger::Result;
use crate::ledger::clerk::Entered;
use crate::ledger::photos::{self, Photos, photos};
use crate::ledger::rows::Reading;

photos!(Sqlite, "CAST(unixepoch('subsec') * 1000 AS INTEGER)", "", "");

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
