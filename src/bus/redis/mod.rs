//! The bus on Redis pub/sub: a channel an org, on one server, or spread over a cluster's shards.
//!
//! The crate's own resubscription hides what was lost meanwhile, and its streams queue without bound.
//! So each server gets a [`Shard`]: two connections, reconnected with backoff and subscribed to
//! everything again, which then says that there was a gap. Which shard carries a channel is in the
//! [`Layout`]; one server is a layout of one shard, and of a cluster it is asked for again whenever a
//! shard fails or sends somebody away.

mod beats;
mod cluster;
mod layout;
mod losses;
mod shard;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::ears::Ears;
use super::{Bus, BusError, Heard};
use crate::domain::OrgId;
use beats::Beats;
use cluster::{Master, Servers};
use layout::Layout;
use losses::Losses;
use shard::Shard;

/// How long Redis has to answer before the connection is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Orders that may wait. One that does not fit is lost, and the sweep delivers.
const ORDERS: usize = 16_384;
/// Orders taken at once, and channels in one round trip.
const CHUNK: usize = 1_000;

pub struct RedisBus {
    orders: mpsc::Sender<Order>,
    layout: Arc<RwLock<Layout>>,
    losses: Arc<Losses>,
    listener: Mutex<Option<mpsc::Receiver<Heard>>>,
    /// Whatever has something to finish before the bus is closed.
    tasks: TaskTracker,
    stop: CancellationToken,
    _stops_when_dropped: DropGuard,
}

enum Order {
    Subscribe(OrgId, oneshot::Sender<()>),
    Unsubscribe(OrgId),
}

/// What every shard needs.
#[derive(Clone)]
struct Common {
    ears: Ears,
    beats: Arc<Beats>,
    losses: Arc<Losses>,
    /// The layout may have changed.
    stale: Arc<Notify>,
    tasks: TaskTracker,
}

impl RedisBus {
    /// Starts connecting. A Redis that is not there yet makes nobody wait.
    ///
    /// `redis://` and `rediss://` are one server; `redis-cluster://` and `rediss-cluster://`, with some
    /// of its nodes' `host:port` after each other, a cluster.
    pub fn connect(url: &str) -> Result<Self, BusError> {
        let servers = Servers::parse(url).map_err(|error| BusError(format!("REDIS_URL: {error}")))?;
        let (ears, listener) = Ears::new();
        let (orders, ordered) = mpsc::channel(ORDERS);
        let (found, layouts) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let common = Common {
            ears,
            beats: Arc::default(),
            losses: Arc::default(),
            stale: Arc::default(),
            tasks: TaskTracker::new(),
        };
        let router = Router {
            layout: Arc::default(),
            wanted: HashSet::new(),
            common: common.clone(),
        };
        let bus = Self {
            orders,
            layout: Arc::clone(&router.layout),
            losses: Arc::clone(&common.losses),
            listener: Mutex::new(Some(listener)),
            tasks: common.tasks.clone(),
            stop: stop.clone(),
            _stops_when_dropped: stop.clone().drop_guard(),
        };
        tokio::spawn(servers.follow(found, common.stale, stop.clone()));
        bus.tasks.spawn(router.run(ordered, layouts, stop));
        Ok(bus)
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
        let channel = layout::channel(org);
        let published = match self.layout.read().shard(&channel) {
            Some(shard) => shard.publish(channel, payload),
            None => false,
        };
        if !published {
            self.losses.add(1);
        }
    }

    fn beat(&self, payload: Bytes) {
        if self.losses.are_fresh() {
            return;
        }
        for shard in self.layout.read().shards() {
            if !shard.beat(payload.clone()) {
                self.losses.add(1);
            }
        }
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        let _ = timeout(ANSWER_WITHIN, self.tasks.wait()).await;
    }

    fn listen(&self) -> Option<mpsc::Receiver<Heard>> {
        self.listener.lock().take()
    }
}

/// Hands each order to the shard that carries its org, and moves what another shard carries now.
struct Router {
    layout: Arc<RwLock<Layout>>,
    wanted: HashSet<OrgId>,
    common: Common,
}

impl Router {
    async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut layouts: mpsc::Receiver<Vec<Master>>,
        stop: CancellationToken,
    ) {
        let mut batch = Vec::new();
        let mut is_known = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(masters) = layouts.recv() => {
                    self.follow(&masters).await;
                    is_known = true;
                }
                taken = orders.recv_many(&mut batch, CHUNK), if is_known => {
                    if taken == 0 {
                        break;
                    }
                    for order in batch.drain(..) {
                        self.pass(order).await;
                    }
                }
            }
        }
        // Shards that nobody has any more publish what they still hold, and end.
        *self.layout.write() = Layout::default();
    }

    async fn pass(&mut self, order: Order) {
        let org = match &order {
            Order::Subscribe(org, _) => {
                self.wanted.insert(org.clone());
                org
            }
            Order::Unsubscribe(org) => {
                self.wanted.remove(org);
                org
            }
        };
        let shard = self.layout.read().shard(&layout::channel(org)).cloned();
        if let Some(shard) = shard {
            shard.order(order).await;
        }
    }

    async fn follow(&mut self, masters: &[Master]) {
        let was = self.layout.read().clone();
        let is = Layout::new(masters, |master, beats| {
            was.shards()
                .find(|shard| shard.is(master, beats))
                .cloned()
                .unwrap_or_else(|| Arc::new(Shard::start(master, beats.to_owned(), self.common.clone())))
        });
        self.common.beats.expect(is.shards().map(|shard| shard.id()).collect());
        *self.layout.write() = is.clone();
        for org in &self.wanted {
            let channel = layout::channel(org);
            let (Some(old), Some(new)) = (was.shard(&channel), is.shard(&channel)) else {
                continue;
            };
            if !Arc::ptr_eq(old, new) {
                old.order(Order::Unsubscribe(org.clone())).await;
                // Nobody waits for the confirmation, so it is followed by a gap.
                new.order(Order::Subscribe(org.clone(), oneshot::channel().0)).await;
            }
        }
    }
}
