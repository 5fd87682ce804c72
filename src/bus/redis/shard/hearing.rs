//! The connection that hears.
//!
//! What is pushed goes from the connection's own task straight into the bounded queue, so nothing
//! piles up on the way. That the connection has ended, or that the server has ended a subscription
//! because its slot moved, comes by the same way.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Msg, PushInfo, PushKind, RedisError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{FIRST_PAUSE, LONGEST_PAUSE, Server};
use crate::bus::Heard;
use crate::bus::ears::Ears;
use crate::bus::redis::{CHUNK, Common, ORDERS, Order, layout};
use crate::domain::OrgId;

/// A connection on which not even one's own beats come is dead, whatever TCP says.
const SILENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub struct Hearing {
    shard: u64,
    beats: String,
    server: Server,
    common: Common,
    unheard: Unheard,
    wanted: Wanted,
}

impl Hearing {
    pub fn new(shard: u64, beats: String, server: Server, common: Common, unheard: Unheard) -> Self {
        Self {
            shard,
            beats,
            server,
            common,
            unheard,
            wanted: Wanted::default(),
        }
    }

    /// Ends when nobody gives orders any more.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut pause = FIRST_PAUSE;
        let mut first = true;
        while !orders.is_closed() {
            match self.hear(&mut orders, &mut first, &mut pause).await {
                Ok(()) => return,
                Err(error) if pause == FIRST_PAUSE => {
                    tracing::warn!(at = %self.server.at.addr(), %error, "the bus is not heard; connecting again");
                }
                Err(_) => {}
            }
            self.common.stale.notify_one();
            // Orders go on being taken: they hold when the connection is back.
            let back = Instant::now() + pause.mul_f64(rand::random_range(0.5..1.5));
            while let Ok(order) = tokio::time::timeout_at(back, orders.recv()).await {
                let Some(order) = order else { return };
                self.wanted.take(order);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Listens on one connection until it fails, or (Ok) until nobody wants anything any more.
    async fn hear(
        &mut self,
        orders: &mut mpsc::Receiver<Order>,
        first: &mut bool,
        pause: &mut Duration,
    ) -> Result<(), RedisError> {
        let (ended, mut endings) = mpsc::channel(ORDERS);
        let pushes = Pushes {
            shard: self.shard,
            beats: self.beats.clone(),
            common: self.common.clone(),
            unheard: self.unheard.clone(),
            ended,
        };
        let config = AsyncConnectionConfig::new().set_push_sender(move |push| pushes.take(push));
        let mut connection = self.server.connect(config).await?;
        let channels = self.wanted.orgs.iter().map(layout::channel);
        let channels = std::iter::once(self.beats.clone()).chain(channels).collect();
        self.subscribe(&mut connection, channels).await?;
        self.wanted.confirm(&self.common.ears);
        if !std::mem::take(first) {
            self.common.ears.gap();
        }
        *pause = FIRST_PAUSE;
        self.unheard.is_heard();
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                // First what has ended: where this node has left itself is out of the queue before it joins again.
                biased;
                ending = endings.recv() => match ending {
                    Some(channel) if !self.wants(&channel) => {}
                    Some(_) => return Err(lost("its slot has moved")),
                    None => return Err(lost("the connection has ended")),
                },
                _ = look.tick() => {
                    if self.unheard.since().is_some_and(|since| since.elapsed() >= SILENCE) {
                        return Err(lost("nothing is heard"));
                    }
                }
                taken = orders.recv_many(&mut batch, CHUNK) => {
                    if taken == 0 {
                        return Ok(());
                    }
                    let (leave, join) = self.wanted.take_all(batch.drain(..));
                    self.unsubscribe(&mut connection, leave).await?;
                    self.subscribe(&mut connection, join).await?;
                    self.wanted.confirm(&self.common.ears);
                }
            }
        }
    }

    fn wants(&self, channel: &str) -> bool {
        channel == self.beats || layout::org(channel).is_some_and(|org| self.wanted.orgs.contains(&org))
    }

