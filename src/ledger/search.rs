//! The index of what was said: its lines, made when a record is entered, and what is found by them.
//!
//! Keys of orgs and threads stand in the index to make it quick; who may find what is decided by the
//! columns beside it and by the log.

use std::sync::Arc;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::rows::{self, Cells, Reading, Value, record_columns};
use crate::domain::{Contact, Entry, OrgId, Query, Record, Searchable, ThreadId, words};

/// Ranking looks at so many of the newest hits.
pub const RANKED: usize = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The best of the newest [`RANKED`] hits first, of equals the newer.
    Rank,
    Newest,
}

#[derive(Debug, Clone)]
pub struct Find {
    pub query: Query,
    pub order: Order,
    pub from: Place,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Hits with higher numbers in the view are left out: they came later.
    pub up_to: i64,
    /// How many hits were shown on the pages before.
    pub skip: usize,
}

impl Place {
    pub const START: Place = Place {
        up_to: i64::MAX,
        skip: 0,
    };
}

#[derive(Debug, Clone)]
pub struct Found {
    /// With the contact of its thread.
    pub hits: Vec<(Arc<Record>, Contact)>,
    /// Where the next page begins.
    pub next: Option<Place>,
}

/// A row of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub org: OrgId,
    pub rev: i64,
    /// Whose it is, if it is public.
    pub thread: Option<ThreadId>,
    pub team: bool,
    pub words: Vec<String>,
}

/// What is indexed of a record.
pub(super) fn lines(record: &Record, entry: &Entry) -> Vec<Line> {
    let Some(Searchable { team, public }) = entry.searchable() else {
        return Vec::new();
    };
    let public = public.filter(|_| record.seq.is_some());
    let line = |text: &str, team, public: bool| Line {
        org: record.org.clone(),
        rev: record.rev,
        thread: record.thread.clone().filter(|_| public),
        team,
        words: words(text).map(|word| word.folded).collect(),
    };
    match public {
        Some(public) if public == team => vec![line(&team, true, true)],
        Some(public) => vec![line(&team, true, false), line(&public, false, true)],
        None => vec![line(&team, true, false)],
    }
}

/// A short name for what these are together. Two may share one: then more is looked at, not found.
pub(super) fn key(of: &[&str]) -> String {
    let hash = of.iter().fold(Sha256::new(), |hash, part| {
        hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    hash.finalize()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hit as an engine reports it.
pub(super) struct Hit {
    pub rev: i64,
    /// In the view that is searched.
    pub number: i64,
    /// The higher the better.
    pub rank: f64,
}

impl Find {
    /// How many hits an engine is to report, the newest first.
    pub(super) fn most(&self, limit: usize) -> usize {
        match self.order {
            Order::Rank => RANKED,
            Order::Newest => limit + 1,
        }
    }

    /// The revs of the page, in order, and where the next one begins.
    pub(super) fn page(&self, mut hits: Vec<Hit>, limit: usize) -> (Vec<i64>, Option<Place>) {
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.number));
        let newest = hits.first().map_or(0, |hit| hit.number);
        if self.order == Order::Rank {
            hits.sort_by(|a, b| b.rank.total_cmp(&a.rank));
        }
        let left = hits.get(self.from.skip..).unwrap_or_default();
        let page = &left[..limit.min(left.len())];
        let next = (left.len() > page.len()).then(|| match self.order {
            Order::Rank => Place {
                up_to: newest,
                skip: self.from.skip + page.len(),
            },
            Order::Newest => Place {
                up_to: page.last().map_or(0, |hit| hit.number - 1),
                skip: 0,
            },
        });
        (page.iter().map(|hit| hit.rev).collect(), next)
    }
}

macro_rules! found_query {
    ($revs:literal) => {
        concat!(
            "SELECT ",
            crate::ledger::rows::contact_columns!(),
            ", ",
            crate::ledger::rows::record_columns!("l"),
            " FROM ",
            $revs,
            " JOIN log l ON l.org = $1 AND l.rev = r.rev
              JOIN contacts c ON c.org = l.org AND c.thread = l.thread"
        )
    };
}
pub(super) use found_query;

/// Loads the hits of a page. `sql` is a [`found_query`]: each engine has another word for a list.
pub(super) async fn load(
    snapshot: &mut impl Reading,
    sql: &'static str,
    org: &OrgId,
    revs: &[i64],
) -> Result<Vec<(Arc<Record>, Contact)>> {
    let list = serde_json::to_string(revs)?;
    let found = snapshot
        .rows(sql, &[Value::Text(org.as_str()), Value::Text(&list)])
        .await?;
    let mut hits = Vec::with_capacity(found.len());
    for row in &found {
        hits.push((
            Arc::new(rows::record(row, rows::CONTACT_COLUMNS)?),
            rows::contact(row, 0)?,
        ));
    }
    hits.sort_by_key(|(record, _)| revs.iter().position(|rev| *rev == record.rev));
    Ok(hits)
}

/// Records without a line, of whatever kind, oldest first: what was stored before there was an index.
pub(super) async fn unindexed(reading: &mut impl Reading, org: &OrgId, after: i64) -> Result<Vec<Record>> {
    let sql = concat!(
        "SELECT ",
        record_columns!("l"),
        " FROM log l WHERE l.org = $1 AND l.rev > $2
          AND NOT EXISTS (SELECT 1 FROM search s WHERE s.org = l.org AND s.rev = l.rev)
          ORDER BY l.rev LIMIT 500"
    );
    let found = reading
        .rows(sql, &[Value::Text(org.as_str()), Value::Int(after)])
        .await?;
    found.iter().map(|row| rows::record(row, 0)).collect()
}

/// The lines of stored records.
pub(super) fn lines_of(records: &[Record]) -> Result<Vec<Line>> {
    let mut all = Vec::new();
    for record in records {
        let entry = Entry::parse(record.kind, &record.body_team)
            .with_context(|| format!("org {}: rev {} cannot be read", record.org, record.rev))?;
        all.extend(lines(record, &entry));
    }
    Ok(all)
}

/// For `verify`: which revs have a line, and who finds them by it.
pub(super) async fn indexed(
    reading: &mut impl Reading,
    sql: &'static str,
    org: &OrgId,
    after: i64,
    up_to: i64,
) -> Result<Vec<Indexed>> {
    let values = [Value::Text(org.as_str()), Value::Int(after), Value::Int(up_to)];
    let found = reading.rows(sql, &values).await?;
    found
        .iter()
        .map(|row| {
            Ok(Indexed {
                rev: row.int(0)?,
                team: row.int(1)? == 1,
                public: row.int(2)? == 1,
            })
        })
        .collect()
}

/// A line, as far as it can be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indexed {
    pub rev: i64,
    pub team: bool,
    pub public: bool,
}

impl Indexed {
    /// What there should be of a record.
    pub(super) fn expected(record: &Record, entry: &Entry) -> impl Iterator<Item = Self> {
        lines(record, entry).into_iter().map(|line| Self {
            rev: line.rev,
            team: line.team,
            public: line.thread.is_some(),
        })
    }
}
