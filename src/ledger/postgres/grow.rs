//! What every batch changes: the log, what is found of it, its threads and the heads of its orgs. All four by
//! one statement, since most batches are small, and then the way to the database and back is what they cost.

use anyhow::Result;
use sqlx::PgConnection;

use super::search::{insert_search, tsvector};
use super::write::{bind_rows, by_column};
use crate::domain::OrgId;
use crate::ledger::clerk::Entered;
use crate::ledger::rows::{into_log, into_threads, over_thread};

/// The orgs' rows are there: they are what was locked.
const GROW: &str = concat!(
    "WITH found AS (",
    insert_search!(),
    "),
     logged AS ( ",
    into_log!(),
    "SELECT * FROM unnest($6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[],
             $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bytea[])
     ),
     threaded AS ( ",
    into_threads!(),
    "SELECT * FROM unnest($19::text[], $20::text[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bytea[],
             $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[],
             $32::bigint[], $33::bigint[], $34::bigint[], $35::bigint[], $36::bigint[],
             $37::bigint[], $38::text[], $39::text[])",
    over_thread!(),
    ")
     UPDATE heads h SET rev = k.rev, at = k.at, hash = k.hash, new = k.new, waiting = k.waiting
     FROM unnest($40::text[], $41::bigint[], $42::bigint[], $43::bytea[], $44::bigint[], $45::bigint[])
         k (org, rev, at, hash, new, waiting)
     WHERE h.org = k.org"
);

pub(super) async fn grow(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    let lines: Vec<_> = all.iter().flat_map(|(_, entered)| &entered.lines).collect();
    let records: Vec<_> = all.iter().flat_map(|(_, entered)| &entered.records).collect();
    let threads = all
        .iter()
        .flat_map(|(org, entered)| entered.threads.iter().map(move |(thread, head)| (org, thread, head)));
    let threads: Vec<_> = threads.collect();

    let query = bind_rows!(
        sqlx::query(GROW),
        lines,
        |line| line.org.as_str(),
        line.rev,
        i64::from(line.team),
        i64::from(line.thread.is_some()),
        tsvector(line),
    );
    let query = bind_rows!(
        query,
        records,
        |record| record.org.as_str(),
        record.rev,
        record.thread.as_ref().map(|thread| thread.as_str()),
        record.seq,
        record.kind.as_str(),
        record.submitter.as_deref(),
        record.id.as_deref(),
        record.body_team.as_str(),
        record.body_public.as_deref(),
        record.counts.customer,
        record.counts.team,
        record.at,
        record.hash.0.as_slice(),
    );
    let query = bind_rows!(
        query,
        threads,
        |(org, thread, head)| org.as_str(),
        thread.as_str(),
        head.seq,
        head.counts.customer,
        head.counts.team,
        head.hash.0.as_slice(),
        head.active,
        head.last_customer,
        head.last_team,
        head.customer.delivered,
        head.customer.read,
        head.customer.read_count,
        head.team.delivered,
        head.team.read,
        head.team.read_count,
        head.answered,
        head.waiting_since,
        head.failed,
        head.handoff,
        head.handler.as_str(),
        head.attached.as_ref().map(|thread| thread.as_str()),
    );
    let query = bind_rows!(
        query,
        all,
        |(org, entered)| org.as_str(),
        entered.head.rev,
        entered.head.at,
        entered.head.hash.0.as_slice(),
        entered.head.new,
        entered.head.waiting,
    );
    query.execute(connection).await?;
    Ok(())
}
