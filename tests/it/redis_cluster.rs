//! Two nodes on a Redis Cluster of three masters.

use crate::redis::RedisCluster;
use crate::support::nodes::{crosses, degraded};
use crate::support::{Client, Hub, Nodes, Org, Scene};

/// An org with somebody at each of two nodes.
struct Conversation {
    master: usize,
    thread: String,
    ana: Client,
    sam: Client,
}

impl Conversation {
    async fn begin(org: &str, master: usize, scene: &Scene, other: &Hub) -> Self {
        let org = Org::make(&scene.hub, org).await;
        let ana = org.customer(&scene.hub, "ana", "Ana Souza").await;
        Self {
            master,
            thread: ana.thread().to_owned(),
            ana: ana.join(&scene.hub).await,
            sam: org.staff("sam", "Sam Ortiz").join(other).await,
        }
    }

    async fn goes_on(&self, what: &str) {
        let from = self.master;
        for n in 0..5 {
            crosses(&self.ana, &self.sam, &self.thread, &format!("{what} a{n} by {from}")).await;
            crosses(&self.sam, &self.ana, &self.thread, &format!("{what} s{n} by {from}")).await;
        }
    }
}

async fn all_go_on(conversations: &[Conversation], what: &str) {
    futures_util::future::join_all(conversations.iter().map(|one| one.goes_on(what))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_one_master_killed_every_org_goes_on_within_a_second_and_both_nodes_say_degraded() {
    let mut redis = RedisCluster::start();
    let (scene, other) = Nodes::on(redis.url()).await.two().await;
    let [early, late] = ["early", "late"].map(|name| redis.one_on_each(|n| format!("{name}-{n}")));
    let mut conversations = Vec::new();
    for (master, name) in early.iter().enumerate() {
        conversations.push(Conversation::begin(name, master, &scene, &other).await);
    }
    for hub in [&scene.hub, &other] {
        degraded(hub, false).await;
    }
    all_go_on(&conversations, "before").await;

    redis.masters[1].kill();
    all_go_on(&conversations, "meanwhile").await;
    for hub in [&scene.hub, &other] {
        degraded(hub, true).await;
        assert_eq!(hub.ask("GET", "/readyz", None, None).await.status, 200);
    }
    // Whoever signs in meanwhile is not missed either.
    for (master, name) in late.iter().enumerate() {
        conversations.push(Conversation::begin(name, master, &scene, &other).await);
    }
    all_go_on(&conversations, "still").await;

    redis.masters[1].restart();
    for hub in [&scene.hub, &other] {
        degraded(hub, false).await;
    }
    all_go_on(&conversations, "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_org_whose_slot_moves_goes_on() {
    let redis = RedisCluster::start();
    let (scene, other) = Nodes::on(redis.url()).await.two().await;
    let [name, ..] = redis.one_on_each(|n| format!("org-{n}"));
    let conversation = Conversation::begin(&name, 0, &scene, &other).await;
    conversation.goes_on("before").await;
    let channel = format!("crewline/org/{name}");
    redis.move_slot_of(&channel, 0, 2);
    conversation.goes_on("meanwhile").await;
    assert_eq!(redis.master_of(&channel), 2);
    for hub in [&scene.hub, &other] {
        degraded(hub, false).await;
    }
    conversation.goes_on("after").await;
    let heard_by = redis.masters[2].command(&["pubsub", "shardnumsub", &channel]);
    assert_eq!(heard_by.trim(), format!("{channel}\n2"));
}
