//! Chooses what goes out next: replies first, then what was missed, then what passes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{Sink, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::guard::Guarded;
use super::session::IN_FLIGHT;
use crate::auth::Identity;
use crate::domain::Refusal;
use crate::hub::{Batch, Frame, Guest, Out, Seated, Step};
use crate::protocol::{self, Limits, Text};

type Stream = WebSocketStream<Guarded<TcpStream>>;

/// What became of a turn of writing.
pub(super) enum Sent {
    /// Everything that can be written is; the task is woken when there is more.
    Waiting,
    Gone,
    Close {
        code: u16,
        reason: &'static str,
    },
}

pub(super) struct Outbound {
    seated: Arc<Seated>,
    /// The number of the last change that went out.
    cursor: i64,
    /// Everything of the view up to this rev went out.
    have_rev: i64,
    /// Whether the gate is shut and the cursor is behind.
    catching_up: Option<CatchingUp>,
    /// Commands and questions under way. Their answers go out in the order in which they come.
    in_flight: FuturesUnordered<BoxFuture<'static, Option<Text>>>,
    replies: VecDeque<Text>,
    ping_due: bool,
    unflushed: bool,
}

#[derive(Default)]
struct CatchingUp {
    frames: VecDeque<Frame>,
    /// Reached once `frames` are out.
    have_rev: i64,
    reading: Option<BoxFuture<'static, Result<Arc<Batch>, Refusal>>>,
}

impl Outbound {
    /// Starts with `reset` if there was one, `welcome`, and then what was missed.
    pub fn new(guest: &Guest, seated: Seated, limits: &Limits) -> Self {
        let welcome = &seated.welcome;
        let mut replies = VecDeque::new();
        if let Some(reason) = welcome.reset {
            replies.push_back(Text::from(protocol::reset(reason)));
        }
        let session = uuid::Uuid::now_v7().simple().to_string();
        replies.push_back(Text::from(protocol::welcome(
            &session,
            &guest.you(),
            guest.business().as_ref(),
            welcome.cursor,
            &welcome.log,
            limits,
        )));
        let (cursor, have_rev) = (welcome.cursor, welcome.have_rev);
        Self {
            seated: Arc::new(seated),
            cursor,
            have_rev,
            catching_up: Some(CatchingUp {
                have_rev,
                ..CatchingUp::default()
            }),
            in_flight: FuturesUnordered::new(),
            replies,
            ping_due: false,
            unflushed: false,
        }
    }

    pub fn seated(&self) -> Arc<Seated> {
        Arc::clone(&self.seated)
    }

    pub fn reply(&mut self, text: Text) {
        self.replies.push_back(text);
    }

    /// An answer, if there is one, when it is there.
    pub fn later(&mut self, answer: impl Future<Output = Option<Text>> + Send + 'static) {
        self.in_flight.push(Box::pin(answer));
    }

    pub fn pong(&mut self) {
        let head = self.seated.head();
        self.reply(Text::from(protocol::pong(head)));
    }

    pub fn ping(&mut self) {
        self.ping_due = true;
    }

    pub fn flush_soon(&mut self) {
        self.unflushed = true;
    }

    pub fn refresh(&self, identity: Identity) -> Result<(), Refusal> {
        self.seated.refresh(identity)
    }

    /// When the token expires, in seconds since 1970.
    pub fn expires(&self) -> i64 {
        self.seated.member.identity.lock().exp
    }

    /// As many answers are owed as one socket may have owed.
    pub fn is_full(&self) -> bool {
        self.in_flight.len() + self.replies.len() >= IN_FLIGHT
    }

