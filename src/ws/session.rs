//! One socket from hello to goodbye, in one task.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::StreamExt;
use futures_util::stream::FusedStream;
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::TaskTracker;

use super::inbound::Inbound;
use super::outbound::{Outbound, Sent};
use super::upgrade::{Socket, SocketLimits, goodbye, upgrade};
use crate::auth::{Auth, now};
use crate::domain::{Code, MAX_PHOTOS, MAX_TEXT_BYTES, MAX_TEXT_CHARS, Refusal};
use crate::hub::{Guest, Hub, Seated};
use crate::protocol::{self, ClientFrame, HEARTBEAT_MS, Hello, Limits, MAX_FRAME_IN, SUBPROTOCOL, Text, close};

const HELLO_WITHIN: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_millis(HEARTBEAT_MS);
/// How long a ping may go unanswered.
const DEAD_AFTER: Duration = Duration::from_secs(8);
/// How long before its token expires a client is told, in seconds.
const EXPIRING_BEFORE: i64 = 60;
/// Commands of one socket that may be under way; past that it is not read.
pub(super) const IN_FLIGHT: usize = 32;
/// Autobahn's cases stay below it, and no client needs as many.
const FRAGMENTS: u32 = 256;
/// Turns of one socket before others get theirs.
const TURNS: usize = 64;

#[derive(Debug, Clone)]
pub struct SocketSettings {
    pub frames_per_second: u32,
    /// Browsers' Origins that may connect whatever the org.
    pub origins: Vec<String>,
    /// How far apart clients are told to come back after a drain.
    pub drain_window: Duration,
}

pub(super) struct Door {
    pub hub: Hub,
    pub auth: Arc<Auth>,
    pub settings: SocketSettings,
    pub limits: Limits,
    tasks: TaskTracker,
}

/// `GET /v1/ws`. Open sockets are in `tasks`.
pub fn router(hub: Hub, auth: Arc<Auth>, settings: SocketSettings, tasks: TaskTracker) -> Router {
    let limits = Limits {
        text_chars: MAX_TEXT_CHARS,
        text_bytes: MAX_TEXT_BYTES,
        photos: MAX_PHOTOS,
        frame_bytes: MAX_FRAME_IN,
        in_flight: IN_FLIGHT,
        frames_per_second: settings.frames_per_second,
    };
    let door = Door {
        hub,
        auth,
        settings,
        limits,
        tasks,
    };
    Router::new().route("/v1/ws", get(enter)).with_state(Arc::new(door))
}

async fn enter(State(door): State<Arc<Door>>, mut request: Request<Body>) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = match origin_of(&door, origin).await {
        Ok(origin) => origin,
        Err(refused) => return refused,
    };
    let limits = SocketLimits {
        message_bytes: MAX_FRAME_IN,
        fragments: FRAGMENTS,
    };
    match upgrade(&mut request, Some(SUBPROTOCOL), limits) {
        Ok((response, socket)) => {
            let tasks = door.tasks.clone();
            tasks.spawn(async move {
                if let Some(socket) = socket.await {
                    serve(door, socket, origin).await;
                }
            });
            response
        }
        Err((status, why)) => problem(status, Code::BadField, why),
    }
}

/// An Origin that only some org lists: who signs in must be of that org. A missing one passes: there
/// are no cookies that a foreign page could ride on.
async fn origin_of(door: &Door, origin: Option<HeaderValue>) -> Result<Option<String>, Response> {
    let Some(origin) = origin else {
        return Ok(None);
    };
    let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
    if door.settings.origins.contains(&origin) {
        return Ok(None);
    }
    if !origin.is_empty() && door.hub.lists_origin(&origin).await {
        return Ok(Some(origin));
    }
    let why = "this Origin may not connect; the org lists its own in `origins`";
    Err(problem(StatusCode::FORBIDDEN, Code::Forbidden, why))
}

/// What is refused before there is a socket is told as HTTP tells it (RFC 9457).
fn problem(status: StatusCode, code: Code, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = protocol::problem(status.as_u16(), title, code.as_str(), detail, code.retry());
    (
        status,
        [(header::CONTENT_TYPE, protocol::PROBLEM_TYPE)],
        body.to_string(),
    )
        .into_response()
}

