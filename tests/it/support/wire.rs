//! One WebSocket connection, as a stranger would write it from the page "The wire".

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::hub::Hub;
use super::state::{Closed, Keep, State};
use super::{PATIENCE, fresh_id};

/// How to connect: everything that a browser, a bad network or an attacker may choose.
pub struct Dial {
    url: String,
    origin: Option<String>,
    receive_buffer: Option<u32>,
    keep: Keep,
    state: Option<State>,
}

/// Told at the upgrade that it may not come in.
#[derive(Debug, PartialEq)]
pub struct Refused {
    pub status: u16,
}

pub struct Client {
    state: Arc<watch::Sender<State>>,
    out: mpsc::UnboundedSender<Message>,
    paused: watch::Sender<bool>,
    token: Mutex<String>,
    tasks: [JoinHandle<()>; 2],
}

impl Dial {
    pub fn to(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            origin: None,
            receive_buffer: None,
            keep: Keep::All,
            state: None,
        }
    }

    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// So small that a reader who stops is felt at once, not after megabytes in the kernel.
    pub fn receive_buffer(mut self, bytes: u32) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    pub fn keeping(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Goes on from what an earlier connection knew.
    pub fn knowing(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    pub async fn open(self) -> Result<Client, Refused> {
        let mut request = self.url.as_str().into_client_request().expect("a ws:// address");
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "crewline.v1".parse().expect("ASCII"));
        if let Some(origin) = &self.origin {
            headers.insert("origin", origin.parse().expect("an origin is ASCII"));
        }
        let address = request
            .uri()
            .authority()
            .expect("a host")
            .as_str()
            .parse()
            .expect("an address");
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("a small buffer");
        }
        let tcp = socket.connect(address).await.expect("the hub listens");
        tcp.set_nodelay(true).expect("TCP");
        let ws = match client_async(request, tcp).await {
            Ok((ws, _)) => ws,
            Err(tungstenite::Error::Http(answer)) => {
                return Err(Refused {
                    status: answer.status().as_u16(),
                });
            }
            Err(error) => panic!("the upgrade failed: {error}"),
        };
        let state = self.state.unwrap_or_else(|| State::new(self.keep));
        Ok(Client::over(ws, state))
    }
}

