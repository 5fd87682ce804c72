//! Reading from a cursor on, when the ring does not reach back that far. Single-flight: a thousand
//! dashboards that return at once read, and encode, each page once.

use std::sync::Arc;

use dashmap::DashMap;
use metrics::counter;
use tokio::sync::{OnceCell, Semaphore};

use super::fanout::Delivery;
use super::lane::Frame;
use crate::domain::View;
use crate::ledger::{Ledger, LedgerError};

/// Records read at once.
pub const LIMIT: u32 = 200;
/// Reads at once, so that those who return do not starve those who write.
const READS: usize = 4;

/// Frames of a view after a cursor.
#[derive(Debug)]
pub struct Batch {
    pub frames: Vec<Frame>,
    /// Everything of the view up to this rev is in the client's hands once it has these.
    pub complete_to: i64,
}

type Flight = Arc<OnceCell<Arc<Batch>>>;

pub struct CatchUp {
    ledger: Arc<dyn Ledger>,
    flights: DashMap<(View, i64), Flight>,
    permits: Semaphore,
}

impl CatchUp {
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            flights: DashMap::new(),
            permits: Semaphore::new(READS),
        }
    }

    pub async fn after(&self, view: &View, cursor: i64) -> Result<Arc<Batch>, LedgerError> {
        let key = (view.clone(), cursor);
        let flight = Flight::clone(&self.flights.entry(key.clone()).or_default());
        let landed = flight.get_or_try_init(|| self.read(view, cursor)).await.cloned();
        // Who comes later reads afresh: what landed is a moment's snapshot.
        self.flights.remove_if(&key, |_, one| Arc::ptr_eq(one, &flight));
        landed
    }

    async fn read(&self, view: &View, cursor: i64) -> Result<Arc<Batch>, LedgerError> {
        let _permit = self.permits.acquire().await.map_err(anyhow::Error::from)?;
        let slice = self.ledger.after(view, cursor, LIMIT).await?;
        counter!("crewline_catch_up_reads_total").increment(1);
        let frames = slice
            .records
            .into_iter()
            .filter_map(|record| Delivery::new(record).frame(view).cloned())
            .collect();
        Ok(Arc::new(Batch {
            frames,
            complete_to: slice.complete_to,
        }))
    }
}
