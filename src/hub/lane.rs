//! What waits for one socket. The hub pushes and never waits; the socket's task takes.
//!
//! A slow socket costs one integer: when its lane is full, the lane forgets what it holds, shuts, and
//! the socket's task catches up by its cursor once it has been able to write again.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use metrics::counter;
use parking_lot::Mutex;

use crate::protocol::Text;

/// Frames, and bytes of them, that may wait. Frames are shared: the bytes count what one socket keeps
/// alive alone in the worst case.
const MOST_FRAMES: usize = 256;
const MOST_BYTES: usize = 64 * 1024;

/// A change, encoded for one view.
#[derive(Debug, Clone)]
pub struct Frame {
    pub rev: i64,
    /// The view's own number.
    pub number: i64,
    pub text: Text,
}

#[derive(Debug)]
pub enum Out {
    Change(Frame),
    /// Typing, presence, a badge: of the moment, without a number.
    Passing(Text),
    /// The lane overflowed: catch up.
    Behind,
    Close {
        code: u16,
        reason: &'static str,
    },
}

#[derive(Default)]
struct Waiting {
    open: bool,
    behind: bool,
    /// Changes not above it are already on their way to the client.
    floor: i64,
    frames: VecDeque<Queued>,
    bytes: usize,
    /// Only the newest counts.
    badge: Option<Text>,
    close: Option<(u16, &'static str)>,
}

enum Queued {
    Change(Frame),
    Passing(Text),
}

#[derive(Default)]
pub struct Lane {
    waiting: Mutex<Waiting>,
    waker: AtomicWaker,
}

impl Lane {
    /// From here on changes above `floor` are queued. Called in the sequencer's turn.
    pub fn open(&self, floor: i64) {
        let mut waiting = self.waiting.lock();
        waiting.open = true;
        waiting.floor = floor;
    }

    /// Whether it was queued. A shut lane queues nothing.
    pub fn push(&self, frame: &Frame) -> bool {
        let mut waiting = self.waiting.lock();
        if !waiting.open || frame.number <= waiting.floor {
            return false;
        }
        if waiting.frames.len() >= MOST_FRAMES || waiting.bytes + frame.text.len() > MOST_BYTES.max(frame.text.len()) {
            counter!("crewline_slow_sockets_total").increment(1);
            waiting.open = false;
            waiting.behind = true;
            waiting.frames = VecDeque::new();
            waiting.bytes = 0;
            waiting.badge = None;
        } else {
            waiting.bytes += frame.text.len();
            waiting.frames.push_back(Queued::Change(frame.clone()));
        }
        drop(waiting);
        self.waker.wake();
        true
    }

    /// For what is only of the moment: a lane that is shut or half full goes without.
    pub fn pass(&self, text: &Text) {
        let mut waiting = self.waiting.lock();
        if !waiting.open || waiting.frames.len() >= MOST_FRAMES / 2 || waiting.bytes >= MOST_BYTES / 2 {
            return;
        }
        waiting.bytes += text.len();
        waiting.frames.push_back(Queued::Passing(text.clone()));
        drop(waiting);
        self.waker.wake();
    }

    pub fn badge(&self, text: &Text) {
        let mut waiting = self.waiting.lock();
        if waiting.open {
            waiting.badge = Some(text.clone());
            drop(waiting);
            self.waker.wake();
        }
    }

    pub fn close(&self, code: u16, reason: &'static str) {
        self.waiting.lock().close.get_or_insert((code, reason));
        self.waker.wake();
    }

    /// Whether the hub has closed it. Registers for being woken.
    pub fn poll_closed(&self, cx: &mut Context<'_>) -> Option<(u16, &'static str)> {
        self.waker.register(cx.waker());
        self.waiting.lock().close
    }

    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Out> {
        self.waker.register(cx.waker());
        let mut waiting = self.waiting.lock();
        if let Some((code, reason)) = waiting.close {
            return Poll::Ready(Out::Close { code, reason });
        }
        if let Some(queued) = waiting.frames.pop_front() {
            return Poll::Ready(match queued {
                Queued::Change(frame) => {
                    waiting.bytes -= frame.text.len();
                    Out::Change(frame)
                }
                Queued::Passing(text) => {
                    waiting.bytes -= text.len();
                    Out::Passing(text)
                }
            });
        }
        if std::mem::take(&mut waiting.behind) {
            return Poll::Ready(Out::Behind);
        }
        // An idle socket keeps no queue.
        if waiting.frames.capacity() > 0 {
            waiting.frames = VecDeque::new();
        }
        match waiting.badge.take() {
            Some(text) => Poll::Ready(Out::Passing(text)),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn frame(number: i64) -> Frame {
        Frame {
            rev: number,
            number,
            text: Text::from_static("{}"),
        }
    }

    fn take(lane: &Lane) -> Option<Out> {
        match lane.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(out) => Some(out),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_full_lane_forgets_and_says_that_it_is_behind() {
        let lane = Lane::default();
        assert!(!lane.push(&frame(1)), "a gated lane queues nothing");
        lane.open(1);
        assert!(!lane.push(&frame(1)), "already on its way");
        for number in 2..2 + MOST_FRAMES as i64 {
            lane.push(&frame(number));
        }
        assert!(matches!(take(&lane), Some(Out::Change(Frame { number: 2, .. }))));
        lane.push(&frame(1_000));
        lane.push(&frame(1_001));
        assert!(matches!(take(&lane), Some(Out::Behind)));
        assert!(take(&lane).is_none());
        assert!(!lane.push(&frame(1_002)), "shut until it has caught up");
    }

    #[test]
    fn only_the_newest_badge_waits_and_it_comes_after_the_changes() {
        let lane = Lane::default();
        lane.open(0);
        lane.badge(&Text::from_static("old"));
        lane.push(&frame(1));
        lane.badge(&Text::from_static("new"));
        assert!(matches!(take(&lane), Some(Out::Change(_))));
        assert!(matches!(take(&lane), Some(Out::Passing(text)) if text.as_str() == "new"));
        assert!(take(&lane).is_none());
    }
}
