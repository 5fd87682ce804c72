//! The bus within one process. It delivers the way a network one does: by subscription, through a
//! bounded queue, and it can lose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use dashmap::DashMap;
use tokio::sync::mpsc;

use super::ears::Ears;
use super::{Bus, BusError, Heard};
use crate::domain::OrgId;

/// The process's bus; each hub attaches as a node.
#[derive(Default)]
pub struct LocalBus {
    nodes: DashMap<u64, Ears>,
    subscribers: DashMap<OrgId, Vec<(u64, Ears)>>,
    next_node: AtomicU64,
}

pub struct LocalNode {
    bus: Arc<LocalBus>,
    node: u64,
    ears: Ears,
    listener: parking_lot::Mutex<Option<mpsc::Receiver<Heard>>>,
}

impl LocalBus {
    pub fn attach(self: &Arc<Self>) -> LocalNode {
        let (ears, listener) = Ears::new();
        let node = self.next_node.fetch_add(1, Ordering::Relaxed);
        self.nodes.insert(node, ears.clone());
        LocalNode {
            bus: Arc::clone(self),
            node,
            ears,
            listener: parking_lot::Mutex::new(Some(listener)),
        }
    }
}

#[async_trait]
impl Bus for LocalNode {
    async fn subscribe(&self, org: &OrgId) -> Result<(), BusError> {
        let mut subscribers = self.bus.subscribers.entry(org.clone()).or_default();
        if !subscribers.iter().any(|(node, _)| *node == self.node) {
            subscribers.push((self.node, self.ears.clone()));
        }
        Ok(())
    }

    fn unsubscribe(&self, org: &OrgId) {
        if let Some(mut subscribers) = self.bus.subscribers.get_mut(org) {
            subscribers.retain(|(node, _)| *node != self.node);
        }
        self.bus
            .subscribers
            .remove_if(org, |_, subscribers| subscribers.is_empty());
    }

    fn publish(&self, org: &OrgId, payload: Bytes) {
        if let Some(subscribers) = self.bus.subscribers.get(org) {
            for (_, ears) in subscribers.iter() {
                ears.hear(Heard::Payload {
                    org: org.clone(),
                    payload: payload.clone(),
                });
            }
        }
    }

    fn beat(&self, payload: Bytes) {
        for node in &self.bus.nodes {
            node.hear(Heard::Beat(payload.clone()));
        }
    }

    async fn close(&self) {
        self.detach();
    }

    fn listen(&self) -> Option<mpsc::Receiver<Heard>> {
        self.listener.lock().take()
    }
}

impl LocalNode {
    fn detach(&self) {
        self.bus.nodes.remove(&self.node);
        self.bus.subscribers.retain(|_, subscribers| {
            subscribers.retain(|(node, _)| *node != self.node);
            !subscribers.is_empty()
        });
    }
}

impl Drop for LocalNode {
    fn drop(&mut self) {
        self.detach();
    }
}
