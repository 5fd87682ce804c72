//! The bus on Redis pub/sub: one connection that hears, one that publishes, a channel an org.
//!
//! The crate's own resubscription hides what was lost meanwhile and its streams queue without bound,
//! so the loops are ours: they reconnect with backoff, subscribe to everything again in chunks, and
//! then say that there was a gap.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use metrics::counter;
use redis::aio::{MultiplexedConnection, PubSub, PubSubSink};
use redis::{AsyncConnectionConfig, Client, Msg, RedisError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::ears::Ears;
use super::{Bus, BusError, Heard};
use crate::domain::OrgId;

const BEATS: &str = "crewline/beat";
const ORG: &str = "crewline/org/";
/// Channels in one SUBSCRIBE.
const CHUNK: usize = 1_000;
/// Orders to subscribe, and payloads to publish, that may wait. What does not fit is lost, and the
/// sweep of the other nodes finds it.
const ORDERS: usize = 16_384;
const PAYLOADS: usize = 4_096;
/// Payloads that go out in one round trip.
const PIPELINE: usize = 256;
/// How long Redis has to answer before the connection is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// A connection on which not even one's own beat comes is dead, whatever TCP says.
const SILENCE: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub struct RedisBus {
    orders: mpsc::Sender<Order>,
    payloads: parking_lot::Mutex<Option<mpsc::Sender<(String, Bytes)>>>,
    listener: parking_lot::Mutex<Option<mpsc::Receiver<Heard>>>,
    /// Everything that was queued has gone out.
    published: CancellationToken,
    /// Ends both loops, also when the bus is dropped.
    stop: Stop,
}

struct Stop(CancellationToken);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

enum Order {
    Subscribe(OrgId, oneshot::Sender<()>),
    Unsubscribe(OrgId),
}

impl RedisBus {
    /// Starts connecting. A Redis that is not there yet makes nobody wait.
    pub fn connect(url: &str) -> Result<Self, BusError> {
        let client = Client::open(url).map_err(|error| BusError(format!("REDIS_URL: {error}")))?;
        let (ears, listener) = Ears::new();
        let (orders, ordered) = mpsc::channel(ORDERS);
        let (payloads, queued) = mpsc::channel(PAYLOADS);
        let stop = CancellationToken::new();
        let published = CancellationToken::new();
        tokio::spawn(subscriber(client.clone(), ordered, ears, stop.clone()));
        let done = published.clone().drop_guard();
        let publishing = publisher(client, queued, stop.clone());
        tokio::spawn(async move {
            publishing.await;
            drop(done);
        });
        Ok(Self {
            orders,
            payloads: parking_lot::Mutex::new(Some(payloads)),
            published,
            listener: parking_lot::Mutex::new(Some(listener)),
            stop: Stop(stop),
        })
    }

    fn queue(&self, channel: String, payload: Bytes) {
        let sent = self
            .payloads
            .lock()
            .as_ref()
            .is_some_and(|queue| queue.try_send((channel, payload)).is_ok());
        if !sent {
            counter!("crewline_bus_publish_failed_total").increment(1);
        }
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn subscribe(&self, org: &OrgId) -> Result<(), BusError> {
        let (confirm, confirmed) = oneshot::channel();
        let gone = || BusError("the connection is closed".into());
        self.orders
            .send(Order::Subscribe(org.clone(), confirm))
            .await
            .map_err(|_| gone())?;
        confirmed.await.map_err(|_| gone())
    }

    fn unsubscribe(&self, org: &OrgId) {
        // Left out when there are too many: what comes of an org that nobody here has is ignored.
        let _ = self.orders.try_send(Order::Unsubscribe(org.clone()));
    }

    fn publish(&self, org: &OrgId, payload: Bytes) {
        self.queue(channel(org), payload);
    }

    fn beat(&self, payload: Bytes) {
        self.queue(BEATS.to_owned(), payload);
    }

    async fn close(&self) {
        self.payloads.lock().take();
        let _ = timeout(ANSWER_WITHIN, self.published.cancelled()).await;
        self.stop.0.cancel();
    }

    fn listen(&self) -> Option<mpsc::Receiver<Heard>> {
        self.listener.lock().take()
    }
}

fn channel(org: &OrgId) -> String {
    format!("{ORG}{org}")
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
                let channel = channel(&org);
                self.orgs.insert(org).then_some(channel)
            }
            Order::Unsubscribe(org) => {
                self.orgs.remove(&org);
                None
            }
        }
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

async fn subscriber(client: Client, mut orders: mpsc::Receiver<Order>, ears: Ears, stop: CancellationToken) {
    let mut wanted = Wanted::default();
    let mut pause = FIRST_PAUSE;
    let mut first = true;
    while !stop.is_cancelled() {
        let connecting = timeout(ANSWER_WITHIN, client.get_async_pubsub());
        if let Ok(Ok(pubsub)) = connecting.await {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                heard = hear(pubsub, &mut wanted, &mut orders, &ears, &mut first) => heard,
            };
            if heard.is_ok() {
                return;
            }
            tracing::warn!("the bus is lost; connecting again");
            pause = FIRST_PAUSE;
        }
        // Orders go on being taken: they hold when the connection is back.
        let back = Instant::now() + pause.mul_f64(rand::random_range(0.5..1.5));
        while let Ok(order) = tokio::time::timeout_at(back, orders.recv()).await {
            let Some(order) = order else { return };
            wanted.take(order);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Listens on one connection until it fails, or (Ok) until nobody wants anything any more.
async fn hear(
    pubsub: PubSub,
    wanted: &mut Wanted,
    orders: &mut mpsc::Receiver<Order>,
    ears: &Ears,
    first: &mut bool,
) -> Result<(), RedisError> {
    let (mut sink, mut stream) = pubsub.split();
    subscribe(&mut sink, vec![BEATS.to_owned()]).await?;
    subscribe(&mut sink, wanted.orgs.iter().map(channel).collect()).await?;
    wanted.confirm(ears);
    if !std::mem::take(first) {
        ears.gap();
    }
    let mut last = Instant::now();
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(message) => {
                    last = Instant::now();
                    if let Some(heard) = understand(&message) {
                        ears.hear(heard);
                    }
                }
                None => return Err(lost()),
            },
            taken = orders.recv_many(&mut batch, CHUNK) => {
                if taken == 0 {
                    return Ok(());
                }
                let mut leave = Vec::new();
                let mut join = Vec::new();
                for order in batch.drain(..) {
                    if let Order::Unsubscribe(org) = &order {
                        leave.push(channel(org));
                        join.retain(|joined| Some(joined) != leave.last());
                    }
                    join.extend(wanted.take(order));
                }
                leave.retain(|left| !join.contains(left));
                unsubscribe(&mut sink, leave).await?;
                subscribe(&mut sink, join).await?;
                wanted.confirm(ears);
            }
            () = tokio::time::sleep_until(last + SILENCE) => return Err(lost()),
        }
    }
}

