//! Group commit: each transaction takes whatever queued while the last COMMIT was in flight. There is
//! no timer, so an idle ledger adds no latency, and a busy one shares each fsync among hundreds. Whoever
//! waits goes [first](super::lanes).

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use metrics::{counter, histogram};
use rand::Rng;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::aside::Aside;
use super::lanes::{Entrance, Lanes, lanes};
use super::pending::{Pending, Queued};
use super::{Command, Commit, OrgId};
use crate::domain::Code;

pub(super) use super::pending::Answer;

/// Commands in one transaction: past some hundreds the fsync is shared well enough.
pub(super) const BATCH: usize = 256;

/// Why a transaction failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// The database refused something in it, and nothing of it was committed: a smaller one may do.
    Refused(anyhow::Error),
    /// No connection, or no lock in time. Nothing was committed and no command is to blame: the same
    /// again may do.
    Unavailable(anyhow::Error),
    /// COMMIT was sent and not answered.
    Unknown(anyhow::Error),
}

/// What to do about an org that another node holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locks {
    /// Leave its commands unanswered; they go aside.
    Skip,
    Wait,
}

/// What a batch did: an answer for each command, in order (none if its org was skipped), and a commit
/// for each org that grew.
pub(super) struct Transacted {
    pub answers: Vec<Option<Answer>>,
    pub commits: Vec<Commit>,
}

#[async_trait]
pub(super) trait Engine: Send + 'static {
    /// Gets ready for a batch: nothing of one can be committed before.
    async fn connect(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    /// All of the batch in one transaction. A refused command is an answer, not a failure.
    async fn transact(&mut self, batch: &[&Command], locks: Locks) -> Result<Transacted, Failed>;

    async fn close(&mut self);
}

/// The door to the writers' tasks. An org belongs to one of them, so that its commands keep their order in
/// their lane and two transactions of one node never wait for each other.
pub(super) struct Writer {
    entrances: parking_lot::Mutex<Vec<Entrance>>,
    tasks: TaskTracker,
}

impl Writer {
    /// Starts a task for each of `engines`; those of `aside` commit what the others had to skip.
    /// Commits go to `commits` before their callers are answered.
    pub fn start<E: Engine>(engines: Vec<E>, aside: Vec<E>, commits: mpsc::Sender<Commit>) -> Self {
        let tasks = TaskTracker::new();
        let aside = Arc::new(Aside::new(aside, tasks.clone()));
        let entrances = engines
            .into_iter()
            .map(|engine| {
                let (entrance, lanes) = lanes();
                tasks.spawn(run(engine, lanes, commits.clone(), Arc::clone(&aside)));
                entrance
            })
            .collect();
        tasks.close();
        Self {
            entrances: parking_lot::Mutex::new(entrances),
            tasks,
        }
    }

    pub fn submit(&self, command: Command) -> Pending {
        let entrances = self.entrances.lock();
        if entrances.is_empty() {
            return Pending::refused();
        }
        let entrance = &entrances[home(command.org(), entrances.len())];
        let (queued, pending) = Queued::new(command);
        match entrance.put(queued) {
            true => pending,
            false => Pending::refused(),
        }
    }

    /// Commits what has queued, then ends.
    pub async fn close(&self) {
        self.entrances.lock().clear();
        self.tasks.wait().await;
    }
}

fn home(org: &OrgId, writers: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    org.hash(&mut hasher);
    (hasher.finish() % writers as u64) as usize
}

async fn run<E: Engine>(mut engine: E, mut lanes: Lanes, commits: mpsc::Sender<Commit>, aside: Arc<Aside<E>>) {
    loop {
        let mut batch = lanes.next().await;
        if batch.is_empty() {
            break;
        }
        histogram!("crewline_commit_batch").record(batch.len() as f64);
        let mut pause = Pause::default();
        loop {
            batch = attempt(&mut engine, batch, &commits, Some(&aside)).await;
            if batch.is_empty() {
                break;
            }
            pause.wait().await;
        }
    }
    engine.close().await;
}

