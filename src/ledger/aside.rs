//! Where the commands of an org wait that another node holds: on other connections, so that the rest
//! of their batch commits at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::pending::Queued;
use super::writer::{BATCH, Engine, Pause, attempt};
use super::{Commit, OrgId};
use crate::domain::Code;

/// Commands of one org that may wait here.
const BEHIND: usize = 4_096;

pub(super) struct Aside<E> {
    /// An org is here from when it was first skipped until nothing of it waits any more. Whatever comes
    /// for it meanwhile queues here too: that keeps the order.
    parked: Mutex<HashMap<OrgId, Vec<Queued>>>,
    idle: Mutex<Vec<E>>,
    free: Semaphore,
    tasks: TaskTracker,
}

impl<E: Engine> Aside<E> {
    pub fn new(engines: Vec<E>, tasks: TaskTracker) -> Self {
        Self {
            parked: Mutex::default(),
            free: Semaphore::new(engines.len()),
            idle: Mutex::new(engines),
            tasks,
        }
    }

    /// Keeps the commands whose org waits here, and gives back the others.
    pub fn queue_behind(&self, batch: Vec<Queued>) -> Vec<Queued> {
        let mut parked = self.parked.lock();
        if parked.is_empty() {
            return batch;
        }
        let mut others = Vec::with_capacity(batch.len());
        for queued in batch {
            match parked.get_mut(queued.command.org()) {
                Some(waiting) if waiting.len() < BEHIND => waiting.push(queued),
                Some(_) => queued.refuse(Code::Busy),
                None => others.push(queued),
            }
        }
        others
    }

    /// Takes over what was skipped; its org was not here before.
    pub fn park(self: &Arc<Self>, skipped: Vec<Queued>, commits: &mpsc::Sender<Commit>) {
        let mut parked = self.parked.lock();
        for queued in skipped {
            let org = queued.command.org().clone();
            let waiting = parked.entry(org.clone()).or_insert_with(|| {
                metrics::counter!("crewline_orgs_skipped_total").increment(1);
                self.tasks.spawn(Arc::clone(self).go_alone(org, commits.clone()));
                Vec::new()
            });
            waiting.push(queued);
        }
    }

    async fn go_alone(self: Arc<Self>, org: OrgId, commits: mpsc::Sender<Commit>) {
        let mut batch: Vec<Queued> = Vec::new();
        let mut pause = Pause::default();
        loop {
            {
                let mut parked = self.parked.lock();
                if let Some(waiting) = parked.get_mut(&org) {
                    let room = BATCH.saturating_sub(batch.len()).min(waiting.len());
                    batch.extend(waiting.drain(..room));
                }
                if batch.is_empty() {
                    parked.remove(&org);
                    return;
                }
            }
            // Only for the length of one try: an org that stays locked does not keep others waiting.
            let Ok(turn) = self.free.acquire().await else {
                return;
            };
            let Some(mut engine) = self.idle.lock().pop() else {
                return;
            };
            batch = attempt(&mut engine, batch, &commits, None).await;
            self.idle.lock().push(engine);
            drop(turn);
            if batch.is_empty() {
                pause = Pause::default();
            } else {
                pause.wait().await;
            }
        }
    }
}
