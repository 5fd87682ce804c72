//! Full-text search in SQLite: FTS5, which walks its hits newest first by itself.

use anyhow::Result;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use crate::domain::{Query, View};
use crate::ledger::audit;
use crate::ledger::search::{self, Find, Found, Hit, Line, found_query};

/// `PRAGMA user_version` of a file in which all is indexed that was stored before there was an index.
const FILLED: i64 = 1;

/// Ids follow the log, so the newest come first. The columns decide who finds it; the scope is for speed.
/// CROSS JOIN keeps the order: the planner would rather look each row of the org up among the hits.
macro_rules! hits_query {
    ($number:literal, $whose:literal) => {
        concat!(
            "SELECT s.rev, ",
            $number,
            ", -bm25(search_words, 0.0, 1.0)
             FROM search_words CROSS JOIN search s ON s.id = search_words.rowid
             CROSS JOIN log l ON l.org = s.org AND l.rev = s.rev
             WHERE search_words MATCH $1 AND s.org = $2 AND ",
            $number,
            " <= $3 AND ",
            $whose,
            " ORDER BY search_words.rowid DESC LIMIT $4"
        )
    };
}

pub(super) async fn search(snapshot: &mut SqliteConnection, view: &View, find: &Find, limit: usize) -> Result<Found> {
    let org = view.org();
    let (sql, scope, thread) = match view {
        View::Team { .. } => (hits_query!("s.rev", "s.team = 1"), search::key(&[org.as_str()]), None),
        View::Customer { thread, .. } => (
            hits_query!("l.seq", "s.public = 1 AND l.thread = $5 AND l.seq IS NOT NULL"),
            search::key(&[org.as_str(), thread.as_str()]),
            Some(thread.as_str()),
        ),
    };
    let found = sqlx::query(sql)
        .bind(matching(&scope, &find.query))
        .bind(org.as_str())
        .bind(find.from.up_to)
        .bind(i64::try_from(find.most(limit))?);
    let found = match thread {
        Some(thread) => found.bind(thread),
        None => found,
    };
    let found = found.fetch_all(&mut *snapshot).await?;
    let hits = found.iter().map(hit).collect::<Result<_>>()?;
    let (revs, next) = find.page(hits, limit);
    let sql = found_query!("(SELECT value AS rev FROM json_each($2)) r");
    Ok(Found {
        hits: search::load(snapshot, sql, org, &revs).await?,
        next,
    })
}

pub(super) async fn write(connection: &mut SqliteConnection, line: &Line) -> Result<()> {
    let id: i64 =
        sqlx::query_scalar("INSERT INTO search (org, rev, team, public) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind(line.org.as_str())
            .bind(line.rev)
            .bind(i64::from(line.team))
            .bind(i64::from(line.thread.is_some()))
            .fetch_one(&mut *connection)
            .await?;
    let mut scope = search::key(&[line.org.as_str()]);
    if let Some(thread) = &line.thread {
        scope = format!("{scope} {}", search::key(&[line.org.as_str(), thread.as_str()]));
    }
    sqlx::query("INSERT INTO search_words (rowid, scope, words) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(scope)
        .bind(line.words.join(" "))
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Indexes what was stored before there was an index, once; after a stop it goes on where it was.
pub(super) async fn fill(connection: &mut SqliteConnection) -> Result<()> {
    let filled: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    if filled >= FILLED {
        return Ok(());
    }
    for org in audit::orgs(connection).await? {
        let mut after = 0;
        loop {
            let records = search::unindexed(connection, &org, after).await?;
            let Some(last) = records.last() else { break };
            after = last.rev;
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            for line in search::lines_of(&records)? {
                write(&mut transaction, &line).await?;
            }
            transaction.commit().await?;
        }
    }
    sqlx::raw_sql("PRAGMA user_version = 1").execute(connection).await?;
    Ok(())
}

fn hit(row: &SqliteRow) -> Result<Hit> {
    Ok(Hit {
        rev: row.try_get(0)?,
        number: row.try_get(1)?,
        rank: row.try_get(2)?,
    })
}

/// Each word stands in quotation marks, and has none.
fn matching(scope: &str, query: &Query) -> String {
    let terms = query.terms.iter().map(|term| {
        let open = if term.open { " *" } else { "" };
        format!("\"{}\"{open}", term.words.join(" "))
    });
    format!(
        "scope : \"{scope}\" AND words : ({})",
        terms.collect::<Vec<_>>().join(" AND ")
    )
}

/// Only lines whose words are there.
pub(super) const INDEXED: &str =
    "SELECT s.rev, s.team, s.public FROM search s JOIN search_words_docsize d ON d.id = s.id
     WHERE s.org = $1 AND s.rev > $2 AND s.rev <= $3 ORDER BY s.rev, s.public";
