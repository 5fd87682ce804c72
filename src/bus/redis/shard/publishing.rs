//! The connection that publishes.

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{FIRST_PAUSE, LONGEST_PAUSE, Server};
use crate::bus::redis::Common;
use crate::bus::redis::losses::Losses;

/// Payloads that go out in one round trip.
const PIPELINE: usize = 256;

/// Ends when nobody has anything to publish any more.
pub async fn run(server: Server, mut payloads: mpsc::Receiver<(String, Bytes)>, common: Common) {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Ok(connection) = server.connect(AsyncConnectionConfig::new()).await {
            pause = FIRST_PAUSE;
            match publish(connection, &server, &mut payloads, &common.losses).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(at = %server.at.addr(), %error, "not published; connecting again"),
            }
        }
        common.stale.notify_one();
        // What was said meanwhile is old news by the time Redis is back; the others have swept it.
        let back = Instant::now() + pause.mul_f64(rand::random_range(0.5..1.5));
        while let Ok(payload) = tokio::time::timeout_at(back, payloads.recv()).await {
            if payload.is_none() {
                return;
            }
            common.losses.add(1);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Publishes on one connection until it fails, or (Ok) until there is nothing to publish any more.
async fn publish(
    mut connection: MultiplexedConnection,
    server: &Server,
    payloads: &mut mpsc::Receiver<(String, Bytes)>,
    losses: &Losses,
) -> Result<(), RedisError> {
    let mut batch = Vec::new();
    loop {
        let taken = payloads.recv_many(&mut batch, PIPELINE).await;
        if taken == 0 {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for (channel, payload) in batch.drain(..) {
            pipeline
                .cmd(server.verbs.publish)
                .arg(channel)
                .arg(payload.as_ref())
                .ignore();
        }
        // Among the answers may be that a slot has moved: others may have gone out all the same.
        if let Err(error) = pipeline.query_async::<()>(&mut connection).await {
            losses.add(taken);
            return Err(error);
        }
    }
}
