//! Full-text search in Postgres.
//!
//! A GIN index knows no order, and a frequent word is in every second message. So each word is indexed
//! behind a key of its org and of its block of revs: a search asks block after block, the newest first, and
//! stops when it has enough. A rare word costs a look into each block, a frequent one a block or two,
//! whatever else the database holds; and the beginning of a word is looked up in one block's words only.

use anyhow::Result;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::write::{bind_rows, by_column, write_rows};
use crate::domain::{OrgId, Query, ThreadId, View};
use crate::ledger::search::{self, Find, Found, Hit, Line, found_query};
use crate::ledger::{audit, read};

/// Revs in a block, as a power of two: enough to skip much, few enough to sort quickly.
const BLOCK_BITS: u32 = 14;

/// The innermost query has the index to itself: with the org's condition beside it the planner would, by
/// guessing, read all of the org instead; so has the look at each hit's record. A LATERAL with a LIMIT can only be run block by block, in order.
macro_rules! hits_query {
    ($blocks:literal, $own:literal, $join:literal, $number:literal) => {
        concat!(
            "SELECT s.rev, s.number, ts_rank(s.words, b.query::tsquery)
             FROM unnest(",
            $blocks,
            ") CROSS JOIN LATERAL (
                 SELECT f.rev, ",
            $number,
            " AS number, f.words FROM (
                     SELECT * FROM search i WHERE i.words @@ b.query::tsquery",
            $own,
            " OFFSET 0
                 ) f ",
            $join,
            " AND f.org = $1 AND f.rev >> 14 = b.block AND ",
            $number,
            " <= $2
                 ORDER BY f.rev DESC LIMIT $3
             ) s LIMIT $3"
        )
    };
}

const TEAM: &str = hits_query!(
    "$4::bigint[], $5::text[]) b (block, query",
    "",
    "WHERE f.team = 1",
    "f.rev"
);
const CUSTOMER: &str = hits_query!(
    "$4::bigint[], $5::text[], $6::text[]) b (block, query, own",
    " AND i.words @@ b.own::tsquery",
    "CROSS JOIN LATERAL (SELECT thread, seq FROM log l WHERE l.org = f.org AND l.rev = f.rev OFFSET 0) l
     WHERE f.public = 1 AND l.thread = $7 AND l.seq IS NOT NULL",
    "l.seq"
);

pub(super) async fn search(snapshot: &mut PgConnection, view: &View, find: &Find, limit: usize) -> Result<Found> {
    // Half of what there is would be read by a scan, if the planner had its way.
    sqlx::raw_sql("SET LOCAL enable_seqscan = off; SET LOCAL jit = off")
        .execute(&mut *snapshot)
        .await?;
    let org = view.org();
    let head = read::org_head(snapshot, org).await?.unwrap_or_default().rev;
    let newest = match view {
        View::Team { .. } => head.min(find.from.up_to),
        View::Customer { .. } => head,
    };
    let blocks: Vec<i64> = (0..=newest >> BLOCK_BITS).rev().collect();
    let queries: Vec<_> = blocks.iter().map(|block| tsquery(org, *block, &find.query)).collect();
    let most = i64::try_from(find.most(limit))?;
    let found = match view {
        View::Team { .. } => sqlx::query(TEAM)
            .bind(org.as_str())
            .bind(find.from.up_to)
            .bind(most)
            .bind(&blocks)
            .bind(&queries),
        View::Customer { thread, .. } => sqlx::query(CUSTOMER)
            .bind(org.as_str())
            .bind(find.from.up_to)
            .bind(most)
            .bind(&blocks)
            .bind(&queries)
            .bind(
                blocks
                    .iter()
                    .map(|block| quoted(&own(org, thread, *block)))
                    .collect::<Vec<_>>(),
            )
            .bind(thread.as_str()),
    };
    let found = found.fetch_all(&mut *snapshot).await?;
    let hits = found.iter().map(hit).collect::<Result<_>>()?;
    let (revs, next) = find.page(hits, limit);
    let sql = found_query!("(SELECT value::bigint AS rev FROM json_array_elements_text($2::json)) r");
    Ok(Found {
        hits: search::load(snapshot, sql, org, &revs).await?,
        next,
    })
}

/// Two `migrate` at once may come to the same record.
macro_rules! insert_search {
    () => {
        "INSERT INTO search (org, rev, team, public, words)
         SELECT org, rev, team, public, words::tsvector
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) k (org, rev, team, public, words)
         ON CONFLICT DO NOTHING"
    };
}
pub(super) use insert_search;

/// Indexes what was stored without it: by a Crewline that had no index yet.
pub(super) async fn fill(connection: &mut PgConnection) -> Result<()> {
    for org in audit::orgs(connection).await? {
        let mut after = 0;
        loop {
            let records = search::unindexed(connection, &org, after).await?;
            let Some(last) = records.last() else { break };
            after = last.rev;
            let lines = search::lines_of(&records)?;
            write_rows!(
                connection,
                lines,
                insert_search!(),
                |line| line.org.as_str(),
                line.rev,
                i64::from(line.team),
                i64::from(line.thread.is_some()),
                tsvector(line),
            );
        }
    }
    Ok(())
}

fn hit(row: &PgRow) -> Result<Hit> {
    Ok(Hit {
        rev: row.try_get(0)?,
        number: row.try_get(1)?,
        rank: row.try_get::<f32, _>(2)?.into(),
    })
}

fn scope(org: &OrgId, block: i64) -> String {
    search::key(&[org.as_str(), &block.to_string()])
}

/// The public records of a thread within a block. As long as a scope, so never a scope with a word.
fn own(org: &OrgId, thread: &ThreadId, block: i64) -> String {
    search::key(&[org.as_str(), &block.to_string(), thread.as_str()])
}

/// Words have nothing in them that would end it.
fn quoted(lexeme: &str) -> String {
    format!("'{lexeme}'")
}

pub(super) fn tsvector(line: &Line) -> String {
    let block = line.rev >> BLOCK_BITS;
    let scope = scope(&line.org, block);
    let words = line.words.iter().enumerate();
    let words = words.map(|(n, word)| format!("'{scope}{word}':{}", n + 1));
    let own = line
        .thread
        .as_ref()
        .map(|thread| quoted(&own(&line.org, thread, block)));
    words.chain(own).collect::<Vec<_>>().join(" ")
}

fn tsquery(org: &OrgId, block: i64, query: &Query) -> String {
    let scope = scope(org, block);
    let terms = query.terms.iter().map(|term| {
        let words: Vec<_> = term
            .words
            .iter()
            .map(|word| quoted(&format!("{scope}{word}")))
            .collect();
        format!("({}{})", words.join(" <-> "), if term.open { ":*" } else { "" })
    });
    terms.collect::<Vec<_>>().join(" & ")
}

pub(super) const INDEXED: &str =
    "SELECT rev, team, public FROM search WHERE org = $1 AND rev > $2 AND rev <= $3 ORDER BY rev, public";
