//! Which sites the orgs list: those whose pages may hold ours, and ask us. Strangers can make this be asked
//! (by an Origin, by an org in a link), so the ledger is asked only once in a while, for all orgs at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Hub;
use crate::domain::{OrgId, is_origin};
use crate::ledger::LedgerError;

/// How late this node may know what was stored by another. What was stored here is known at once.
const KNOWN_FOR: Duration = Duration::from_secs(5);

type Found = Result<Vec<(OrgId, Vec<String>)>, LedgerError>;

#[derive(Default)]
pub(super) struct Sites {
    /// Locked while the ledger is asked: by one, the others wait for the same answer.
    known: tokio::sync::Mutex<Option<Known>>,
    changed: parking_lot::Mutex<Option<Instant>>,
}

struct Known {
    asked: Instant,
    listed: Arc<Listed>,
}

#[derive(Default)]
struct Listed {
    by_org: HashMap<OrgId, Vec<String>>,
    all: HashSet<String>,
}

impl Sites {
    /// An org has other settings now.
    pub fn changed(&self) {
        *self.changed.lock() = Some(Instant::now());
    }

    async fn listed(&self, now: Instant, ask: impl AsyncFnOnce() -> Found) -> Arc<Listed> {
        let mut known = self.known.lock().await;
        let changed = *self.changed.lock();
        if let Some(known) = &*known
            && now.saturating_duration_since(known.asked) < KNOWN_FOR
            && changed.is_none_or(|changed| changed < known.asked)
        {
            return Arc::clone(&known.listed);
        }
        let asked = Instant::now().max(now);
        let listed = match ask().await {
            Ok(found) => Arc::new(Listed::new(found)),
            Err(error) => {
                tracing::error!(%error, "the orgs' sites could not be read");
                let before = known.take().map(|known| known.listed);
                before.unwrap_or_default()
            }
        };
        let answer = Arc::clone(&listed);
        *known = Some(Known { asked, listed });
        answer
    }
}

impl Listed {
    fn new(found: Vec<(OrgId, Vec<String>)>) -> Self {
        let mut listed = Self::default();
        for (org, mut origins) in found {
            // They go into headers, and may have been stored under other rules.
            origins.retain(|origin| is_origin(origin));
            listed.all.extend(origins.iter().cloned());
            listed.by_org.insert(org, origins);
        }
        listed
    }
}

impl Hub {
    /// Whether any org lists this origin among its own.
    pub async fn lists_origin(&self, origin: &str) -> bool {
        self.sites().await.all.contains(origin)
    }

    /// The origins that an org lists; none if there is no such org.
    pub async fn origins_of(&self, org: &OrgId) -> Vec<String> {
        self.sites().await.by_org.get(org).cloned().unwrap_or_default()
    }

    async fn sites(&self) -> Arc<Listed> {
        let ask = async || self.shared.ledger.sites().await;
        self.shared.sites.listed(Instant::now(), ask).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A ledger in which an org lists one more site each time it is asked.
    #[derive(Default)]
    struct Growing(AtomicU32);

    impl Growing {
        async fn ask(&self) -> Found {
            let asked = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let origins = (1..=asked).map(|n| format!("https://{n}.example")).collect();
            Ok(vec![(OrgId::parse("acme").unwrap(), origins)])
        }
    }

    #[tokio::test]
    async fn the_ledger_is_asked_once_in_a_while_however_many_ask() {
        let (sites, ledger) = (Sites::default(), Growing::default());
        let start = Instant::now();
        let all = async |at| sites.listed(at, async || ledger.ask().await).await.all.len();
        for _ in 0..1_000 {
            assert_eq!(all(start).await, 1);
        }
        assert_eq!(all(start + KNOWN_FOR / 2).await, 1);
        assert_eq!(
            all(start + 2 * KNOWN_FOR).await,
            2,
            "what others stored is known in time"
        );
    }

    #[tokio::test]
    async fn what_was_stored_here_is_known_at_once() {
        let (sites, ledger) = (Sites::default(), Growing::default());
        let all = async || {
            sites
                .listed(Instant::now(), async || ledger.ask().await)
                .await
                .all
                .len()
        };
        assert_eq!(all().await, 1);
        sites.changed();
        assert_eq!(all().await, 2);
        assert_eq!(all().await, 2);
        // Stored while the ledger was being asked: the answer may be of before.
        sites.changed();
        let meanwhile = async || {
            let found = ledger.ask().await;
            sites.changed();
            found
        };
        assert_eq!(sites.listed(Instant::now(), meanwhile).await.all.len(), 3);
        assert_eq!(all().await, 4);
    }

    #[tokio::test]
    async fn a_ledger_that_does_not_answer_is_not_asked_by_everybody_either() {
        let (sites, ledger) = (Sites::default(), Growing::default());
        let start = Instant::now();
        sites.listed(start, async || ledger.ask().await).await;
        let asked = AtomicU32::new(0);
        for _ in 0..100 {
            let ask = async || {
                asked.fetch_add(1, Ordering::Relaxed);
                Err(LedgerError(anyhow::anyhow!("gone")))
            };
            let listed = sites.listed(start + 2 * KNOWN_FOR, ask).await;
            assert_eq!(listed.all.len(), 1, "what was known stays");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
