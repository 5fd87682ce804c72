//! From an HTTP request to a socket (RFC 6455, 4.2), and from a socket to its end.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::guard::Guarded;
use super::listener::Place;
use crate::protocol::close;

/// What a socket reads at once. Small: it is there for as long as the socket is.
const READ_BUFFER: usize = 1024;
/// Frames gather up to this before they go out in one write.
const WRITE_BUFFER: usize = 4 * 1024;
/// How long a peer has to take the goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
pub struct SocketLimits {
    /// Longest message, and longest frame, in bytes.
    pub message_bytes: usize,
    /// Most fragments of one message.
    pub fragments: u32,
}

/// An open WebSocket, and its place among the connections.
pub struct Socket {
    /// Boxed: the socket moves through states of the task that serves it, each with room for it.
    pub stream: Box<WebSocketStream<Guarded<TcpStream>>>,
    _place: Option<Place>,
}

impl Socket {
    /// The close code (RFC 6455, 7.4.1) for what went wrong while reading; none if the peer is gone.
    pub fn close_code(&self, error: &Error) -> Option<u16> {
        if self.stream.get_ref().flooded() {
            return Some(close::POLICY);
        }
        match error {
            Error::Capacity(_) => Some(close::TOO_LARGE),
            Error::Utf8(_) => Some(close::NOT_UTF8),
            Error::Protocol(_) => Some(close::PROTOCOL),
            _ => None,
        }
    }
}

/// The socket, once the answer has gone out; none if the peer went away first.
pub type Opening = BoxFuture<'static, Option<Socket>>;

/// Answers an upgrade request: with 101 and the socket to come, or with the status and the reason why
/// not. `protocol` is the one that is spoken here.
pub fn upgrade(
    request: &mut Request<Body>,
    protocol: Option<&'static str>,
    limits: SocketLimits,
) -> Result<(Response<Body>, Opening), (StatusCode, &'static str)> {
    let headers = request.headers();
    if !lists(headers, header::CONNECTION, "upgrade") || !lists(headers, header::UPGRADE, "websocket") {
        return Err((
            StatusCode::UPGRADE_REQUIRED,
            "this is a WebSocket: ask with Connection: Upgrade",
        ));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err((StatusCode::UPGRADE_REQUIRED, "only WebSocket version 13 is spoken here"));
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return Err((StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing"));
    };
    let offers = headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL);
    let speaks = protocol.filter(|protocol| lists(headers, header::SEC_WEBSOCKET_PROTOCOL, protocol));
    if offers && protocol.is_some() && speaks.is_none() {
        return Err((StatusCode::BAD_REQUEST, "the subprotocol spoken here is crewline.v1"));
    }
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()))
        .body(Body::empty())
        .map_err(|_| (StatusCode::BAD_REQUEST, "the request cannot be upgraded"))?;
    if let Some(protocol) = speaks {
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    let place = request.extensions().get::<Place>().cloned();
    let upgraded = hyper::upgrade::on(request);
    let opening = async move {
        let parts = upgraded.await.ok()?.downcast::<TokioIo<TcpStream>>().ok()?;
        Some(open(parts.io.into_inner(), parts.read_buf, limits, place).await)
    };
    Ok((response, Box::pin(opening)))
}

async fn open(stream: TcpStream, early: Bytes, limits: SocketLimits, place: Option<Place>) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // Never reached: nothing is fed while the peer does not take what was written.
        .max_write_buffer_size(WRITE_BUFFER + 2 * limits.message_bytes + 1024)
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.message_bytes));
    // Kept alive by nobody: a buffer shared with the HTTP parser would hold on to all of it.
    let early = Bytes::copy_from_slice(&early);
    let guarded = Guarded::new(stream, early, limits.fragments);
    Socket {
        stream: Box::new(WebSocketStream::from_raw_socket(guarded, Role::Server, Some(config)).await),
        _place: place,
    }
}

/// Whether a comma-separated header lists a token, in any case.
fn lists(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// Closes for a reason, and waits a moment for the peer to take it: a socket dropped with unread input
/// is reset, and a reset overtakes the reason.
pub async fn goodbye(mut socket: Socket, last_words: Option<Message>, code: u16, reason: &str) {
    let farewell = async {
        if let Some(words) = last_words {
            socket.stream.feed(words).await?;
        }
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        };
        socket.stream.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(_)) = socket.stream.next().await {}
        Ok::<_, Error>(())
    };
    let _ = tokio::time::timeout(GOODBYE_WITHIN, farewell).await;
    linger(socket.stream.get_mut()).await;
}

/// Reads away what the peer had sent, within reason.
async fn linger(stream: &mut Guarded<TcpStream>) {
    let (stream, mut scratch) = (stream.stream_mut(), vec![0; 16 * 1024]);
    let reading = async {
        let _ = tokio::io::AsyncWriteExt::shutdown(stream).await;
        for _ in 0..256 {
            match tokio::io::AsyncReadExt::read(stream, &mut scratch).await {
                Ok(1..) => {}
                _ => break,
            }
        }
    };
    let _ = tokio::time::timeout(GOODBYE_WITHIN, reading).await;
}
