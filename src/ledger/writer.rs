//! Group commit: each transaction takes whatever queued while the last COMMIT was in flight. There is
//! no timer, so an idle ledger adds no latency, and a busy one shares each fsync among hundreds.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use metrics::{counter, histogram};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Sleep;

use super::{Command, Commit, Outcome};
use crate::domain::{Code, Refusal};

/// Commands that may wait. Beyond it callers hear `busy`: bounded memory, and an honest answer.
const QUEUE: usize = 16_384;
/// Commands in one transaction: past some hundreds the fsync is shared well enough.
const BATCH: usize = 256;
/// How long a caller waits before it hears that the outcome is not known.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

pub(super) type Answer = Result<Outcome, Refusal>;

/// Why a transaction failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// It surely did not commit.
    NotCommitted(anyhow::Error),
    /// COMMIT was sent and not answered.
    Unknown(anyhow::Error),
}

/// What a batch did: an answer for each command, in order, and a commit for each org that grew.
pub(super) struct Transacted {
    pub answers: Vec<Answer>,
    pub commits: Vec<Commit>,
}

#[async_trait]
pub(super) trait Engine: Send + 'static {
    /// All of the batch in one transaction. A refused command is an answer, not a failure.
    async fn transact(&mut self, batch: &[Command]) -> Result<Transacted, Failed>;

    async fn close(&mut self);
}

struct Queued {
    command: Command,
    answer: oneshot::Sender<Answer>,
}

/// The door to the writer's task.
pub(super) struct Writer {
    queue: parking_lot::Mutex<Option<mpsc::Sender<Queued>>>,
    done: tokio_util::task::TaskTracker,
}

impl Writer {
    /// Starts the task. Commits go to `commits` before their callers are answered.
    pub fn start(engine: impl Engine, commits: mpsc::Sender<Commit>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let done = tokio_util::task::TaskTracker::new();
        done.spawn(run(engine, receiver, commits));
        done.close();
        Self {
            queue: parking_lot::Mutex::new(Some(sender)),
            done,
        }
    }

    pub fn submit(&self, command: Command) -> Pending {
        let (answer, receiver) = oneshot::channel();
        let queued = match &*self.queue.lock() {
            Some(queue) => queue.try_send(Queued { command, answer }).map_err(|_| ()),
            None => Err(()),
        };
        match queued {
            Ok(()) => Pending(Waiting::For(receiver, Box::pin(tokio::time::sleep(ANSWER_WITHIN)))),
            Err(()) => Pending(Waiting::Refused),
        }
    }

    /// Commits what has queued, then ends.
    pub async fn close(&self) {
        self.queue.lock().take();
        self.done.wait().await;
    }
}

async fn run(mut engine: impl Engine, mut queue: mpsc::Receiver<Queued>, commits: mpsc::Sender<Commit>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        let (batch, answers): (Vec<_>, Vec<_>) =
            waiting.drain(..).map(|queued| (queued.command, queued.answer)).unzip();
        histogram!("crewline_commit_batch").record(batch.len() as f64);
        commit(&mut engine, &batch, answers, &commits).await;
    }
    engine.close().await;
}

/// One bad command must fail alone: a batch that the database refuses is halved until it is found.
fn commit<'a>(
    engine: &'a mut impl Engine,
    batch: &'a [Command],
    mut answers: Vec<oneshot::Sender<Answer>>,
    commits: &'a mpsc::Sender<Commit>,
) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
    Box::pin(async move {
        let started = Instant::now();
        match engine.transact(batch).await {
            Ok(transacted) => {
                histogram!("crewline_commit_seconds").record(started.elapsed().as_secs_f64());
                for commit in transacted.commits {
                    counter!("crewline_records_total").increment(commit.records.len() as u64);
                    // Only at shutdown is nobody there to hear it.
                    let _ = commits.send(commit).await;
                }
                for (to, answer) in answers.into_iter().zip(transacted.answers) {
                    let _ = to.send(answer);
                }
            }
            Err(Failed::NotCommitted(_)) if batch.len() > 1 => {
                counter!("crewline_commit_bisected_total").increment(1);
                let half = batch.len() / 2;
                let rest = answers.split_off(half);
                commit(engine, &batch[..half], answers, commits).await;
                commit(engine, &batch[half..], rest, commits).await;
            }
            Err(failed) => {
                let (code, error) = match failed {
                    Failed::NotCommitted(error) => (Code::NotCommitted, error),
                    Failed::Unknown(error) => (Code::UnknownOutcome, error),
                };
                counter!("crewline_commit_failed_total").increment(batch.len() as u64);
                tracing::error!(commands = batch.len(), code = code.as_str(), error = %format!("{error:#}"), "a transaction failed");
                for to in answers {
                    let _ = to.send(Err(Refusal::new(code, explain(code))));
                }
            }
        }
    })
}

fn explain(code: Code) -> &'static str {
    match code {
        Code::UnknownOutcome => "it may have been kept or not; send it again with the same id to find out",
        Code::Busy => "too much is waiting to be written; try again in a moment",
        _ => "it was not kept; try again in a moment",
    }
}

enum Waiting {
    For(oneshot::Receiver<Answer>, Pin<Box<Sleep>>),
    Refused,
}

/// The answer to a command, when it comes. Dropping it does not take the command back.
pub struct Pending(Waiting);

impl Future for Pending {
    type Output = Result<Outcome, Refusal>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let unknown = || Refusal::new(Code::UnknownOutcome, explain(Code::UnknownOutcome));
        match &mut self.get_mut().0 {
            Waiting::Refused => Poll::Ready(Err(Refusal::new(Code::Busy, explain(Code::Busy)))),
            Waiting::For(answer, patience) => {
                if let Poll::Ready(answer) = Pin::new(answer).poll(cx) {
                    // A writer that went away without an answer may have committed first.
                    return Poll::Ready(answer.unwrap_or_else(|_| Err(unknown())));
                }
                patience.as_mut().poll(cx).map(|()| Err(unknown()))
            }
        }
    }
}
