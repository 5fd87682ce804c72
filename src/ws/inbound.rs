//! Understands what a signed-in client says: a frame becomes a draft, a mark, a question, and goes to
//! the hub's door. What cannot be understood is answered with its code and costs nobody else anything.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::MonotonicClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use metrics::counter;

use super::outbound::Outbound;
use super::session::{Door, End};
use crate::domain::{Code, Draft, Mark, MessageId, Refusal, Seek};
use crate::hub::Guest;
use crate::ledger::{Outcome, Pending};
use crate::protocol::{self, ClientFrame, Text, close};

/// Frames that cannot be read, in a row, before the socket is closed.
const UNREADABLE: u32 = 10;
/// Warnings about the rate before the socket is closed.
const WARNINGS: u32 = 20;
/// A client that behaved for so long starts without warnings.
const FORGIVEN_AFTER: Duration = Duration::from_secs(5);

type Rate = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, governor::middleware::NoOpMiddleware<Instant>>;

pub(super) struct Inbound {
    guest: Guest,
    rate: Rate,
    warnings: u32,
    warned: Instant,
    unreadable: u32,
}

impl Inbound {
    pub fn new(guest: Guest, frames_per_second: u32) -> Self {
        let per_second = NonZeroU32::new(frames_per_second).unwrap_or(NonZeroU32::MIN);
        // A page that comes to life says several things at once.
        let quota =
            Quota::per_second(per_second).allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(2)));
        Self {
            guest,
            rate: RateLimiter::direct_with_clock(quota, MonotonicClock),
            warnings: 0,
            warned: Instant::now(),
            unreadable: 0,
        }
    }

    /// Pings and pongs take their place in the rate.
    pub fn control(&mut self, outbound: &mut Outbound) -> Result<(), End> {
        self.within_rate(None, outbound).map(|_| ())
    }

    /// Takes a text frame in. An error ends the socket.
    pub fn take(&mut self, door: &Door, text: &str, outbound: &mut Outbound) -> Result<(), End> {
        let parsed = ClientFrame::parse(text);
        let id = match &parsed {
            Ok(ClientFrame::Send(send)) => Some(send.id.clone()),
            Ok(ClientFrame::History(history)) => Some(history.id.clone()),
            _ => None,
        };
        if !self.within_rate(id.as_deref(), outbound)? {
            return Ok(());
        }
        let frame = match parsed {
            Ok(frame) => frame,
            Err(unreadable) => {
                self.unreadable += 1;
                if self.unreadable >= UNREADABLE {
                    return Err(End::Close {
                        code: close::POLICY,
                        reason: "too many frames that cannot be read".into(),
                        last_words: Some(self.error(unreadable.id.as_deref(), &unreadable.refusal)),
                    });
                }
                outbound.reply(self.error(unreadable.id.as_deref(), &unreadable.refusal));
                return Ok(());
            }
        };
        self.unreadable = 0;
        match self.act(door, frame, outbound) {
            Ok(()) => Ok(()),
            Err(Ended::Refused(refusal)) => {
                outbound.reply(self.error(id.as_deref(), &refusal));
                Ok(())
            }
            Err(Ended::Socket(end)) => Err(end),
        }
    }

    fn act(&mut self, door: &Door, frame: ClientFrame, outbound: &mut Outbound) -> Result<(), Ended> {
        let (hub, guest) = (&door.hub, &self.guest);
        match frame {
            ClientFrame::Hello(_) => {
                return Err(Refusal::new(
                    Code::HelloRepeated,
                    "hello was said already; use token to go on with a new one",
                )
                .into());
            }
            ClientFrame::Ping => outbound.pong(),
            ClientFrame::Token(frame) => {
                let identity = door
                    .auth
                    .check(&frame.token)
                    .map_err(|refusal| Ended::Socket(End::refused(&refusal)))?;
                outbound.refresh(identity)?;
            }
            ClientFrame::Send(send) => {
                let id = MessageId::parse(&send.id)?;
                let draft = Draft::new(id, send.text, &send.photos, send.internal, send.seen)?;
                let pending = hub.say(guest, send.thread.as_deref(), draft)?;
                outbound.later(acknowledge(pending, send.id, guest.is_team()));
            }
            ClientFrame::Received(frame) => self.mark(door, frame.thread, Mark::Delivered, frame.up_to, outbound)?,
            ClientFrame::Read(frame) => self.mark(door, frame.thread, Mark::Read, frame.up_to, outbound)?,
            ClientFrame::Handled(frame) => {
                let pending = hub.handled(guest, &frame.thread, frame.seen)?;
                outbound.later(async move { pending.await.err().map(|refusal| error(None, &refusal, true)) });
            }
            ClientFrame::Typing(frame) => {
                let (seated, guest) = (outbound.seated(), guest.clone());
                outbound.later(async move {
                    let told = seated
                        .typing(&guest, frame.thread.as_deref(), frame.on, frame.internal)
                        .await;
                    told.err().map(|refusal| error(None, &refusal, guest.is_team()))
                });
            }
            ClientFrame::Viewing(frame) => {
                let (seated, guest) = (outbound.seated(), guest.clone());
                outbound.later(async move {
                    let told = seated.viewing(&guest, frame.thread.as_deref()).await;
                    told.err().map(|refusal| error(None, &refusal, guest.is_team()))
                });
            }
            ClientFrame::History(frame) => {
                MessageId::parse(&frame.id)?;
                let seek = Seek::of(frame.before, frame.after, frame.around)?;
                let (hub, guest) = (hub.clone(), guest.clone());
                outbound.later(async move {
                    let asked = hub.history(&guest, frame.thread.as_deref(), seek, frame.limit).await;
                    let answer = asked
                        .and_then(|(thread, page)| Ok(protocol::page(Some(&frame.id), &guest.view()?, &thread, &page)));
                    Some(match answer {
                        Ok(page) => Text::from(page),
                        Err(refusal) => error(Some(&frame.id), &refusal, guest.is_team()),
                    })
                });
            }
        }
        Ok(())
    }

    fn mark(
        &self,
        door: &Door,
        thread: Option<String>,
        mark: Mark,
        up_to: i64,
        outbound: &mut Outbound,
    ) -> Result<(), Refusal> {
        let team = self.guest.is_team();
        // A mark that is kept is not acknowledged: its receipt comes as a change.
        if let Some(pending) = door.hub.mark(&self.guest, thread.as_deref(), mark, up_to)? {
            outbound.later(async move { pending.await.err().map(|refusal| error(None, &refusal, team)) });
        }
        Ok(())
    }

    /// Whether one more frame is within the rate. If not, the client is warned, and in the end closed.
    fn within_rate(&mut self, id: Option<&str>, outbound: &mut Outbound) -> Result<bool, End> {
        if self.rate.check().is_ok() {
            return Ok(true);
        }
        let now = Instant::now();
        if now.duration_since(self.warned) > FORGIVEN_AFTER {
            self.warnings = 0;
        }
        self.warned = now;
        self.warnings += 1;
        let refusal = Refusal::new(
            Code::TooFast,
            "slow down: this frame was dropped; welcome.limits says how fast is right",
        );
        if self.warnings > WARNINGS {
            counter!("crewline_too_fast_closed_total").increment(1);
            return Err(End::refused(&refusal));
        }
        outbound.reply(self.error(id, &refusal));
        Ok(false)
    }

    fn error(&self, id: Option<&str>, refusal: &Refusal) -> Text {
        error(id, refusal, self.guest.is_team())
    }
}

enum Ended {
    Refused(Refusal),
    Socket(End),
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Ended::Refused(refusal)
    }
}

fn error(id: Option<&str>, refusal: &Refusal, team: bool) -> Text {
    Text::from(protocol::error(id, refusal, team))
}

async fn acknowledge(pending: Pending, id: String, team: bool) -> Option<Text> {
    let (numbers, duplicate) = match pending.await {
        Ok(Outcome::Appended(numbers)) => (numbers, false),
        Ok(Outcome::Duplicate(numbers)) => (numbers, true),
        Ok(other) => unreachable!("a message's outcome is {other:?}"),
        Err(refusal) => return Some(error(Some(&id), &refusal, team)),
    };
    counter!("crewline_messages_total").increment(u64::from(!duplicate));
    let ack = protocol::ack(&id, team, numbers.rev, numbers.seq, numbers.at, duplicate);
    Some(Text::from(ack))
}
