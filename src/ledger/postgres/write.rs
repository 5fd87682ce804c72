//! Writing what a batch changed: one statement a table, each column of it an array.

use anyhow::Result;
use sqlx::PgConnection;

use super::search;
use crate::domain::{OrgId, folded};
use crate::ledger::clerk::Entered;
use crate::ledger::texting;

/// Runs a statement with one array for each column of `$rows`; none if there are no rows.
macro_rules! write_rows {
    ($connection:expr, $rows:expr, $sql:expr, |$row:pat_param| $($value:expr),+ $(,)?) => {{
        let rows = $rows;
        if !rows.is_empty() {
            by_column!(rows, $row, $sql, [$($value),+]).execute(&mut *$connection).await?;
        }
    }};
}

/// The query, with its arrays. Each step names one more column's, which no other step can see.
macro_rules! by_column {
    ($rows:ident, $row:pat_param, $sql:expr, [$next:expr $(, $rest:expr)*] $($column:ident = $value:expr;)*) => {
        by_column!($rows, $row, $sql, [$($rest),*] $($column = $value;)* column = $next;)
    };
    ($rows:ident, $row:pat_param, $sql:expr, [] $($column:ident = $value:expr;)+) => {{
        $(let mut $column = Vec::with_capacity($rows.len());)+
        for $row in $rows.iter() {
            $($column.push($value);)+
        }
        sqlx::query($sql)$(.bind($column))+
    }};
}

pub(super) async fn write(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    write_log(connection, all).await?;
    let lines: Vec<_> = all.iter().flat_map(|(_, entered)| &entered.lines).collect();
    search::write(connection, &lines).await?;
    write_threads(connection, all).await?;
    write_contacts(connection, all).await?;
    write_people(connection, all).await?;
    write_texting(connection, all).await?;
    super::photos::write(connection, all).await?;
    write_routes(connection, all).await?;
    write_orgs(connection, all).await
}

async fn write_log(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    write_rows!(
        connection,
        all.iter().flat_map(|(_, entered)| &entered.records).collect::<Vec<_>>(),
        "INSERT INTO log (org, rev, thread, seq, kind, submitter, id, body_team, body_public,
                          customer_count, team_count, at, hash)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[])",
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
    Ok(())
}

async fn write_threads(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.threads.iter().map(move |(thread, head)| (org, thread, head)))
            .collect::<Vec<_>>(),
        "INSERT INTO threads (org, thread, seq, customer_count, team_count, hash, active, last_customer, last_team,
             customer_delivered, customer_read, customer_read_count,
             team_delivered, team_read, team_read_count, answered, waiting_since, failed, handoff, handler, attached)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[],
             $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
             $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[],
             $19::bigint[], $20::text[], $21::text[])
         ON CONFLICT (org, thread) DO UPDATE SET seq = excluded.seq,
             customer_count = excluded.customer_count, team_count = excluded.team_count, hash = excluded.hash,
             active = excluded.active, last_customer = excluded.last_customer, last_team = excluded.last_team,
             customer_delivered = excluded.customer_delivered, customer_read = excluded.customer_read,
             customer_read_count = excluded.customer_read_count, team_delivered = excluded.team_delivered,
             team_read = excluded.team_read, team_read_count = excluded.team_read_count,
             answered = excluded.answered, waiting_since = excluded.waiting_since, failed = excluded.failed,
             handoff = excluded.handoff, handler = excluded.handler, attached = excluded.attached",
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
    Ok(())
}

async fn write_contacts(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.contacts.values().map(move |contact| (org, contact)))
            .collect::<Vec<_>>(),
        "INSERT INTO contacts (org, contact, thread, person, name, phone, unknown, folded)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
             $8::text[])
         ON CONFLICT (org, contact) DO UPDATE SET name = excluded.name, phone = excluded.phone,
             unknown = excluded.unknown, folded = excluded.folded",
        |(org, contact)| org.as_str(),
        contact.id.as_str(),
        contact.thread.as_str(),
        contact.person.as_str(),
        contact.name.as_str(),
        contact.phone.as_ref().map(|phone| phone.as_str()),
        i64::from(contact.unknown),
        folded(&contact.name),
    );
    Ok(())
}

async fn write_people(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.people.iter().map(move |(sub, person)| (org, sub, person)))
            .collect::<Vec<_>>(),
        "INSERT INTO people (org, sub, person, name)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
         ON CONFLICT (org, sub) DO UPDATE SET name = excluded.name WHERE people.name <> excluded.name",
        |(org, sub, (person, name))| org.as_str(),
        sub.as_str(),
        person.as_str(),
        name.as_str(),
    );
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.reads.iter().map(move |(read, up_to)| (org, read, up_to)))
            .collect::<Vec<_>>(),
        "INSERT INTO reads (org, thread, sub, up_to)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
         ON CONFLICT (org, thread, sub) DO UPDATE SET up_to = excluded.up_to",
        |(org, (thread, sub), up_to)| org.as_str(),
        thread.as_str(),
        sub.as_str(),
        **up_to,
    );
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.revocations.iter().map(move |(sub, before)| (org, sub, before)))
            .collect::<Vec<_>>(),
        "INSERT INTO revocations (org, sub, before)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
         ON CONFLICT (org, sub) DO UPDATE SET before = excluded.before",
        |(org, sub, before)| org.as_str(),
        sub.as_str(),
        **before,
    );
    Ok(())
}