/// One try. Gives back, in order, what surely did not commit and is worth trying again.
///
/// One bad command must fail alone: a batch that the database refuses is halved until it is found.
pub(super) fn attempt<'a, E: Engine>(
    engine: &'a mut E,
    mut batch: Vec<Queued>,
    commits: &'a mpsc::Sender<Commit>,
    aside: Option<&'a Arc<Aside<E>>>,
) -> Pin<Box<dyn Future<Output = Vec<Queued>> + Send + 'a>> {
    Box::pin(async move {
        if let Some(aside) = aside {
            batch = aside.queue_behind(batch);
        }
        if batch.is_empty() {
            return batch;
        }
        if let Err(error) = engine.connect().await {
            return later(batch, &error);
        }
        batch.retain(Queued::take_up);
        if batch.is_empty() {
            return batch;
        }
        let started = Instant::now();
        let commands: Vec<_> = batch.iter().map(|queued| &queued.command).collect();
        let locks = if aside.is_some() { Locks::Skip } else { Locks::Wait };
        match engine.transact(&commands, locks).await {
            Ok(transacted) => {
                histogram!("crewline_commit_seconds").record(started.elapsed().as_secs_f64());
                for commit in transacted.commits {
                    counter!("crewline_records_total").increment(commit.records.len() as u64);
                    // Only at shutdown is nobody there to hear it.
                    let _ = commits.send(commit).await;
                }
                let mut skipped = Vec::new();
                for (queued, answer) in batch.into_iter().zip(transacted.answers) {
                    match answer {
                        Some(answer) => queued.answer(answer),
                        None => {
                            queued.put_back();
                            skipped.push(queued);
                        }
                    }
                }
                if let Some(aside) = aside {
                    aside.park(skipped, commits);
                }
                Vec::new()
            }
            Err(Failed::Refused(_)) if batch.len() > 1 => {
                counter!("crewline_commit_bisected_total").increment(1);
                batch.iter().for_each(Queued::put_back);
                let rest = batch.split_off(batch.len() / 2);
                let mut again = attempt(engine, batch, commits, aside).await;
                if again.is_empty() {
                    return attempt(engine, rest, commits, aside).await;
                }
                again.extend(rest);
                again
            }
            Err(Failed::Unavailable(error)) => {
                batch.iter().for_each(Queued::put_back);
                later(batch, &error)
            }
            Err(Failed::Refused(error)) => refuse(batch, Code::NotCommitted, &error),
            Err(Failed::Unknown(error)) => refuse(batch, Code::UnknownOutcome, &error),
        }
    })
}

/// What may be tried again, as long as its caller waits.
fn later(batch: Vec<Queued>, error: &anyhow::Error) -> Vec<Queued> {
    tracing::warn!(commands = batch.len(), error = %format!("{error:#}"), "a transaction has to be tried again");
    let (old, young) = batch.into_iter().partition(Queued::is_too_old);
    refuse(old, Code::NotCommitted, error);
    young
}

fn refuse(batch: Vec<Queued>, code: Code, error: &anyhow::Error) -> Vec<Queued> {
    if !batch.is_empty() {
        counter!("crewline_commit_failed_total").increment(batch.len() as u64);
        tracing::error!(commands = batch.len(), code = code.as_str(), error = %format!("{error:#}"), "a transaction failed");
    }
    batch.into_iter().for_each(|queued| queued.refuse(code));
    Vec::new()
}

/// Between tries: longer each time, and not in step with other nodes.
#[derive(Default)]
pub(super) struct Pause(u32);

impl Pause {
    pub async fn wait(&mut self) {
        let most = (10u64 << self.0.min(6)).min(500);
        self.0 += 1;
        let pause = rand::rng().random_range(most / 2..=most);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
