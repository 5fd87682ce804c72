//! A client that lasts: it comes back by itself, to whichever node takes it, with its cursor, and sends
//! again what was not acknowledged, as `src/ui/client.js` does. What it may not see, however many
//! sockets it took, is in its journal all the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::SinkExt;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::outbox::{Answered, Outbox};
use crate::chance::Chance;
use crate::client::{Client, Frame, Ws, lock, next, upgrade};
use crate::dial::Dial;
use crate::journal::{Heard, Journal};
use crate::stats::{Latency, Stats};
use crate::users::User;

/// A page waits up to 30 s between tries; the ten seconds of the oracle are the hub's.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A client at another node than its own goes back so soon: otherwise all would sit at one, after the
/// other was down for once, and nothing would cross between them any more.
const AWAY: Duration = Duration::from_secs(1);
const WELCOME_WITHIN: Duration = Duration::from_secs(10);
/// The hub answers within 5 s. Past this nobody else is to blame.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What all of them count together.
pub struct Tally {
    pub reconnects: AtomicU64,
    /// Messages that took more than one try.
    pub sent_again: AtomicU64,
    /// From each try to its ack or error.
    pub answer: Latency,
}

impl Tally {
    pub fn new() -> Self {
        Self {
            reconnects: AtomicU64::new(0),
            sent_again: AtomicU64::new(0),
            answer: Latency::new(),
        }
    }
}

struct Line {
    nodes: Arc<[Dial]>,
    home: usize,
    /// The one to try next.
    node: usize,
    token: Arc<str>,
    journal: Arc<Mutex<Journal>>,
    stats: Arc<Stats>,
    tally: Arc<Tally>,
    queue: mpsc::UnboundedReceiver<Frame>,
    outbox: Outbox,
    /// While it is true the client stands still, as if it had been sent SIGSTOP: it neither reads its
    /// socket nor writes to it, and the kernel keeps the connection.
    stopped: watch::Receiver<bool>,
    chance: Chance,
}

/// Starts a client, which is not signed in yet.
pub fn client(
    nodes: &Arc<[Dial]>,
    n: usize,
    user: &User,
    stats: &Arc<Stats>,
    tally: &Arc<Tally>,
    stopped: watch::Receiver<bool>,
) -> Client {
    Client::of(n, user, stats, |queue, journal| {
        let line = Line {
            nodes: Arc::clone(nodes),
            home: n % nodes.len(),
            node: n % nodes.len(),
            token: Arc::clone(&user.token),
            journal,
            stats: Arc::clone(stats),
            tally: Arc::clone(tally),
            queue,
            outbox: Outbox::default(),
            stopped,
            chance: Chance::of(n as u64),
        };
        tokio::spawn(line.live())
    })
}

impl Line {
    async fn live(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut bye = Duration::ZERO;
            // Why a socket ended is nobody's fault here; what the journal blames is.
            let _ = self.one_socket(&mut bye).await;
            if lock(&self.journal).fault.is_some() {
                return;
            }
            self.tally.reconnects.fetch_add(1, Ordering::Relaxed);
            self.outbox.lost();
            let was_live = std::mem::take(&mut lock(&self.journal).caught_up);
            pause = if was_live {
                FIRST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            self.node = (self.node + 1) % self.nodes.len();
            sleep(bye + self.chance.between(Duration::ZERO, pause)).await;
        }
    }

    async fn one_socket(&mut self, bye: &mut Duration) -> Result<()> {
        let dial = &self.nodes[self.node];
        let mut ws = timeout(WELCOME_WITHIN, upgrade(dial, 0)).await??;
        let mut hello = json!({"type": "hello", "token": *self.token});
        {
            let journal = lock(&self.journal);
            if let (Some(chain), Some(log)) = (&journal.chain, &journal.log) {
                (hello["cursor"], hello["log"]) = (json!(chain.to), json!(log));
            }
        }
        say(&mut ws, hello.to_string()).await?;
        let signed_in = Instant::now() + WELCOME_WITHIN;
        let leave = (self.node != self.home).then(|| Instant::now() + self.chance.between(AWAY, AWAY * 2));
        loop {
            self.stand_still().await;
            let is_live = lock(&self.journal).caught_up;
            if is_live {
                for text in self.outbox.take(Instant::now()) {
                    say(&mut ws, text).await?;
                }
            }
            let due = if is_live {
                self.outbox.next_due()
            } else {
                Some(signed_in)
            };
            let overdue = self.outbox.waiting_since().map(|since| since + ANSWER_WITHIN);
            let mut stopped = self.stopped.clone();
            tokio::select! {
                text = next(&mut ws) => if let Some(text) = text? {
                    self.hear(&text, bye)?;
                },
                frame = self.queue.recv(), if is_live => match frame.context("the run is over")? {
                    Frame { id: Some(id), text } => self.outbox.add(id, text),
                    Frame { id: None, text } => say(&mut ws, text).await?,
                },
                () = until(due) => if !is_live {
                    bail!("not signed in within {WELCOME_WITHIN:?}");
                },
                () = until(overdue) => {
                    lock(&self.journal).blame(format!("no answer within {ANSWER_WITHIN:?}"));
                    bail!("no answer");
                }
                () = until(leave), if is_live => bail!("home again"),
                () = async { let _ = stopped.wait_for(|stopped| *stopped).await; } => {}
            }
        }
    }

    async fn stand_still(&mut self) {
        if *self.stopped.borrow() {
            // An error is the end of the run.
            let _ = self.stopped.wait_for(|stopped| !*stopped).await;
            self.outbox.woke_up(Instant::now());
        }
    }

    fn hear(&mut self, text: &str, bye: &mut Duration) -> Result<()> {
        let mut journal = lock(&self.journal);
        let heard = journal.hear(text);
        if let Some(fault) = &journal.fault {
            bail!("{fault}");
        }
        match heard {
            Heard::Acked { id, duplicate } => {
                self.stats.acked(&id);
                match self.outbox.acked(&id, duplicate) {
                    Ok(answered) => self.tally.answered(&answered, true),
                    Err(lie) => journal.blame(lie),
                }
            }
            Heard::Delivered(id) => self.stats.delivered(&id),
            Heard::Refused(refusal) if refusal.retry => {
                if let Some(answered) = self.outbox.refused(&refusal, Instant::now()) {
                    self.tally.answered(&answered, false);
                }
            }
            Heard::Refused(refusal) => journal.blame(format!("refused for good: {refusal:?}")),
            Heard::Bye(ms) => *bye = Duration::from_millis(ms),
            Heard::Nothing => {}
        }
        Ok(())
    }
}

impl Tally {
    fn answered(&self, answered: &Answered, kept: bool) {
        self.answer.record(answered.after);
        if kept && answered.tries > 1 {
            self.sent_again.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A socket that takes nothing for so long is as good as gone.
async fn say(ws: &mut Ws, text: String) -> Result<()> {
    timeout(ANSWER_WITHIN, ws.send(Message::text(text))).await??;
    Ok(())
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
