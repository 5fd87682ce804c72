//! Where the commands of an org wait that another node holds: on other connections, so that the rest
//! of their batch commits at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::lanes::Turns;
use super::pending::Queued;
use super::writer::{Engine, Pause, attempt};
use super::{Commit, OrgId};
use crate::domain::Code;

/// Commands of one org that may wait here, in each lane.
const BEHIND: usize = 4_096;

pub(super) struct Aside<E> {
    /// An org is here from when it was first skipped until nothing of it waits any more. Whatever comes
    /// for it meanwhile queues here too: that keeps the order.
    parked: Mutex<HashMap<OrgId, Parked>>,
    idle: Mutex<Vec<E>>,
    free: Semaphore,
    tasks: TaskTracker,
}

/// What waits of one org, in lanes as before: nobody stands behind thousands of reports here either.
#[derive(Default)]
struct Parked {
    awaited: VecDeque<Queued>,
    background: VecDeque<Queued>,
}

impl Parked {
    fn lane(&mut self, is_awaited: bool) -> &mut VecDeque<Queued> {
        match is_awaited {
            true => &mut self.awaited,
            false => &mut self.background,
        }
    }

    fn put(&mut self, queued: Queued) {
        let lane = self.lane(queued.command.is_awaited());
        match lane.len() < BEHIND {
            true => lane.push_back(queued),
            false => queued.refuse(Code::Busy),
        }
    }

    /// What was taken last, and surely did not commit.
    fn put_back(&mut self, batch: Vec<Queued>) {
        for queued in batch.into_iter().rev() {
            self.lane(queued.command.is_awaited()).push_front(queued);
        }
    }

    fn take(&mut self, turns: &mut Turns) -> Vec<Queued> {
        turns.take(&mut self.awaited, &mut self.background)
    }
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
                Some(waiting) => waiting.put(queued),
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
                Parked::default()
            });
            waiting.put(queued);
        }
    }

    async fn go_alone(self: Arc<Self>, org: OrgId, commits: mpsc::Sender<Commit>) {
        let mut batch = Vec::new();
        let mut turns = Turns::new(Instant::now());
        let mut pause = Pause::default();
        loop {
            {
                let mut parked = self.parked.lock();
                let Some(waiting) = parked.get_mut(&org) else { return };
                waiting.put_back(batch);
                batch = waiting.take(&mut turns);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;

    use super::*;
    use crate::domain::{AttemptId, Report, Sub};
    use crate::ledger::writer::{Failed, Locks, Transacted};
    use crate::ledger::{Command, Outcome, Pending};

    /// Has the org's lock when the gate opens, and tells of each batch how many were awaited and how many not.
    struct Held {
        gate: Arc<Semaphore>,
        done: Arc<Mutex<Vec<(usize, usize)>>>,
    }

    #[async_trait]
    impl Engine for Held {
        async fn transact(&mut self, batch: &[&Command], _: Locks) -> Result<Transacted, Failed> {
            self.gate.acquire().await.unwrap().forget();
            tokio::time::sleep(Duration::from_millis(10)).await;
            let awaited = batch.iter().filter(|command| command.is_awaited()).count();
            self.done.lock().push((awaited, batch.len() - awaited));
            Ok(Transacted {
                answers: batch.iter().map(|_| Some(Ok(Outcome::Unchanged))).collect(),
                commits: Vec::new(),
            })
        }

        async fn close(&mut self) {}
    }

    struct Scene {
        aside: Arc<Aside<Held>>,
        gate: Arc<Semaphore>,
        done: Arc<Mutex<Vec<(usize, usize)>>>,
        tasks: TaskTracker,
    }

    impl Scene {
        /// Another node holds the org while a report comes, which waits for the lock.
        async fn new() -> Self {
            let (gate, done, tasks) = (Arc::new(Semaphore::new(0)), Arc::default(), TaskTracker::new());
            let engine = Held {
                gate: Arc::clone(&gate),
                done: Arc::clone(&done),
            };
            let aside = Arc::new(Aside::new(vec![engine], tasks.clone()));
            let (commits, _) = mpsc::channel(1);
            aside.park(vec![report().0], &commits);
            // It is being tried from now on.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Self {
                aside,
                gate,
                done,
                tasks,
            }
        }

        fn put(&self, (queued, pending): (Queued, Pending)) -> Pending {
            assert!(self.aside.queue_behind(vec![queued]).is_empty());
            pending
        }

        /// The batches of all that waits.
        async fn let_go(self) -> Vec<(usize, usize)> {
            self.gate.add_permits(1_000);
            self.tasks.close();
            self.tasks.wait().await;
            let done = self.done.lock();
            done.clone()
        }
    }

    fn report() -> (Queued, Pending) {
        Queued::new(Command::Report {
            org: OrgId::parse("acme").unwrap(),
            attempt: AttemptId::random(),
            report: Report::Uncertain,
        })
    }

    fn message() -> (Queued, Pending) {
        Queued::new(Command::Revoke {
            org: OrgId::parse("acme").unwrap(),
            sub: Sub::parse("sam").unwrap(),
        })
    }

    #[tokio::test]
    async fn whoever_waits_for_an_org_that_is_held_does_not_stand_behind_its_reports() {
        let scene = Scene::new().await;
        let _reports: Vec<_> = (0..1_000).map(|_| scene.put(report())).collect();
        let _message = scene.put(message());
        let done = scene.let_go().await;
        assert_eq!(done[..2], [(0, 1), (1, 0)], "{done:?}");
        assert!(
            done[2..].iter().all(|(_, reports)| *reports <= 32),
            "in bites: {done:?}"
        );
        assert_eq!(done.iter().map(|(_, reports)| reports).sum::<usize>(), 1_001);
    }

    #[tokio::test]
    async fn reports_of_an_org_that_is_held_leave_room_for_whoever_waits() {
        let scene = Scene::new().await;
        let reports: Vec<_> = (0..BEHIND + 1).map(|_| scene.put(report())).collect();
        let message = scene.put(message());
        scene.let_go().await;
        assert_eq!(message.await, Ok(Outcome::Unchanged));
        let mut busy = 0;
        for report in reports {
            busy += usize::from(report.await.is_err_and(|refusal| refusal.code == Code::Busy));
        }
        assert_eq!(busy, 1, "what is too much is refused, and its caller tries again");
    }

    #[tokio::test]
    async fn reports_of_an_org_that_is_held_do_not_starve() {
        let scene = Scene::new().await;
        let _reports: Vec<_> = (0..10).map(|_| scene.put(report())).collect();
        // Sixteen batches of 10 ms; the background rests 100 ms at most.
        let _messages: Vec<_> = (0..BEHIND).map(|_| scene.put(message())).collect();
        let done = scene.let_go().await;
        assert_eq!(done.iter().map(|(_, reports)| reports).sum::<usize>(), 11);
        assert_eq!(done.last().unwrap().1, 0, "{done:?}");
    }
}
