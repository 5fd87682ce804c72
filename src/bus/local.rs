//! The bus within one process. It delivers the way a network one does: by subscription, through a
//! bounded queue, and it can lose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use dashmap::DashMap;
use tokio::sync::mpsc;

use super::{Bus, BusError, Heard};
use crate::domain::OrgId;

/// Payloads that a node may have waiting. Past that it loses, and hears of a gap.
const QUEUE: usize = 4_096;

/// The process's bus; each hub attaches as a node.
#[derive(Default)]
pub struct LocalBus {
    subscribers: DashMap<OrgId, Vec<Subscriber>>,
    next_node: AtomicU64,
}

#[derive(Clone)]
struct Subscriber {
    node: u64,
    ears: mpsc::Sender<Heard>,
    missed: Arc<AtomicBool>,
}

pub struct LocalNode {
    bus: Arc<LocalBus>,
    me: Subscriber,
    listener: parking_lot::Mutex<Option<mpsc::Receiver<Heard>>>,
}

impl LocalBus {
    pub fn attach(self: &Arc<Self>) -> LocalNode {
        let (ears, listener) = mpsc::channel(QUEUE);
        LocalNode {
            bus: Arc::clone(self),
            me: Subscriber {
                node: self.next_node.fetch_add(1, Ordering::Relaxed),
                ears,
                missed: Arc::default(),
            },
            listener: parking_lot::Mutex::new(Some(listener)),
        }
    }
}

impl Subscriber {
    /// A gap is told before anything that comes after it.
    fn hear(&self, payload: Heard) {
        if self.missed.load(Ordering::Acquire) && self.ears.try_send(Heard::Gap).is_ok() {
            self.missed.store(false, Ordering::Release);
        }
        if self.missed.load(Ordering::Acquire) || self.ears.try_send(payload).is_err() {
            self.missed.store(true, Ordering::Release);
        }
    }
}

#[async_trait]
impl Bus for LocalNode {
    async fn subscribe(&self, org: &OrgId) -> Result<(), BusError> {
        let mut subscribers = self.bus.subscribers.entry(org.clone()).or_default();
        if !subscribers.iter().any(|one| one.node == self.me.node) {
            subscribers.push(self.me.clone());
        }
        Ok(())
    }

    async fn unsubscribe(&self, org: &OrgId) {
        if let Some(mut subscribers) = self.bus.subscribers.get_mut(org) {
            subscribers.retain(|one| one.node != self.me.node);
        }
        self.bus
            .subscribers
            .remove_if(org, |_, subscribers| subscribers.is_empty());
    }

    async fn publish(&self, org: &OrgId, payload: Bytes) -> Result<(), BusError> {
        if let Some(subscribers) = self.bus.subscribers.get(org) {
            for one in subscribers.iter() {
                one.hear(Heard::Payload {
                    org: org.clone(),
                    payload: payload.clone(),
                });
            }
        }
        Ok(())
    }

    fn listen(&self) -> Option<mpsc::Receiver<Heard>> {
        self.listener.lock().take()
    }
}

impl Drop for LocalNode {
    fn drop(&mut self) {
        self.bus.subscribers.retain(|_, subscribers| {
            subscribers.retain(|one| one.node != self.me.node);
            !subscribers.is_empty()
        });
    }
}
