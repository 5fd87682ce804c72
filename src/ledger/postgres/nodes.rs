//! Nodes whose bus is unwell, told by way of the database: the one thing that all of them still reach.

use anyhow::Result;
use sqlx::{PgConnection, Row};

/// A report is repeated twice a second while it holds.
const FRESH_MS: i64 = 3_000;

pub(super) async fn report_unwell(connection: &mut PgConnection, node: &str) -> Result<()> {
    // What is an hour old is of a node that is gone.
    sqlx::query(
        "WITH now AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms),
              gone AS (DELETE FROM nodes USING now WHERE at < now.ms - 3600000)
         INSERT INTO nodes (node, at) SELECT $1, ms FROM now
         ON CONFLICT (node) DO UPDATE SET at = excluded.at",
    )
    .bind(node)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn unwell(connection: &mut PgConnection) -> Result<Vec<String>> {
    sqlx::query("SELECT node FROM nodes WHERE at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1")
        .bind(FRESH_MS)
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| Ok(row.try_get(0)?))
        .collect()
}
