//! The simulated user's socket: one task that holds as little as it can, since thousands of them live
//! in this process, and the journal of what happened on it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::dial::Dial;
use crate::journal::{Heard, Journal, Refusal};
use crate::stats::Stats;
use crate::users::User;

pub type Ws = WebSocketStream<TcpStream>;

pub struct Client {
    n: usize,
    token: Arc<str>,
    journal: Arc<Mutex<Journal>>,
    stats: Arc<Stats>,
    acked: Arc<Notify>,
    out: mpsc::UnboundedSender<Frame>,
    task: JoinHandle<()>,
}

/// Something to say.
pub struct Frame {
    /// Of what is acknowledged.
    pub id: Option<String>,
    pub text: String,
}

/// A client that went away, with what it knew.
pub struct Away {
    n: usize,
    token: Arc<str>,
    journal: Arc<Mutex<Journal>>,
    stats: Arc<Stats>,
    acked: Arc<Notify>,
}

impl Client {
    /// Whose socket, and what it does about losing it, is up to the task that `live` starts: it is given
    /// what this client says, and its journal.
    pub fn of(
        n: usize,
        user: &User,
        stats: &Arc<Stats>,
        live: impl FnOnce(mpsc::UnboundedReceiver<Frame>, Arc<Mutex<Journal>>) -> JoinHandle<()>,
    ) -> Self {
        let journal = Arc::new(Mutex::new(Journal::new(&user.sub, user.thread.clone())));
        let (out, queue) = mpsc::unbounded_channel();
        Self {
            n,
            token: Arc::clone(&user.token),
            task: live(queue, Arc::clone(&journal)),
            journal,
            stats: Arc::clone(stats),
            acked: Arc::default(),
            out,
        }
    }

    /// Signs in, and returns when the hub has said that there is nothing more to catch up with.
    pub async fn open(dial: &Dial, n: usize, user: &User, stats: &Arc<Stats>) -> Result<Self> {
        let mut journal = Journal::new(&user.sub, user.thread.clone());
        journal.org = user.org;
        let away = Away {
            n,
            token: Arc::clone(&user.token),
            journal: Arc::new(Mutex::new(journal)),
            stats: Arc::clone(stats),
            acked: Arc::default(),
        };
        away.come_back(dial).await
    }

    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    /// Writes a message that was due then. The customer's thread goes without saying.
    pub fn write(&self, thread: Option<&str>, due: Instant) {
        let id = {
            let mut journal = self.journal();
            let id = self.stats.id(self.n, journal.sent.len(), due);
            // Into the journal first: the ack may come at once.
            journal.sent.insert(id.clone());
            id
        };
        self.stats.sent.fetch_add(1, Ordering::Relaxed);
        let mut frame = json!({"type": "send", "id": &id, "text": "The water heater is leaking again, see you at 9?"});
        if let Some(thread) = thread {
            frame["thread"] = json!(thread);
        }
        self.tell(Some(id), &frame);
    }

    /// Returns when an ack has come since this was called last.
    pub async fn acked(&self) {
        self.acked.notified().await;
    }

    /// Says what was delivered to this client since it was said last, and that it has been read where it
    /// is looked at: by a customer always, by staff in that thread.
    pub fn mark(&self, looks_at: Option<&str>) {
        let (unmarked, is_team) = {
            let mut journal = self.journal();
            (std::mem::take(&mut journal.unmarked), journal.is_team())
        };
        for (thread, up_to) in &unmarked {
            let named = is_team.then_some(thread.as_str());
            self.tell_mark("received", named, *up_to);
            if !is_team || looks_at == named {
                self.tell_mark("read", named, *up_to);
            }
        }
    }

    pub fn read(&self, thread: Option<&str>, up_to: i64) {
        self.tell_mark("read", thread, up_to);
    }

    fn tell_mark(&self, mark: &str, thread: Option<&str>, up_to: i64) {
        let mut frame = json!({"type": mark, "up_to": up_to});
        if let Some(thread) = thread {
            frame["thread"] = json!(thread);
        }
        self.tell(None, &frame);
    }

