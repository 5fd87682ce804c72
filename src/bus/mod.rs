//! What nodes tell each other. It only makes things fast: whatever it loses, the ledger has.

mod envelope;
mod local;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

pub use envelope::{Envelope, Message, Unreadable, Whisper};
pub use local::{LocalBus, LocalNode};

use crate::domain::OrgId;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bus: {0}")]
pub struct BusError(pub String);

/// What a node hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Payload {
        org: OrgId,
        payload: Bytes,
    },
    /// Something may have been missed, of any org.
    Gap,
}

/// The contract of the bus. One suite of tests holds every engine to it.
///
/// - **Reach.** A payload published after [`Bus::subscribe`] returned is heard by that subscriber, by
///   the publisher too if it is subscribed.
/// - **Order.** Payloads of one publisher for one org arrive in the order in which they were published.
/// - **Loss.** A payload may be lost. If the engine knows, the node hears [`Heard::Gap`] afterwards.
/// - **Bounds.** A node that does not listen makes nobody wait and fills no memory: it loses, and is told.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Returns when the subscription stands.
    async fn subscribe(&self, org: &OrgId) -> Result<(), BusError>;

    async fn unsubscribe(&self, org: &OrgId);

    async fn publish(&self, org: &OrgId, payload: Bytes) -> Result<(), BusError>;

    /// What this node hears. There is one; the second call gets none.
    fn listen(&self) -> Option<mpsc::Receiver<Heard>>;
}
