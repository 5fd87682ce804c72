//! What did not come by itself is read from the ledger: records in a hole, and the badges that would have come
//! with them.

use std::sync::Arc;
use std::time::Duration;

use super::roster::Room;
use super::{Hole, Hub, catch_up};
use crate::domain::View;

/// How long a hole waits for a straggler before the ledger is asked.
const STRAGGLER: Duration = Duration::from_millis(5);

impl Hub {
    /// Waits a moment for a straggler, then reads what is missing.
    pub(super) fn heal(&self, room: Arc<Room>, hole: Hole) {
        let hub = self.clone();
        self.spawn(async move {
            tokio::time::sleep(STRAGGLER).await;
            let mut hole = room.still_missing().map(|missing| Hole {
                up_to: hole.up_to.max(missing.up_to),
                ..missing
            });
            while let Some(missing) = hole {
                let view = View::Team { org: room.org.clone() };
                match hub.shared.ledger.after(&view, missing.after, catch_up::LIMIT).await {
                    // Told of a rev that the ledger does not have: nothing to heal, and no reason to spin.
                    Ok(slice) if slice.records.is_empty() => {
                        room.give_up_healing();
                        break;
                    }
                    Ok(slice) => hole = room.heal(slice.records),
                    Err(error) => {
                        tracing::warn!(%error, "a hole could not be healed; the sweep tries again");
                        room.give_up_healing();
                        break;
                    }
                }
            }
            if room.claim_refreshing() {
                hub.refresh_badges(&room).await;
            }
        });
    }

    /// Badges that are stale since something was healed; what becomes so meanwhile is taken along. The caller
    /// has claimed it: a room asks for one badge at a time, however often it heals.
    pub(super) async fn refresh_badges(&self, room: &Room) {
        while let Some(view) = room.next_stale() {
            match self.shared.ledger.head(&view).await {
                Ok(Some(head)) => room.badge(&view, head.badge),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a badge could not be read; the sweep tries again");
                    room.give_up_refreshing(view);
                    return;
                }
            }
        }
    }
}