async fn serve(door: Arc<Door>, mut socket: Socket, origin: Option<String>) {
    let end = match Box::pin(sign_in(&door, &mut socket, origin)).await {
        Ok(signed_in) => {
            // Not part of the task's own size, which is that of its largest state.
            let mut session = Box::new(Session::new(&door, socket, signed_in));
            let end = poll_fn(|cx| session.poll(cx)).await;
            socket = session.into_socket();
            end
        }
        Err(end) => end,
    };
    if let End::Close {
        code,
        reason,
        last_words,
    } = end
    {
        Box::pin(goodbye(socket, last_words.map(Message::Text), code, &reason)).await;
    }
}

/// How a socket ends.
pub(super) enum End {
    /// The peer went away, or broke off.
    Gone,
    Close {
        code: u16,
        reason: String,
        last_words: Option<Text>,
    },
}

impl End {
    pub fn close(code: u16, reason: impl Into<String>) -> Self {
        End::Close {
            code,
            reason: reason.into(),
            last_words: None,
        }
    }

    pub fn refused(refusal: &Refusal) -> Self {
        let code = match refusal.code {
            Code::BadToken | Code::ExpiredToken | Code::RevokedToken | Code::HelloExpected => close::AUTH,
            Code::TooFast | Code::TooManyConnections => close::TOO_MANY,
            Code::Busy => close::FULL,
            Code::UnknownFrame | Code::NotJson | Code::BadField => close::POLICY,
            _ => close::FORBIDDEN,
        };
        End::Close {
            code,
            reason: refusal.code.as_str().into(),
            last_words: Some(Text::from(protocol::error(None, refusal, false))),
        }
    }
}

struct SignedIn {
    guest: Guest,
    seated: Seated,
}

async fn sign_in(door: &Door, socket: &mut Socket, origin: Option<String>) -> Result<SignedIn, End> {
    let first = tokio::time::timeout(HELLO_WITHIN, hello(socket)).await;
    let hello = first.unwrap_or_else(|_| Err(End::close(close::TIMEOUT, "no hello within 5 s")))?;
    let joined = async {
        let identity = door.auth.check(&hello.token)?;
        let guest = door.hub.admit(identity).await?;
        if origin.is_some_and(|origin| !guest.lists_origin(&origin)) {
            return Err(Refusal::new(Code::Forbidden, "this Origin is not among the org's"));
        }
        let seated = door.hub.join(&guest, hello.cursor, hello.log.as_deref()).await?;
        Ok(SignedIn { guest, seated })
    };
    joined.await.map_err(|refusal| End::refused(&refusal))
}

async fn hello(socket: &mut Socket) -> Result<Hello, End> {
    loop {
        match socket.stream.next().await {
            Some(Ok(Message::Text(text))) => {
                return match ClientFrame::parse(&text) {
                    Ok(ClientFrame::Hello(hello)) => Ok(hello),
                    Ok(_) => Err(End::refused(&Refusal::new(
                        Code::HelloExpected,
                        "the first frame is hello",
                    ))),
                    Err(unreadable) => Err(End::refused(&unreadable.refusal)),
                };
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Binary(_))) => {
                return Err(End::close(close::UNSUPPORTED, "text frames only"));
            }
            Some(Err(error)) => {
                return Err(match socket.close_code(&error) {
                    Some(code) => End::close(code, error.to_string()),
                    None => End::Gone,
                });
            }
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
        }
    }
}

/// A signed-in socket.
struct Session<'a> {
    door: &'a Door,
    socket: Socket,
    inbound: Inbound,
    outbound: Outbound,
    timer: std::pin::Pin<Box<Sleep>>,
    heard: Instant,
    pinged: Option<Instant>,
    told_expiring: bool,
}