async fn subscribe(sink: &mut PubSubSink, channels: Vec<String>) -> Result<(), RedisError> {
    for chunk in channels.chunks(CHUNK) {
        timeout(ANSWER_WITHIN, sink.subscribe(chunk))
            .await
            .map_err(|_| lost())??;
    }
    Ok(())
}

async fn unsubscribe(sink: &mut PubSubSink, channels: Vec<String>) -> Result<(), RedisError> {
    for chunk in channels.chunks(CHUNK) {
        timeout(ANSWER_WITHIN, sink.unsubscribe(chunk))
            .await
            .map_err(|_| lost())??;
    }
    Ok(())
}

fn lost() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
}

fn understand(message: &Msg) -> Option<Heard> {
    let payload = Bytes::copy_from_slice(message.get_payload_bytes());
    let name = message.get_channel_name();
    if name == BEATS {
        return Some(Heard::Beat(payload));
    }
    let org = OrgId::parse(name.strip_prefix(ORG)?).ok()?;
    Some(Heard::Payload { org, payload })
}

async fn publisher(client: Client, mut payloads: mpsc::Receiver<(String, Bytes)>, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER_WITHIN));
        let connecting = timeout(
            ANSWER_WITHIN,
            client.get_multiplexed_async_connection_with_config(&config),
        );
        if let Ok(Ok(connection)) = connecting.await {
            pause = FIRST_PAUSE;
            if publish(connection, &mut payloads, &stop).await.is_ok() {
                return;
            }
        }
        // What was said meanwhile is old news by the time Redis is back; the others have swept it.
        let back = Instant::now() + pause.mul_f64(rand::random_range(0.5..1.5));
        while let Ok(payload) = tokio::time::timeout_at(back, payloads.recv()).await {
            if payload.is_none() {
                return;
            }
            counter!("crewline_bus_publish_failed_total").increment(1);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Publishes on one connection until it fails, or (Ok) until there is nothing to publish any more.
async fn publish(
    mut connection: MultiplexedConnection,
    payloads: &mut mpsc::Receiver<(String, Bytes)>,
    stop: &CancellationToken,
) -> Result<(), RedisError> {
    let mut batch = Vec::new();
    loop {
        let taken = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            taken = payloads.recv_many(&mut batch, PIPELINE) => taken,
        };
        if taken == 0 {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for (channel, payload) in batch.drain(..) {
            pipeline.cmd("PUBLISH").arg(channel).arg(payload.as_ref()).ignore();
        }
        if let Err(error) = pipeline.query_async::<()>(&mut connection).await {
            counter!("crewline_bus_publish_failed_total").increment(taken as u64);
            return Err(error);
        }
    }
}
