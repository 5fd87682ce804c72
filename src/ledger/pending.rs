//! A command between its caller and the writer: what the caller awaits, and what the writer answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::{Command, Outcome};
use crate::domain::{Code, Refusal};

/// How long a caller waits, and how long a command is tried.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

pub(super) type Answer = Result<Outcome, Refusal>;

/// Where a command is. Caller and writer race over it, so that nobody hears `not_committed` of what
/// is committed a moment later.
const WAITS: u8 = 0;
const IS_TRIED: u8 = 1;
const GIVEN_UP: u8 = 2;

/// The writer's end.
pub(super) struct Queued {
    pub command: Command,
    answer: oneshot::Sender<Answer>,
    place: Arc<AtomicU8>,
    since: Instant,
}

impl Queued {
    pub fn new(command: Command) -> (Self, Pending) {
        let (answer, receiver) = oneshot::channel();
        let place = Arc::new(AtomicU8::new(WAITS));
        let queued = Self {
            command,
            answer,
            place: Arc::clone(&place),
            since: Instant::now(),
        };
        let patience = Box::pin(tokio::time::sleep(ANSWER_WITHIN));
        (queued, Pending(Waiting::For(receiver, place, patience)))
    }

    /// From here on it may get committed. False if the caller has been told that it was not.
    pub fn take_up(&self) -> bool {
        let taken = self
            .place
            .compare_exchange(WAITS, IS_TRIED, Ordering::AcqRel, Ordering::Acquire);
        taken.is_ok()
    }

    /// What was tried surely did not commit.
    pub fn put_back(&self) {
        self.place.store(WAITS, Ordering::Release);
    }

    pub fn is_too_old(&self) -> bool {
        self.since.elapsed() >= ANSWER_WITHIN
    }

    pub fn answer(self, answer: Answer) {
        // The caller may have gone.
        let _ = self.answer.send(answer);
    }

    pub fn refuse(self, code: Code) {
        self.answer(Err(refusal(code)));
    }
}

fn refusal(code: Code) -> Refusal {
    let explained = match code {
        Code::UnknownOutcome => "it may have been kept or not; send it again with the same id to find out",
        Code::Busy => "too much is waiting to be written; try again in a moment",
        _ => "it was not kept; try again in a moment",
    };
    Refusal::new(code, explained)
}

enum Waiting {
    For(oneshot::Receiver<Answer>, Arc<AtomicU8>, Pin<Box<Sleep>>),
    Answered(Box<Answer>),
}

/// The answer to a command, when it comes. Dropping it does not take the command back.
pub struct Pending(Waiting);

impl Pending {
    /// An answer that is there already, for an engine that needs no queue.
    pub fn answered(answer: Result<Outcome, Refusal>) -> Self {
        Self(Waiting::Answered(Box::new(answer)))
    }

    /// The answer to what found no room in the queue.
    pub(super) fn refused() -> Self {
        Self::answered(Err(refusal(Code::Busy)))
    }
}

impl Future for Pending {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.get_mut().0 {
            Waiting::Answered(answer) => Poll::Ready(answer.as_ref().clone()),
            Waiting::For(answer, place, patience) => {
                if let Poll::Ready(answer) = Pin::new(answer).poll(cx) {
                    // A writer that went away without an answer may have committed first.
                    return Poll::Ready(answer.unwrap_or_else(|_| Err(refusal(Code::UnknownOutcome))));
                }
                patience.as_mut().poll(cx).map(|()| {
                    let given_up = place.compare_exchange(WAITS, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire);
                    Err(refusal(match given_up {
                        Ok(_) => Code::NotCommitted,
                        Err(_) => Code::UnknownOutcome,
                    }))
                })
            }
        }
    }
}