    async fn subscribe(&self, connection: &mut MultiplexedConnection, channels: Vec<String>) -> Result<(), RedisError> {
        for chunk in channels.chunks(CHUNK) {
            // One channel a command: within a cluster one command's channels must share a slot.
            let mut pipeline = redis::pipe();
            for channel in chunk {
                pipeline.cmd(self.server.verbs.subscribe).arg(channel).ignore();
            }
            pipeline.query_async::<()>(connection).await?;
        }
        Ok(())
    }

    async fn unsubscribe(
        &self,
        connection: &mut MultiplexedConnection,
        channels: Vec<String>,
    ) -> Result<(), RedisError> {
        for chunk in channels.chunks(CHUNK) {
            let mut pipeline = redis::pipe();
            // Refused where the slot has moved: then it has ended already.
            pipeline.ignore_errors();
            for channel in chunk {
                pipeline.cmd(self.server.verbs.unsubscribe).arg(channel).ignore();
            }
            pipeline.query_async::<()>(connection).await?;
        }
        Ok(())
    }
}

fn lost(why: &'static str) -> RedisError {
    RedisError::from(std::io::Error::new(std::io::ErrorKind::ConnectionReset, why))
}

/// Since when a beat of this node has been out and nothing has come.
#[derive(Clone, Default)]
pub struct Unheard(Arc<Mutex<Option<Instant>>>);

impl Unheard {
    pub fn beaten(&self) {
        self.0.lock().get_or_insert_with(Instant::now);
    }

    fn is_heard(&self) {
        *self.0.lock() = None;
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock()
    }
}

/// What this node wants to hear, and who waits for it to be confirmed.
#[derive(Default)]
struct Wanted {
    orgs: HashSet<OrgId>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Wanted {
    /// Takes an order in. Returns a channel that is to be subscribed to now.
    fn take(&mut self, order: Order) -> Option<String> {
        match order {
            Order::Subscribe(org, confirm) => {
                self.waiting.push(confirm);
                let channel = layout::channel(&org);
                self.orgs.insert(org).then_some(channel)
            }
            Order::Unsubscribe(org) => {
                self.orgs.remove(&org);
                None
            }
        }
    }

    /// Returns the channels to leave, and then to join.
    fn take_all(&mut self, orders: impl Iterator<Item = Order>) -> (Vec<String>, Vec<String>) {
        let (mut leave, mut join) = (Vec::new(), Vec::new());
        for order in orders {
            if let Order::Unsubscribe(org) = &order {
                leave.push(layout::channel(org));
                join.retain(|joined| Some(joined) != leave.last());
            }
            join.extend(self.take(order));
        }
        leave.retain(|left| !join.contains(left));
        (leave, join)
    }

    fn confirm(&mut self, ears: &Ears) {
        let mut late = false;
        for confirm in self.waiting.drain(..) {
            late |= confirm.send(()).is_err();
        }
        if late {
            ears.gap();
        }
    }
}

/// Takes what the connection's task has read. Never waits.
struct Pushes {
    shard: u64,
    beats: String,
    common: Common,
    unheard: Unheard,
    /// Subscriptions that have ended; the connection itself when it is dropped with the connection.
    ended: mpsc::Sender<String>,
}

impl Pushes {
    fn take(&self, push: PushInfo) -> Result<(), mpsc::error::TrySendError<String>> {
        match push.kind {
            PushKind::Message | PushKind::SMessage => {
                self.unheard.is_heard();
                if let Some(heard) = Msg::from_push_info(push).and_then(|message| self.understand(&message)) {
                    self.common.ears.hear(heard);
                }
                Ok(())
            }
            PushKind::Unsubscribe | PushKind::SUnsubscribe => match push.data.into_iter().next() {
                Some(redis::Value::BulkString(channel)) => {
                    self.ended.try_send(String::from_utf8_lossy(&channel).into_owned())
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn understand(&self, message: &Msg) -> Option<Heard> {
        let payload = Bytes::copy_from_slice(message.get_payload_bytes());
        let channel = message.get_channel_name();
        if channel == self.beats {
            let is_whole = self.common.beats.came(self.shard, &payload);
            return is_whole.then_some(Heard::Beat(payload));
        }
        let org = layout::org(channel)?;
        Some(Heard::Payload { org, payload })
    }
}