    pub fn handled(&self, thread: &str, seen: i64) {
        self.tell(None, &json!({"type": "handled", "thread": thread, "seen": seen}));
    }

    /// A frame as it stands.
    pub fn tell(&self, id: Option<String>, frame: &Value) {
        // A socket that is gone has said so in the journal.
        let _ = self.out.send(Frame {
            id,
            text: frame.to_string(),
        });
    }

    /// Gone without a word, as when a phone loses its network.
    pub async fn vanish(self) -> Away {
        self.task.abort();
        // Until it has ended, what it was just reading could still reach the journal.
        let _ = self.task.await;
        lock(&self.journal).caught_up = false;
        Away {
            n: self.n,
            token: self.token,
            journal: self.journal,
            stats: self.stats,
            acked: self.acked,
        }
    }

    /// The journal, once nothing more is to be heard.
    pub async fn close(self) -> Option<Journal> {
        let Away { journal, .. } = self.vanish().await;
        let journal = Arc::into_inner(journal)?;
        Some(journal.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Away {
    pub async fn come_back(self, dial: &Dial) -> Result<Client> {
        let mut ws = upgrade(dial, self.n).await?;
        let mut hello = json!({"type": "hello", "token": *self.token});
        if let Some(chain) = &lock(&self.journal).chain {
            hello["cursor"] = json!(chain.to);
        }
        ws.send(Message::text(hello.to_string())).await?;
        while !lock(&self.journal).caught_up {
            let Some(text) = next(&mut ws).await? else { continue };
            let mut journal = lock(&self.journal);
            if let Heard::Refused(refusal) = journal.hear(&text) {
                refused(&mut journal, &refusal);
            }
            if let Some(fault) = &journal.fault {
                bail!("{}: {fault}", journal.name);
            }
        }
        let (out, queue) = mpsc::unbounded_channel();
        let (journal, stats, acked) = (&self.journal, &self.stats, &self.acked);
        let task = tokio::spawn(live(
            ws,
            queue,
            Arc::clone(journal),
            Arc::clone(stats),
            Arc::clone(acked),
        ));
        Ok(Client {
            n: self.n,
            token: self.token,
            journal: self.journal,
            stats: self.stats,
            acked: self.acked,
            out,
            task,
        })
    }
}

pub async fn upgrade(dial: &Dial, n: usize) -> Result<Ws> {
    let address = dial.node(n);
    let mut request = format!("ws://{address}/v1/ws").into_client_request()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "crewline.v1".parse()?);
    let small = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    let (ws, _) = client_async_with_config(request, dial.connect(address).await?, Some(small)).await?;
    Ok(ws)
}

async fn live(
    mut ws: Ws,
    mut queue: mpsc::UnboundedReceiver<Frame>,
    journal: Arc<Mutex<Journal>>,
    stats: Arc<Stats>,
    acked: Arc<Notify>,
) {
    loop {
        let done = tokio::select! {
            heard = next(&mut ws) => heard.map(|text| {
                let Some(text) = text else { return };
                let mut journal = lock(&journal);
                match journal.hear(&text) {
                    Heard::Acked { id, .. } => {
                        stats.acked(&id);
                        acked.notify_one();
                    }
                    Heard::Delivered(id) => stats.delivered(&id),
                    Heard::Refused(refusal) => refused(&mut journal, &refusal),
                    Heard::Bye(_) | Heard::Nothing => {}
                }
            }),
            Some(frame) = queue.recv() => ws.send(Message::text(frame.text)).await.map_err(Into::into),
        };
        if let Err(error) = done {
            return lock(&journal).blame(format!("the socket was lost: {error:#}"));
        }
    }
}

/// Where nothing is broken on purpose, nothing is refused.
fn refused(journal: &mut Journal, refusal: &Refusal) {
    journal.refused += 1;
    journal.blame(format!("refused: {refusal:?}"));
}

/// The next text frame, if it is one. Pings are answered on the way.
pub async fn next(ws: &mut Ws) -> Result<Option<String>> {
    match ws.next().await {
        Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(Message::Close(frame))) => bail!("closed: {frame:?}"),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => bail!("the hub hung up"),
    }
}

pub fn lock(journal: &Mutex<Journal>) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}