async fn write_orgs(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    let mut settings = Vec::new();
    for (org, entered) in all {
        if let Some(changed) = &entered.settings {
            settings.push((org, serde_json::to_string(changed)?));
        }
    }
    write_rows!(
        connection,
        settings,
        "INSERT INTO orgs (org, settings) SELECT * FROM unnest($1::text[], $2::text[])
         ON CONFLICT (org) DO UPDATE SET settings = excluded.settings",
        |(org, settings)| org.as_str(),
        settings.as_str(),
    );
    // The row is there: it is what was locked.
    write_rows!(
        connection,
        all,
        "UPDATE heads h SET rev = k.rev, at = k.at, hash = k.hash, new = k.new, waiting = k.waiting
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[])
             k (org, rev, at, hash, new, waiting)
         WHERE h.org = k.org",
        |(org, entered)| org.as_str(),
        entered.head.rev,
        entered.head.at,
        entered.head.hash.0.as_slice(),
        entered.head.new,
        entered.head.waiting,
    );
    Ok(())
}

/// What texts need: numbers, tags, who was copied, who takes none, and what is to be sent.
async fn write_texting(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    let renumbered: Vec<_> = all
        .iter()
        .filter_map(|(org, entered)| Some((org, entered.number.as_ref()?)))
        .collect();
    if !renumbered.is_empty() {
        let orgs: Vec<_> = renumbered.iter().map(|(org, _)| org.as_str()).collect();
        sqlx::query("DELETE FROM numbers WHERE org = ANY($1)")
            .bind(orgs)
            .execute(&mut *connection)
            .await?;
    }
    write_rows!(
        connection,
        renumbered
            .iter()
            .filter_map(|(org, number)| Some((org, number.as_ref()?)))
            .collect::<Vec<_>>(),
        // Without ON CONFLICT: of two orgs that want one number at once, one must fail.
        "INSERT INTO numbers (number, org) SELECT * FROM unnest($1::text[], $2::text[])",
        |(org, number)| number.as_str(),
        org.as_str(),
    );
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.tags.iter().map(move |(tag, (thread, at))| (org, tag, thread, at)))
            .collect::<Vec<_>>(),
        "INSERT INTO tags (org, tag, thread, at) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[])
         ON CONFLICT (org, tag) DO UPDATE SET thread = excluded.thread, at = excluded.at",
        |(org, tag, thread, at)| org.as_str(),
        **tag,
        thread.as_str(),
        **at,
    );
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.copied.iter().map(move |(key, at)| (org, key, at)))
            .collect::<Vec<_>>(),
        "INSERT INTO copied (org, phone, thread, at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
         ON CONFLICT (org, phone, thread) DO UPDATE SET at = excluded.at",
        |(org, (phone, thread), at)| org.as_str(),
        phone.as_str(),
        thread.as_str(),
        **at,
    );
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.consents.iter().map(move |(key, off)| (org, key, off)))
            .collect::<Vec<_>>(),
        "INSERT INTO consents (org, number, phone, off)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
         ON CONFLICT (org, number, phone) DO UPDATE SET off = excluded.off",
        |(org, (number, phone), off)| org.as_str(),
        number.as_str(),
        phone.as_str(),
        i64::from(**off),
    );
    write_attempts(connection, all).await
}

/// Numbers that became a contact's, and texts that were routed by hand.
async fn write_routes(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered.phones.iter().map(move |key| (org, key)))
            .collect::<Vec<_>>(),
        "INSERT INTO phones (org, phone, contact) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
         ON CONFLICT DO NOTHING",
        |(org, (phone, contact))| org.as_str(),
        phone.as_str(),
        contact.as_str(),
    );
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(org, entered)| entered
                .routed
                .iter()
                .map(move |(unrouted, thread)| (org, unrouted, thread)))
            .collect::<Vec<_>>(),
        "INSERT INTO routed (org, unrouted, thread) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])",
        |(org, unrouted, thread)| org.as_str(),
        **unrouted,
        thread.as_str(),
    );
    Ok(())
}

async fn write_attempts(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    write_rows!(
        connection,
        all.iter()
            .flat_map(|(_, entered)| entered.attempts.values())
            .collect::<Vec<_>>(),
        "INSERT INTO outbox (org, attempt, thread, of, leg, rev, part, parts, nth, sender, recipient, body,
                             state, due_at, queued_at, called_at, sid, media, counted, linked)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[],
             $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[],
             $14::bigint[], $15::bigint[], $16::bigint[], $17::text[], $18::text[], $19::bigint[],
             $20::bigint[])
         ON CONFLICT (org, attempt) DO UPDATE SET state = excluded.state, due_at = excluded.due_at, sid = excluded.sid",
        |attempt| attempt.org.as_str(),
        attempt.id.as_str(),
        attempt.message.as_ref().map(|(thread, _)| thread.as_str()),
        attempt.message.as_ref().map(|(_, of)| *of),
        attempt.leg.as_str(),
        attempt.rev,
        i64::from(attempt.part),
        i64::from(attempt.parts),
        i64::from(attempt.nth),
        attempt.from.as_str(),
        attempt.to.as_str(),
        attempt.body.as_str(),
        attempt.state.as_str(),
        attempt.due_at,
        attempt.queued_at,
        attempt.called_at,
        attempt.sid.as_deref(),
        texting::media(&attempt.media),
        i64::from(attempt.counted),
        i64::from(attempt.linked),
    );
    for (id, brought) in all.iter().flat_map(|(_, entered)| &entered.brought) {
        texting::bring(&mut *connection, id, brought).await?;
    }
    Ok(())
}
