//! Nodes of one Crewline, and what passes between them.

use std::time::{Duration, Instant};

use super::hub::Hub;
use super::org::Scene;
use super::wire::Client;

/// Promise 2.
pub const WITHIN: Duration = Duration::from_secs(1);

/// What nodes share: a database and a bus.
pub struct Nodes {
    database: String,
    redis: String,
}

impl Nodes {
    pub fn new(database: String, redis: String) -> Self {
        Self { database, redis }
    }

    /// On a fresh database.
    pub async fn on(redis: String) -> Self {
        let cluster = crate::cluster::cluster();
        let database = cluster.database().await;
        Self::new(cluster.url("owner", &database), redis)
    }

    /// One more node.
    pub async fn node(&self) -> Hub {
        self.node_by(&self.redis).await
    }

    /// One that reaches the bus at another address.
    pub async fn node_by(&self, redis: &str) -> Hub {
        Hub::with(&[
            ("DATABASE_URL", &self.database),
            ("REDIS_URL", redis),
            ("CREWLINE_FRAMES_PER_SECOND", "100000"),
            ("CREWLINE_DRAIN_WINDOW_MS", "500"),
        ])
        .await
    }

    /// The usual cast at one node, and a second one.
    pub async fn two(&self) -> (Scene, Hub) {
        (Scene::on(self.node().await).await, self.node().await)
    }
}

/// Says something at one node, and waits for it at the other.
pub async fn crosses(from: &Client, to: &Client, thread: &str, text: &str) -> Duration {
    from.say(thread, text).await;
    let acked = Instant::now();
    to.until_within(WITHIN, text, |s| {
        s.fold.texts(thread).last().is_some_and(|last| last == text)
    })
    .await;
    acked.elapsed()
}

/// Waits until a node says that its bus is unwell, or well.
pub async fn degraded(hub: &Hub, is: bool) {
    let line = format!("crewline_degraded {}", u8::from(is));
    let deadline = Instant::now() + Duration::from_secs(10);
    while !hub
        .ask("GET", "/metrics", None, None)
        .await
        .text
        .lines()
        .any(|one| one == line)
    {
        assert!(Instant::now() < deadline, "never: {line}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
