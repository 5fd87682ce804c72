//! Writing what a batch changed: one statement for what every batch changes, one for each table besides, each
//! column of it an array.

use anyhow::Result;
use sqlx::PgConnection;

use super::grow::grow;
use crate::domain::{OrgId, folded};
use crate::ledger::clerk::Entered;
use crate::ledger::texting;

/// Runs a statement with one array for each column of `$rows`; none if there are no rows.
macro_rules! write_rows {
    ($connection:expr, $rows:expr, $sql:expr, |$row:pat_param| $($value:expr),+ $(,)?) => {{
        let rows = $rows;
        if !rows.is_empty() {
            bind_rows!(sqlx::query($sql), rows, |$row| $($value),+).execute(&mut *$connection).await?;
        }
    }};
}

pub(super) use write_rows;

/// The query, with one more array for each column.
macro_rules! bind_rows {
    ($query:expr, $rows:expr, |$row:pat_param| $($value:expr),+ $(,)?) => {
        by_column!($rows, $row, $query, [$($value),+])
    };
}
pub(super) use bind_rows;

/// Each step names one more column's array, which no other step can see.
macro_rules! by_column {
    ($rows:expr, $row:pat_param, $query:expr, [$next:expr $(, $rest:expr)*] $($column:ident = $value:expr;)*) => {
        by_column!($rows, $row, $query, [$($rest),*] $($column = $value;)* column = $next;)
    };
    ($rows:expr, $row:pat_param, $query:expr, [] $($column:ident = $value:expr;)+) => {{
        $(let mut $column = Vec::with_capacity($rows.len());)+
        for $row in $rows.iter() {
            $($column.push($value);)+
        }
        $query$(.bind($column))+
    }};
}
pub(super) use by_column;

pub(super) async fn write(connection: &mut PgConnection, all: &[(OrgId, Entered)]) -> Result<()> {
    grow(connection, all).await?;
    write_contacts(connection, all).await?;
    write_people(connection, all).await?;
    write_texting(connection, all).await?;
    super::photos::write(connection, all).await?;
    write_routes(connection, all).await?;
    write_orgs(connection, all).await
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
