//! One server that carries channels: a connection that hears, and one that publishes.

mod hearing;
mod publishing;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisResult};
use tokio::sync::mpsc;

use super::cluster::{Master, Verbs};
use super::{ANSWER_WITHIN, Common, ORDERS, Order};
use hearing::{Hearing, Unheard};

/// Payloads to publish that may wait. What does not fit is lost, and the sweep of the other nodes
/// finds it.
const PAYLOADS: usize = 4_096;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Dropping it lets what it still holds go out, and disconnects.
pub struct Shard {
    id: u64,
    at: ConnectionInfo,
    /// Where the beats of all nodes that use this shard go.
    beats: String,
    orders: mpsc::Sender<Order>,
    payloads: mpsc::Sender<(String, Bytes)>,
    unheard: Unheard,
}

impl Shard {
    /// Starts connecting.
    pub fn start(master: &Master, beats: String, common: Common) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (orders, ordered) = mpsc::channel(ORDERS);
        let (payloads, queued) = mpsc::channel(PAYLOADS);
        let unheard = Unheard::default();
        let hearing = Hearing::new(id, beats.clone(), Server::of(master), common.clone(), unheard.clone());
        tokio::spawn(hearing.run(ordered));
        let publishing = publishing::run(Server::of(master), queued, common.clone());
        common.tasks.spawn(publishing);
        Self {
            id,
            at: master.at.clone(),
            beats,
            orders,
            payloads,
            unheard,
        }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether it is the shard of this master, with its beats on this channel.
    pub fn is(&self, master: &Master, beats: &str) -> bool {
        self.at.addr() == master.at.addr() && self.beats == beats
    }

    pub async fn order(&self, order: Order) {
        // Its task takes orders for as long as there is a shard.
        let _ = self.orders.send(order).await;
    }

    /// False if there is no room for it. Never waits.
    pub fn publish(&self, channel: String, payload: Bytes) -> bool {
        self.payloads.try_send((channel, payload)).is_ok()
    }

    pub fn beat(&self, payload: Bytes) -> bool {
        self.unheard.beaten();
        self.publish(self.beats.clone(), payload)
    }
}

/// Where, and in which words.
struct Server {
    at: ConnectionInfo,
    verbs: Verbs,
}

impl Server {
    fn of(master: &Master) -> Self {
        Self {
            at: master.at.clone(),
            verbs: master.verbs,
        }
    }

    async fn connect(&self, config: AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let config = config
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let client = Client::open(self.at.clone())?;
        client.get_multiplexed_async_connection_with_config(&config).await
    }
}
