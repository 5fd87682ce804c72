//! What nodes tell each other. It only makes things fast: whatever it loses, the ledger has.

mod ears;
mod envelope;
mod local;
mod redis;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

pub use envelope::{Beat, Envelope, Message, Unreadable, Whisper};
pub use local::{LocalBus, LocalNode};
pub use redis::RedisBus;

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
    /// A node's beat, one's own too.
    Beat(Bytes),
    /// Something may have been missed, of any org.
    Gap,
}

/// The contract of the bus. One suite of tests holds every engine to it.
///
/// - **Reach.** A payload published after [`Bus::subscribe`] returned is heard by that subscriber, by
///   the publisher too if it is subscribed.
/// - **Order.** Payloads of one publisher for one org arrive in the order in which they were published.
/// - **Loss.** A payload may be lost. If the hearer's engine knows, the node hears [`Heard::Gap`]
///   afterwards; if the publisher's knows, its beats stay away until the others have noticed.
/// - **Beats** reach every node, whatever it is subscribed to. One that arrives has come by every way
///   that payloads take, so a way that is dead is heard as silence.
/// - **Bounds.** A node that does not listen makes nobody wait and fills no memory: it loses, and is told.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Returns when the subscription stands. If nobody waited for that any more, the node hears a gap.
    async fn subscribe(&self, org: &OrgId) -> Result<(), BusError>;

    fn unsubscribe(&self, org: &OrgId);

    /// Hands a payload over. Never waits.
    fn publish(&self, org: &OrgId, payload: Bytes);

    /// Says to every node that this one is alive. Never waits.
    fn beat(&self, payload: Bytes);

    /// What this node hears. There is one; the second call gets none.
    fn listen(&self) -> Option<mpsc::Receiver<Heard>>;

    /// Lets what was handed over go out, if it can within a moment, and disconnects.
    async fn close(&self);
}