    pub fn poll(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Sent {
        while let Poll::Ready(Some(answer)) = self.in_flight.poll_next_unpin(cx) {
            self.replies.extend(answer);
        }
        loop {
            match Pin::new(&mut *stream).poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Sent::Gone,
                // The peer does not take what it has been sent. What else there is waits in the lane,
                // which forgets it when it is too much; only being closed is looked for.
                Poll::Pending => return self.closed(cx).unwrap_or(Sent::Waiting),
            }
            let message = match self.next(cx) {
                Next::Message(message) => message,
                Next::Again => continue,
                Next::Nothing => break,
                Next::End(sent) => return sent,
            };
            if Pin::new(&mut *stream).start_send(message).is_err() {
                return Sent::Gone;
            }
            self.unflushed = true;
        }
        if self.unflushed {
            match Pin::new(stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => return Sent::Gone,
                Poll::Pending => {}
            }
        }
        Sent::Waiting
    }

    fn closed(&mut self, cx: &mut Context<'_>) -> Option<Sent> {
        let (code, reason) = self.seated.member.lane.poll_closed(cx)?;
        Some(Sent::Close { code, reason })
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Next {
        if std::mem::take(&mut self.ping_due) {
            return Next::Message(Message::Ping(Bytes::new()));
        }
        if let Some(text) = self.replies.pop_front() {
            if self.replies.is_empty() {
                // An idle socket keeps no queue.
                self.replies = VecDeque::new();
            }
            return Next::Message(Message::Text(text));
        }
        if self.catching_up.is_some() {
            if let Some(sent) = self.closed(cx) {
                return Next::End(sent);
            }
            return self.catch_up(cx);
        }
        match self.seated.member.lane.poll_take(cx) {
            Poll::Ready(Out::Change(frame)) => {
                self.cursor = frame.number;
                self.have_rev = frame.rev;
                Next::Message(Message::Text(frame.text))
            }
            Poll::Ready(Out::Passing(text)) => Next::Message(Message::Text(text)),
            Poll::Ready(Out::Behind) => {
                self.catching_up = Some(CatchingUp {
                    have_rev: self.have_rev,
                    ..CatchingUp::default()
                });
                Next::Again
            }
            Poll::Ready(Out::Close { code, reason }) => Next::End(Sent::Close { code, reason }),
            Poll::Pending => Next::Nothing,
        }
    }

    fn catch_up(&mut self, cx: &mut Context<'_>) -> Next {
        let Some(catching_up) = &mut self.catching_up else {
            return Next::Again;
        };
        if let Some(frame) = catching_up.frames.pop_front() {
            self.cursor = frame.number;
            return Next::Message(Message::Text(frame.text));
        }
        self.have_rev = catching_up.have_rev;
        if let Some(reading) = &mut catching_up.reading {
            let Poll::Ready(read) = reading.as_mut().poll(cx) else {
                return Next::Nothing;
            };
            catching_up.reading = None;
            return match read {
                Ok(batch) => {
                    let cursor = self.cursor;
                    catching_up.frames = batch
                        .frames
                        .iter()
                        .filter(|frame| frame.number > cursor)
                        .cloned()
                        .collect();
                    catching_up.have_rev = batch.complete_to.max(self.have_rev);
                    Next::Again
                }
                Err(refusal) => {
                    tracing::debug!(%refusal, "a socket could not catch up");
                    Next::End(Sent::Close {
                        code: protocol::close::FULL,
                        reason: "come back in a moment",
                    })
                }
            };
        }
        match self.seated.step(self.cursor, self.have_rev) {
            Step::Frames { frames, have_rev } => {
                catching_up.frames = frames.into();
                catching_up.have_rev = have_rev;
            }
            Step::Read => catching_up.reading = Some(Box::pin(self.seated.read(self.cursor))),
            Step::Open { badge, presence } => {
                self.catching_up = None;
                self.replies.push_back(Text::from(protocol::caught_up(self.cursor)));
                self.replies.extend(badge);
                self.replies.extend(presence);
            }
        }
        Next::Again
    }
}

enum Next {
    Message(Message),
    /// Ask again: something moved on.
    Again,
    Nothing,
    End(Sent),
}
