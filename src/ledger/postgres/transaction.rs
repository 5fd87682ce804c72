//! One open transaction and what was looked up in it. The orgs' rows are locked first; then each kind of
//! thing that the batch will ask for is looked up by one statement, so that a batch of hundreds costs
//! a handful. Every look-up is a statement of its own, after the locks: only a snapshot taken then
//! surely sees what the lock's last holder committed.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use anyhow::{Context, Result};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::keys::Keys;
use super::lock::{Locked, lock};
use crate::domain::{
    Attempt, AttemptId, Contact, ContactId, Counts, OrgId, OrgSettings, PersonId, Phone, Record, Sub, ThreadHead,
    ThreadId,
};
use crate::ledger::rows::{self, CONTACT_COLUMNS, Cells, HEAD_COLUMNS, contact_columns, head_columns, record_columns};
use crate::ledger::writer::Locks;
use crate::ledger::{Command, OrgHead};

/// What is not in a map was not looked up yet; what was not found is there as none.
pub(super) struct Transaction<'a> {
    pub connection: &'a mut PgConnection,
    pub log: Arc<str>,
    pub now: i64,
    pub held: BTreeSet<OrgId>,
    pub orgs: HashMap<OrgId, (OrgHead, OrgSettings)>,
    pub threads: HashMap<(OrgId, ThreadId), Option<(Contact, ThreadHead)>>,
    pub contacts: HashMap<(OrgId, ContactId), Option<Contact>>,
    pub people: HashMap<(OrgId, Sub), Option<(PersonId, String)>>,
    pub reads: HashMap<(OrgId, ThreadId, Sub), Option<i64>>,
    pub revocations: HashMap<(OrgId, Sub), Option<i64>>,
    pub ids: HashMap<(OrgId, String, String), Option<Record>>,
    pub seqs: HashMap<(OrgId, ThreadId, i64), Option<(Counts, i64)>>,
    /// Of each number and phone: whether texts are off.
    pub consents: HashMap<(OrgId, Phone, Phone), bool>,
    pub attempts: HashMap<AttemptId, Option<Attempt>>,
    /// Whether Twilio's id is some attempt's.
    pub sids: HashMap<String, bool>,
    /// All attempts at the texts of a message.
    pub texts: HashMap<(OrgId, ThreadId, i64), Vec<Attempt>>,
}

macro_rules! thread_query {
    ($keys:literal) => {
        concat!(
            "SELECT ",
            contact_columns!(),
            ", ",
            head_columns!(),
            ", c.org FROM ",
            $keys
        )
    };
}

impl<'a> Transaction<'a> {
    /// Locks, then looks up what the batch will ask for.
    pub async fn open(
        connection: &'a mut PgConnection,
        log: Arc<str>,
        batch: &[&Command],
        locks: Locks,
    ) -> Result<Self> {
        let mut keys = Keys::of(batch);
        let Locked { heads, held } = lock(connection, &keys, locks).await?;
        keys.keep(|org| heads.contains_key(org));
        let mut transaction = Self {
            connection,
            log,
            now: 0,
            held,
            orgs: HashMap::new(),
            threads: HashMap::new(),
            contacts: HashMap::new(),
            people: HashMap::new(),
            reads: HashMap::new(),
            revocations: HashMap::new(),
            ids: HashMap::new(),
            seqs: HashMap::new(),
            consents: HashMap::new(),
            attempts: HashMap::new(),
            sids: HashMap::new(),
            texts: HashMap::new(),
        };
        transaction.look_up_orgs(heads).await?;
        transaction.look_up_contacts(keys.contacts).await?;
        let attempts = keys.attempts.into_iter().map(|(_, id)| id).collect();
        let reported = transaction.look_up_reports(attempts, keys.sids).await?;
        keys.threads.extend(reported);
        transaction.look_up_threads(keys.threads).await?;
        transaction.look_up_consents_of(keys.said).await?;
        transaction.look_up_ids(keys.ids).await?;
        transaction.look_up_people(keys.people).await?;
        transaction.look_up_revocations(keys.revocations).await?;
        transaction.look_up_reads(keys.reads).await?;
        transaction.look_up_seqs(keys.seqs).await?;
        Ok(transaction)
    }