impl Client {
    fn over(ws: WebSocketStream<TcpStream>, state: State) -> Self {
        let (mut sink, mut stream) = ws.split();
        let (out, mut queue) = mpsc::unbounded_channel::<Message>();
        let (paused, mut pause) = watch::channel(false);
        let state = Arc::new(watch::Sender::new(state));

        // Two tasks, so that one who does not read can still write.
        let writer = tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
        });
        let heard = Arc::clone(&state);
        let reader = tokio::spawn(async move {
            let mut closed = Closed { code: None };
            loop {
                if pause.wait_for(|paused| !paused).await.is_err() {
                    break;
                }
                let frame = tokio::select! {
                    frame = stream.next() => frame,
                    _ = pause.changed() => continue,
                };
                match frame {
                    Some(Ok(Message::Text(text))) => heard.send_modify(|state| state.hear(&text)),
                    Some(Ok(Message::Close(frame))) => closed.code = frame.map(|frame| frame.code.into()),
                    Some(Ok(Message::Binary(_))) => {
                        heard.send_modify(|state| state.blame("a binary frame from the hub".into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                }
            }
            heard.send_modify(|state| state.closed = Some(closed));
        });
        Self {
            state,
            out,
            paused,
            token: Mutex::default(),
            tasks: [writer, reader],
        }
    }

    // What the client says.

    pub fn hello(&self, token: &str, cursor: Option<i64>, log: Option<&str>) {
        *self.token.lock().unwrap() = token.to_owned();
        let mut hello = json!({"type": "hello", "token": token});
        if let Some(cursor) = cursor {
            hello["cursor"] = json!(cursor);
            self.state
                .send_modify(|state| (state.cursor, state.asked) = (cursor, Some(cursor)));
        }
        if let Some(log) = log {
            hello["log"] = json!(log);
        }
        self.tell(&hello);
    }

    /// Sends a frame and does not wait. What carries an id is written into the journal first.
    pub fn tell(&self, frame: &Value) {
        if let Some(id) = frame["id"].as_str() {
            self.state.send_modify(|state| {
                state.sent.insert(id.to_owned(), frame.clone());
            });
        }
        self.raw(Message::text(frame.to_string()));
    }

    /// Sends whatever it is given. A connection that is already gone takes it silently, as TCP does.
    pub fn raw(&self, message: Message) {
        let _ = self.out.send(message);
    }

    /// A frame with the thread in it, which a customer leaves out.
    pub fn frame(&self, kind: &str, thread: &str) -> Value {
        if self.state.borrow().is_team() {
            json!({"type": kind, "thread": thread})
        } else {
            json!({"type": kind})
        }
    }

    /// Sends a frame that has an id and waits for its answer: `Ok` is an ack or a page.
    pub async fn submit(&self, frame: &Value) -> Result<Value, Value> {
        let id = frame["id"].as_str().expect("a frame with an id").to_owned();
        let before = self.answers_to(&id);
        self.tell(frame);
        let more = |state: &State| state.answers.get(&id).map_or(0, Vec::len) > before;
        self.until(&format!("the answer to {frame}"), more).await;
        let answer = self.state.borrow().answers[&id][before].clone();
        if answer["type"] == "error" {
            Err(answer)
        } else {
            Ok(answer)
        }
    }

    fn answers_to(&self, id: &str) -> usize {
        self.state.borrow().answers.get(id).map_or(0, Vec::len)
    }

    /// Writes a message and waits until it is durable. Answers with the ack.
    pub async fn say(&self, thread: &str, text: &str) -> Value {
        let mut send = self.frame("send", thread);
        (send["id"], send["text"]) = (json!(fresh_id()), json!(text));
        self.submit(&send)
            .await
            .unwrap_or_else(|e| panic!("{text:?} was refused: {e}"))
    }

    pub async fn note(&self, thread: &str, text: &str) -> Value {
        let mut send = self.frame("send", thread);
        (send["id"], send["text"], send["internal"]) = (json!(fresh_id()), json!(text), json!(true));
        self.submit(&send)
            .await
            .unwrap_or_else(|e| panic!("{text:?} was refused: {e}"))
    }

    pub fn read(&self, thread: &str, up_to: i64) {
        let mut frame = self.frame("read", thread);
        frame["up_to"] = json!(up_to);
        self.tell(&frame);
    }

    pub fn received(&self, thread: &str, up_to: i64) {
        let mut frame = self.frame("received", thread);
        frame["up_to"] = json!(up_to);
        self.tell(&frame);
    }

    pub fn handled(&self, thread: &str, seen: i64) {
        self.tell(&json!({"type": "handled", "thread": thread, "seen": seen}));
    }

    /// Sends a ping and waits for its pong: everything sent before it has been looked at by then.
    pub async fn ping(&self) -> i64 {
        let before = self.state.borrow().named("pong").count();
        self.tell(&json!({"type": "ping"}));
        self.until("a pong", |state| state.named("pong").count() > before).await;
        let state = self.state.borrow();
        let head = state.named("pong").nth(before).and_then(|pong| pong["head"].as_i64());
        head.expect("a pong has the view's head")
    }

    // What the client knows.

    pub fn state(&self) -> watch::Ref<'_, State> {
        self.state.borrow()
    }

    pub async fn until(&self, what: &str, is: impl Fn(&State) -> bool) {
        self.until_within(PATIENCE, what, is).await;
    }

    /// Waits until the client knows what `is` asks for; panics if it never does, or on a broken promise.
    pub async fn until_within(&self, within: Duration, what: &str, is: impl Fn(&State) -> bool) {
        let mut changes = self.state.subscribe();
        let wanted = |s: &State| s.fault.is_some() || s.closed.is_some() || is(s);
        let outcome = tokio::time::timeout(within, changes.wait_for(wanted)).await.map(|_| ());
        let state = self.state.borrow();
        if let Some(fault) = &state.fault {
            panic!("{} while waiting for {what}", fault);
        }
        if !is(&state) {
            let why = if outcome.is_err() {
                format!("{within:?} passed")
            } else {
                "the socket closed".into()
            };
            panic!(
                "{why} while waiting for {what}; {} at {}, closed {:?}, errors {:?}, badge {:?}, last frames {:#?}",
                state.you("name"),
                state.cursor,
                state.closed,
                state.error_codes(),
                state.badge,
                state.frames.iter().rev().take(3).collect::<Vec<_>>(),
            );
        }
    }

    /// Signed in, caught up, and told the badge.
    pub async fn ready(&self) {
        self.until("welcome, caught_up and badge", |s| {
            s.welcome.is_some() && s.caught_up && s.badge.is_some()
        })
        .await;
    }

    pub async fn at(&self, cursor: i64) {
        self.until(&format!("change {cursor}"), |state| state.cursor >= cursor)
            .await;
    }

    /// Waits for an error with this code, whether or not it names a frame.
    pub async fn refused(&self, code: &str) {
        self.until(&format!("the error {code}"), |state| {
            state.error_codes().contains(&code)
        })
        .await;
    }

    /// Waits until the hub closes and answers with the close code.
    pub async fn closed_within(&self, within: Duration) -> Option<u16> {
        self.until_within(within, "the close", |state| state.closed.is_some())
            .await;
        self.state.borrow().closed.clone().and_then(|closed| closed.code)
    }

    pub fn is_open(&self) -> bool {
        self.state.borrow().closed.is_none()
    }

    // What happens to the connection.

    /// Stops reading, as a browser tab does that the system has put to sleep.
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    pub fn wake(&self) {
        self.paused.send_replace(false);
    }

    /// Gone without a word, as when a phone loses its network. What it knew stays.
    pub fn vanish(self) -> State {
        self.tasks.iter().for_each(JoinHandle::abort);
        let state = self.state.borrow();
        if let Some(fault) = &state.fault {
            panic!("{fault}");
        }
        state.between_connections()
    }

    /// The same client on a new connection, with its cursor and the log that it belongs to.
    pub async fn come_back(self, hub: &Hub) -> Self {
        self.come_back_to(&hub.ws).await
    }

    pub async fn come_back_to(self, url: &str) -> Self {
        let token = self.token.lock().unwrap().clone();
        let state = self.vanish();
        let (cursor, log) = (state.cursor, state.log.clone());
        let client = Dial::to(url)
            .knowing(state)
            .open()
            .await
            .expect("the hub takes the socket");
        client.hello(&token, Some(cursor), log.as_deref());
        client.ready().await;
        client
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        // A fault that nobody waited for must still fail the test.
        let fault = self.state.borrow().fault.clone();
        if let Some(fault) = fault.filter(|_| !std::thread::panicking()) {
            panic!("{fault}");
        }
    }
}