impl<'a> Session<'a> {
    fn new(door: &'a Door, socket: Socket, signed_in: SignedIn) -> Self {
        let SignedIn { guest, seated } = signed_in;
        let outbound = Outbound::new(&guest, seated, &door.limits);
        let mut session = Self {
            door,
            socket,
            inbound: Inbound::new(guest, door.settings.frames_per_second),
            outbound,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            heard: Instant::now(),
            pinged: None,
            told_expiring: false,
        };
        session.set_timer();
        session
    }

    fn into_socket(self) -> Socket {
        self.socket
    }

    /// Writes what can be written and reads what may be read, until both must wait.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..TURNS {
            while self.timer.as_mut().poll(cx).is_ready() {
                if let Some(end) = self.on_timer() {
                    return Poll::Ready(end);
                }
            }
            match self.outbound.poll(&mut self.socket.stream, cx) {
                Sent::Waiting => {}
                Sent::Gone => return Poll::Ready(End::Gone),
                Sent::Close { code, reason } => return Poll::Ready(self.sent_away(code, reason)),
            }
            // A peer that does not take its answers is not listened to either.
            if self.outbound.is_full() || self.socket.stream.is_terminated() {
                return Poll::Pending;
            }
            match self.socket.stream.poll_next_unpin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(incoming) => {
                    self.heard = Instant::now();
                    if let Some(end) = self.take(incoming) {
                        return Poll::Ready(end);
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn take(&mut self, incoming: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) -> Option<End> {
        match incoming {
            Some(Ok(Message::Text(text))) => self.inbound.take(self.door, &text, &mut self.outbound).err(),
            Some(Ok(Message::Binary(_))) => Some(End::close(close::UNSUPPORTED, "text frames only")),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                // tungstenite has answered; the answer leaves with the next flush.
                self.outbound.flush_soon();
                self.inbound.control(&mut self.outbound).err()
            }
            Some(Ok(Message::Close(_))) | None => Some(End::Gone),
            Some(Err(error)) => Some(match self.socket.close_code(&error) {
                Some(code) => End::close(code, error.to_string()),
                None => End::Gone,
            }),
        }
    }

    /// The hub closes this socket.
    fn sent_away(&self, code: u16, reason: &'static str) -> End {
        if code == close::AUTH {
            return End::refused(&Refusal::new(
                Code::RevokedToken,
                "this token was revoked; sign in again",
            ));
        }
        let window = self.door.settings.drain_window.as_millis() as u64;
        let retry_after = rand::random_range(0..=window);
        End::Close {
            code,
            reason: reason.into(),
            last_words: Some(Text::from(protocol::bye(code, reason, retry_after))),
        }
    }

    /// Sets the timer to whatever is due next.
    fn set_timer(&mut self) {
        let expires = self.outbound.expires();
        let told_at = if self.told_expiring {
            expires
        } else {
            expires - EXPIRING_BEFORE
        };
        let token = Instant::now() + Duration::from_secs((told_at - now()).clamp(0, 86_400) as u64);
        let life = match self.pinged {
            Some(pinged) => pinged + DEAD_AFTER,
            None => self.heard + HEARTBEAT,
        };
        self.timer.as_mut().reset(life.min(token));
    }

    fn on_timer(&mut self) -> Option<End> {
        let expires = self.outbound.expires();
        if now() >= expires {
            return Some(End::refused(&Refusal::new(
                Code::ExpiredToken,
                "the token has expired; get a new one",
            )));
        }
        self.told_expiring &= now() >= expires - EXPIRING_BEFORE;
        if !self.told_expiring && now() >= expires - EXPIRING_BEFORE {
            self.told_expiring = true;
            self.outbound.reply(Text::from(protocol::expiring(expires * 1000)));
        }
        let at = Instant::now();
        match self.pinged {
            Some(pinged) if self.heard >= pinged => self.pinged = None,
            Some(pinged) if at >= pinged + DEAD_AFTER => {
                return Some(End::close(close::TIMEOUT, "no sign of life"));
            }
            _ => {}
        }
        if self.pinged.is_none() && at >= self.heard + HEARTBEAT {
            self.pinged = Some(at);
            self.outbound.ping();
        }
        self.set_timer();
        None
    }
}
