//! The orgs' locks: an org's row in `heads`.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use sqlx::PgConnection;

use super::keys::Keys;
use crate::domain::{Chain, OrgId};
use crate::ledger::OrgHead;
use crate::ledger::rows::{self, Cells};
use crate::ledger::writer::Locks;

macro_rules! lock {
    ($how:literal) => {
        concat!(
            "SELECT rev, at, hash, new, waiting, org FROM heads WHERE org = ANY($1) ORDER BY org FOR UPDATE",
            $how
        )
    };
}

pub(super) struct Locked {
    /// As they are under the lock.
    pub heads: HashMap<OrgId, OrgHead>,
    /// There, but held by another node; their commands have to wait.
    pub held: BTreeSet<OrgId>,
}

/// Locks the batch's orgs, in order. What is neither locked nor held does not exist.
pub(super) async fn lock(connection: &mut PgConnection, keys: &Keys, locks: Locks) -> Result<Locked> {
    if locks == Locks::Wait {
        make(connection, &keys.made).await?;
    }
    let sql = match locks {
        Locks::Skip => lock!(" SKIP LOCKED"),
        Locks::Wait => lock!(""),
    };
    let orgs: Vec<_> = keys.orgs.iter().map(OrgId::as_str).collect();
    let mut heads = HashMap::new();
    for row in &sqlx::query(sql).bind(orgs).fetch_all(&mut *connection).await? {
        heads.insert(rows::org_id(row.text(5)?)?, rows::org_head(row, 0)?);
    }
    let missing: Vec<_> = keys.orgs.iter().filter(|org| !heads.contains_key(*org)).collect();
    let mut held = BTreeSet::new();
    if locks == Locks::Skip && !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|org| org.as_str()).collect();
        let there = sqlx::query("SELECT org FROM heads WHERE org = ANY($1)")
            .bind(names)
            .fetch_all(&mut *connection)
            .await?;
        for row in &there {
            held.insert(rows::org_id(row.text(0)?)?);
        }
        // A new org goes aside as well: making its row may have to wait for a node that makes it too.
        held.extend(missing.into_iter().filter(|org| keys.made.contains(*org)).cloned());
    }
    Ok(Locked { heads, held })
}

/// A row to lock for an org that does not exist yet. The primary key is what two nodes meet at, so no
/// other lock is needed that would have to be taken for every org.
async fn make(connection: &mut PgConnection, orgs: &BTreeSet<OrgId>) -> Result<()> {
    for org in orgs {
        sqlx::query(
            "INSERT INTO heads (org, rev, at, hash, new, waiting) VALUES ($1, 0, 0, $2, 0, 0) ON CONFLICT DO NOTHING",
        )
        .bind(org.as_str())
        .bind(Chain::START.0.as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
