//! Two nodes on one Postgres and one Redis: what strangers see of it, and what they see when Redis is
//! gone.

use std::time::{Duration, Instant};

use crate::redis::Redis;
use crate::support::{Client, Hub, Scene};

/// Promise 2.
const WITHIN: Duration = Duration::from_secs(1);

/// What nodes share: a fresh database, and a Redis of their own.
pub struct Nodes {
    pub redis: Redis,
    database: String,
}

impl Nodes {
    pub async fn start() -> Self {
        let cluster = crate::cluster::cluster();
        let database = cluster.database().await;
        Self {
            redis: Redis::start(),
            database: cluster.url("owner", &database),
        }
    }

    /// One more node.
    pub async fn node(&self) -> Hub {
        Hub::with(&[
            ("DATABASE_URL", &self.database),
            ("REDIS_URL", &self.redis.url()),
            ("CREWLINE_FRAMES_PER_SECOND", "100000"),
            ("CREWLINE_DRAIN_WINDOW_MS", "500"),
        ])
        .await
    }
}

struct Cluster {
    nodes: Nodes,
    scene: Scene,
    other: Hub,
}

impl Cluster {
    async fn start() -> Self {
        let nodes = Nodes::start().await;
        let scene = Scene::on(nodes.node().await).await;
        let other = nodes.node().await;
        Self { nodes, scene, other }
    }

    async fn degraded(&self, hub: &Hub, is: bool) {
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
}

/// Says something at one node, and waits for it at the other.
async fn crosses(from: &Client, to: &Client, thread: &str, text: &str) -> Duration {
    from.say(thread, text).await;
    let acked = Instant::now();
    to.until_within(WITHIN, text, |s| {
        s.fold.texts(thread).last().is_some_and(|last| last == text)
    })
    .await;
    acked.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_at_one_node_talks_with_who_is_at_the_other() {
    let cluster = Cluster::start().await;
    let (scene, thread) = (&cluster.scene, cluster.scene.ana.thread());
    let ana = scene.ana.join(&scene.hub).await;
    let sam = scene.sam.join(&cluster.other).await;
    for n in 0..50 {
        crosses(&ana, &sam, thread, &format!("a{n}")).await;
        crosses(&sam, &ana, thread, &format!("s{n}")).await;
    }
    sam.read(thread, 1);
    ana.until("the receipt", |s| s.fold.texts(thread).len() == 100).await;
    assert_eq!(ana.state().fold.texts(thread), sam.state().fold.texts(thread));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_killed_or_standing_still_messages_cross_within_a_second() {
    let mut cluster = Cluster::start().await;
    let thread = cluster.scene.ana.thread().to_owned();
    let ana = cluster.scene.ana.join(&cluster.scene.hub).await;
    let sam = cluster.scene.sam.join(&cluster.other).await;
    crosses(&ana, &sam, &thread, "before").await;

    for (fault, heal) in [("KILL", "restart"), ("STOP", "CONT")] {
        match fault {
            "KILL" => cluster.nodes.redis.kill(),
            _ => cluster.nodes.redis.signal(fault),
        }
        for n in 0..6 {
            crosses(&ana, &sam, &thread, &format!("{fault} a{n}")).await;
            crosses(&sam, &ana, &thread, &format!("{fault} s{n}")).await;
        }
        for hub in [&cluster.scene.hub, &cluster.other] {
            cluster.degraded(hub, true).await;
            assert_eq!(hub.ask("GET", "/readyz", None, None).await.status, 200);
        }
        let kim = cluster.scene.kim.join(&cluster.other).await;
        crosses(&ana, &kim, &thread, &format!("{fault} to who signed in meanwhile")).await;
        match heal {
            "restart" => cluster.nodes.redis.restart(),
            _ => cluster.nodes.redis.signal(heal),
        }
        for hub in [&cluster.scene.hub, &cluster.other] {
            cluster.degraded(hub, false).await;
        }
        crosses(&ana, &sam, &thread, &format!("after {fault}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_killed_in_mid_traffic_loses_nothing_that_it_acknowledged() {
    let cluster = Cluster::start().await;
    let thread = cluster.scene.ana.thread().to_owned();
    let sam = cluster.scene.sam.join(&cluster.other).await;
    let Cluster {
        mut scene,
        nodes,
        other,
    } = cluster;
    let mut expected = 0;
    for round in 0..5 {
        let ana = scene.ana.join(&scene.hub).await;
        for n in 0..20 {
            ana.say(&thread, &format!("{round}-{n}")).await;
            expected += 1;
        }
        scene.hub.kill9();
        sam.until("all that was acknowledged", |s| s.fold.texts(&thread).len() >= expected)
            .await;
        scene.hub.restart().await;
    }
    drop((nodes, other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stands_still_delays_no_other_org_and_its_own_goes_on() {
    let cluster = Cluster::start().await;
    let (scene, other) = (&cluster.scene, &cluster.other);
    let elsewhere = crate::support::Org::make(other, "elsewhere").await;
    let eve = elsewhere.customer(other, "eve", "Eve Moss").await;
    let (ana, bob) = (scene.ana.join(&scene.hub).await, scene.bob.join(other).await);
    let eve_is_there = eve.join(other).await;
    for round in 0..5 {
        // In mid-traffic, so that some of the times it stands still inside a transaction.
        for n in 0..200 {
            ana.tell(&serde_json::json!({"type": "send", "id": format!("{round}-{n}"), "text": "x"}));
        }
        tokio::time::sleep(Duration::from_millis(3 * round)).await;
        scene.hub.signal("STOP");
        let start = Instant::now();
        eve_is_there.say(eve.thread(), "not delayed").await;
        assert!(start.elapsed() < WITHIN, "another org waited {:?}", start.elapsed());
        // Its lock is freed by the session's time-out of 3 s; the sender is told within 5 s, and sends again.
        let frame = serde_json::json!({"type": "send", "id": format!("bob-{round}"), "text": "goes on"});
        let start = Instant::now();
        while bob.submit(&frame).await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "its own org does not go on");
        }
        scene.hub.signal("CONT");
    }
}
