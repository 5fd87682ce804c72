//! The third feeder: it asks the ledger for the heads of the orgs that have sockets here, so that even
//! the loss of the very last publish heals. It also clears away rooms that nobody is in.

use std::time::{Duration, Instant};

use rand::Rng;

use super::{Hub, presence};
use crate::ledger::LedgerError;

/// A room stays for a while after its last socket: reloads come right back.
const LINGER: Duration = Duration::from_secs(30);

/// Orgs in one question to the ledger.
const SLICE: usize = 1_000;
/// While the bus is unwell the sweep is what delivers: within the second that is promised.
const UNWELL: Duration = Duration::from_millis(500);

pub(super) async fn run(hub: Hub) {
    let mut told_presence = Instant::now();
    loop {
        // Jittered, so that the nodes of a cluster do not ask in step.
        let jitter = rand::rng().random_range(0.8..1.0);
        let is_unwell = hub.is_unwell();
        let pause = if is_unwell { UNWELL } else { hub.shared.settings.sweep }.mul_f64(jitter);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = hub.shared.alarm.notified() => {}
        }
        if let Err(error) = hub.ask_around().await {
            tracing::warn!(%error, "nodes could not be asked for");
        }
        if let Err(error) = hub.check_log().await {
            tracing::warn!(%error, "which log it is could not be asked");
        }
        if let Err(error) = hub.sweep_once().await {
            tracing::warn!(%error, "a sweep failed");
        }
        if told_presence.elapsed() >= presence::REPEAT {
            told_presence = Instant::now();
            hub.repeat_presence();
        }
        hub.clear_empty_rooms();
    }
}

impl Hub {
    fn is_unwell(&self) -> bool {
        self.shared.pulse.lock().is_unwell(Instant::now())
    }

    /// Tells the other nodes by way of the database if this one is deaf, and hears the same of them.
    async fn ask_around(&self) -> Result<(), LedgerError> {
        let is_deaf = self.shared.pulse.lock().is_deaf(Instant::now());
        let node = &self.shared.node;
        if is_deaf {
            self.shared.ledger.report_unwell(node).await?;
        }
        let unwell = self.shared.ledger.unwell_nodes().await?;
        self.shared.pulse.lock().reported(&unwell, Instant::now());
        Ok(())
    }

    pub(super) async fn sweep_once(&self) -> Result<(), LedgerError> {
        let orgs: Vec<_> = self.shared.rooms.iter().map(|room| room.org.clone()).collect();
        for slice in orgs.chunks(SLICE) {
            for (org, rev) in self.shared.ledger.heads(slice).await? {
                let Some(room) = self.room(&org) else { continue };
                if let Some(hole) = room.hint(rev) {
                    self.heal(room, hole);
                } else if room.claim_refreshing() {
                    let hub = self.clone();
                    self.spawn(async move { hub.refresh_badges(&room).await });
                }
            }
        }
        Ok(())
    }

    fn repeat_presence(&self) {
        let rooms: Vec<_> = self.shared.rooms.iter().map(|room| room.clone()).collect();
        for room in rooms {
            room.presence_expire();
            self.tell_here(&room.org, room.presence_here(), Vec::new());
        }
    }

    fn clear_empty_rooms(&self) {
        let is_over = |since: Option<Instant>| since.is_some_and(|since| since.elapsed() > LINGER);
        let over: Vec<_> = self
            .shared
            .rooms
            .iter()
            .filter(|room| is_over(room.empty_since()))
            .map(|room| room.org.clone())
            .collect();
        for org in over {
            // Somebody may hold it who is about to join; then it is not ours alone.
            let gone = self.shared.rooms.remove_if(&org, |_, room| {
                is_over(room.empty_since()) && std::sync::Arc::strong_count(room) == 1
            });
            if gone.is_some() {
                self.shared.bus.unsubscribe(&org);
            }
        }
    }
}
