//! Uploads on Postgres, and what a batch changes of them.

use std::time::Duration;

use super::Postgres;
use crate::domain::{Missing, OrgId, PhotoId, Upload};
use crate::ledger::Result;
use crate::ledger::clerk::Entered;
use crate::ledger::photos::{self, Photos, photos};
use crate::ledger::rows::Reading;

photos!(
    Postgres,
    "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    " FOR UPDATE",
    " FOR UPDATE SKIP LOCKED"
);

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