    async fn look_up_orgs(&mut self, mut heads: HashMap<OrgId, OrgHead>) -> Result<()> {
        let names = heads.keys().map(OrgId::as_str).collect();
        // The clock comes along on a row of its own, so that it is read under the locks, too.
        let sql = "SELECT NULL, NULL, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
                   UNION ALL SELECT org, settings, 0 FROM orgs WHERE org = ANY($1)";
        let found = ask(self.connection, sql, vec![names]).await?;
        for row in &found {
            match row.text_if_any(0)? {
                None => self.now = row.int(2)?,
                Some(org) => {
                    let org = rows::org_id(org)?;
                    let head = heads.remove(&org).context("an org that was not asked for")?;
                    self.orgs.insert(org, (head, serde_json::from_str(row.text(1)?)?));
                }
            }
        }
        Ok(())
    }

    pub async fn look_up_threads(&mut self, keys: BTreeSet<(OrgId, ThreadId)>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let sql = thread_query!(
            "unnest($1::text[], $2::text[]) k (org, thread)
             JOIN threads t ON t.org = k.org AND t.thread = k.thread
             JOIN contacts c ON c.org = k.org AND c.thread = k.thread"
        );
        let parts = vec![column(&keys, |k| k.0.as_str()), column(&keys, |k| k.1.as_str())];
        let found = ask(self.connection, sql, parts).await?;
        absent(&mut self.threads, keys);
        self.keep_threads(&found)
    }

    /// With their threads, which a change of the contact is appended to.
    pub async fn look_up_contacts(&mut self, keys: BTreeSet<(OrgId, ContactId)>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let sql = thread_query!(
            "unnest($1::text[], $2::text[]) k (org, contact)
             JOIN contacts c ON c.org = k.org AND c.contact = k.contact
             JOIN threads t ON t.org = c.org AND t.thread = c.thread"
        );
        let parts = vec![column(&keys, |k| k.0.as_str()), column(&keys, |k| k.1.as_str())];
        let found = ask(self.connection, sql, parts).await?;
        absent(&mut self.contacts, keys);
        self.keep_threads(&found)?;
        for row in &found {
            let contact = rows::contact(row, 0)?;
            let org = rows::org_id(row.text(CONTACT_COLUMNS + HEAD_COLUMNS)?)?;
            self.contacts.insert((org, contact.id.clone()), Some(contact));
        }
        Ok(())
    }

    fn keep_threads(&mut self, found: &[PgRow]) -> Result<()> {
        for row in found {
            let contact = rows::contact(row, 0)?;
            let org = rows::org_id(row.text(CONTACT_COLUMNS + HEAD_COLUMNS)?)?;
            let head = rows::head(row, CONTACT_COLUMNS)?;
            self.threads
                .insert((org, contact.thread.clone()), Some((contact, head)));
        }
        Ok(())
    }

    pub async fn look_up_ids(&mut self, keys: BTreeSet<(OrgId, String, String)>) -> Result<()> {
        let sql = concat!(
            "SELECT ",
            record_columns!("l"),
            " FROM unnest($1::text[], $2::text[], $3::text[]) k (org, submitter, id)
              JOIN log l ON l.org = k.org AND l.submitter = k.submitter AND l.id = k.id"
        );
        look_up(
            self.connection,
            &mut self.ids,
            sql,
            keys,
            |k| [k.0.as_str(), k.1.as_str(), k.2.as_str()],
            |row| {
                let record = rows::record(row, 0)?;
                let (submitter, id) = (record.submitter.clone(), record.id.clone());
                let key = (
                    record.org.clone(),
                    submitter.unwrap_or_default(),
                    id.unwrap_or_default(),
                );
                Ok((key, Some(record)))
            },
        )
        .await
    }

    pub async fn look_up_people(&mut self, keys: BTreeSet<(OrgId, Sub)>) -> Result<()> {
        let sql = "SELECT p.org, p.sub, p.person, p.name FROM unnest($1::text[], $2::text[]) k (org, sub)
                   JOIN people p ON p.org = k.org AND p.sub = k.sub";
        look_up(
            self.connection,
            &mut self.people,
            sql,
            keys,
            |k| [k.0.as_str(), k.1.as_str()],
            |row| {
                let key = (rows::org_id(row.text(0)?)?, rows::sub(row.text(1)?)?);
                Ok((key, Some((rows::person_id(row.text(2)?)?, row.text(3)?.to_owned()))))
            },
        )
        .await
    }

    pub async fn look_up_revocations(&mut self, keys: BTreeSet<(OrgId, Sub)>) -> Result<()> {
        let sql = "SELECT r.org, r.sub, r.before FROM unnest($1::text[], $2::text[]) k (org, sub)
                   JOIN revocations r ON r.org = k.org AND r.sub = k.sub";
        look_up(
            self.connection,
            &mut self.revocations,
            sql,
            keys,
            |k| [k.0.as_str(), k.1.as_str()],
            |row| {
                let key = (rows::org_id(row.text(0)?)?, rows::sub(row.text(1)?)?);
                Ok((key, Some(row.int(2)?)))
            },
        )
        .await
    }

    pub async fn look_up_reads(&mut self, keys: BTreeSet<(OrgId, ThreadId, Sub)>) -> Result<()> {
        let sql = "SELECT r.org, r.thread, r.sub, r.up_to
                   FROM unnest($1::text[], $2::text[], $3::text[]) k (org, thread, sub)
                   JOIN reads r ON r.org = k.org AND r.thread = k.thread AND r.sub = k.sub";
        look_up(
            self.connection,
            &mut self.reads,
            sql,
            keys,
            |k| [k.0.as_str(), k.1.as_str(), k.2.as_str()],
            |row| {
                let (org, thread) = (rows::org_id(row.text(0)?)?, rows::thread_id(row.text(1)?)?);
                Ok(((org, thread, rows::sub(row.text(2)?)?), Some(row.int(3)?)))
            },
        )
        .await
    }

    pub async fn look_up_seqs(&mut self, keys: BTreeSet<(OrgId, ThreadId, i64)>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        // The order leaves the planner no index but log_seq. By a plain join it may take log_thread, before
        // the table's first ANALYZE, and read every record of the thread.
        let sql = "SELECT l.org, l.thread, l.seq, l.customer_count, l.team_count, l.at
                   FROM unnest($1::text[], $2::text[], $3::bigint[]) k (org, thread, seq)
                   CROSS JOIN LATERAL (
                       SELECT * FROM log WHERE log.org = k.org AND log.thread = k.thread AND log.seq <= k.seq
                       ORDER BY log.seq DESC LIMIT 1
                   ) l
                   WHERE l.seq = k.seq";
        let found = sqlx::query(sql)
            .bind(column(&keys, |k| k.0.as_str()))
            .bind(column(&keys, |k| k.1.as_str()))
            .bind(column(&keys, |k| k.2))
            .fetch_all(&mut *self.connection)
            .await?;
        absent(&mut self.seqs, keys);
        for row in &found {
            let (org, thread) = (rows::org_id(row.text(0)?)?, rows::thread_id(row.text(1)?)?);
            let counts = Counts {
                customer: row.int(3)?,
                team: row.int(4)?,
            };
            let key = (org, thread, row.int(2)?);
            self.seqs.insert(key, Some((counts, row.int(5)?)));
        }
        Ok(())
    }
}

/// Looks `keys` up by one statement, which has an array for each of their `parts`, and keeps in `map` what is
/// there, and that the rest is not.
pub(super) async fn look_up<K: Ord + Hash, V: Default, const PARTS: usize>(
    connection: &mut PgConnection,
    map: &mut HashMap<K, V>,
    sql: &'static str,
    keys: BTreeSet<K>,
    parts: impl Fn(&K) -> [&str; PARTS],
    read: impl Fn(&PgRow) -> Result<(K, V)>,
) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let columns = (0..PARTS).map(|n| column(&keys, |key| parts(key)[n])).collect();
    let found = ask(connection, sql, columns).await?;
    absent(map, keys);
    for row in &found {
        let (key, value) = read(row)?;
        map.insert(key, value);
    }
    Ok(())
}

/// One row for each key, of which `parts` are the columns.
async fn ask(connection: &mut PgConnection, sql: &'static str, parts: Vec<Vec<&str>>) -> Result<Vec<PgRow>> {
    let query = parts.into_iter().fold(sqlx::query(sql), |query, part| query.bind(part));
    Ok(query.fetch_all(connection).await?)
}

pub(super) fn column<'k, K, V>(keys: &'k BTreeSet<K>, part: impl Fn(&'k K) -> V) -> Vec<V> {
    keys.iter().map(part).collect()
}

/// What is asked for and not found is known to be absent.
pub(super) fn absent<K: Hash + Eq, V: Default>(map: &mut HashMap<K, V>, keys: BTreeSet<K>) {
    for key in keys {
        map.entry(key).or_default();
    }
}
