//! On a Redis Cluster of three masters: the contract, and what the failure of one of them looks like.

use super::*;
use crate::redis::RedisCluster;
use crewline::bus::RedisBus;

fn node(cluster: &RedisCluster) -> RedisBus {
    RedisBus::connect(&cluster.url()).unwrap()
}

fn pair(cluster: &RedisCluster) -> (RedisBus, RedisBus) {
    (node(cluster), node(cluster))
}

held_to!(
    RedisCluster::start(),
    pair,
    [
        who_is_subscribed_hears_in_order_and_nobody_else,
        who_does_not_listen_stops_nobody_and_is_told_of_the_gap,
        beats_reach_every_node_whatever_it_is_subscribed_to,
        what_was_handed_over_goes_out_before_it_closes,
    ]
);

fn one_on_each(cluster: &RedisCluster) -> [String; 3] {
    cluster.one_on_each(|n| format!("org-{n}"))
}

/// What is heard within a moment, after `say` has said it again and again.
async fn said_and_heard(ears: &mut Receiver<Heard>, say: impl Fn()) -> Vec<Heard> {
    while ears.try_recv().is_ok() {}
    for _ in 0..10 {
        say();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::iter::from_fn(|| ears.try_recv().ok()).collect()
}

async fn eventually(ears: &mut Receiver<Heard>, what: &Heard, say: impl Fn()) {
    let start = std::time::Instant::now();
    while !said_and_heard(ears, &say).await.contains(what) {
        assert!(start.elapsed() < Duration::from_secs(10), "never heard: {what:?}");
    }
}

#[tokio::test]
async fn a_dead_master_is_a_gap_and_silences_the_beats_and_its_own_orgs_alone() {
    let mut cluster = RedisCluster::start();
    let orgs = one_on_each(&cluster);
    let bus = node(&cluster);
    let mut ears = bus.listen().unwrap();
    for name in &orgs {
        subscribed(&bus, name).await;
    }
    let beat = Bytes::from("a");
    eventually(&mut ears, &Heard::Beat(beat.clone()), || bus.beat(beat.clone())).await;

    cluster.masters[1].kill();
    let say = || {
        bus.beat(beat.clone());
        orgs.iter().for_each(|name| bus.publish(&org(name), Bytes::from("1")));
    };
    // What it still took in before it died.
    said_and_heard(&mut ears, say).await;
    let heard = said_and_heard(&mut ears, say).await;
    assert!(
        !heard.contains(&Heard::Beat(beat.clone())),
        "one shard is dead: {heard:?}"
    );
    for (master, name) in orgs.iter().enumerate() {
        assert_eq!(heard.contains(&payload(name, 1)), master != 1, "{name}: {heard:?}");
    }

    cluster.masters[1].restart();
    drain_to_gap(&mut ears).await;
    eventually(&mut ears, &Heard::Beat(beat.clone()), || bus.beat(beat.clone())).await;
    for name in &orgs {
        eventually(&mut ears, &payload(name, 2), || {
            bus.publish(&org(name), Bytes::from("2"))
        })
        .await;
    }
}

#[tokio::test]
async fn a_slot_that_moves_is_a_gap_and_its_org_is_heard_at_its_new_master() {
    let cluster = RedisCluster::start();
    let orgs = one_on_each(&cluster);
    let (bus, other) = (node(&cluster), node(&cluster));
    let mut ears = bus.listen().unwrap();
    for name in &orgs {
        subscribed(&bus, name).await;
        subscribed(&other, name).await;
    }
    let channel = format!("crewline/org/{}", orgs[0]);
    cluster.move_slot_of(&channel, 0, 2);
    assert_eq!(cluster.master_of(&channel), 2);
    drain_to_gap(&mut ears).await;
    // Published by a node that may not have noticed, and has nobody to tell it but the old master.
    for name in &orgs {
        eventually(&mut ears, &payload(name, 1), || {
            other.publish(&org(name), Bytes::from("1"))
        })
        .await;
    }
    let beat = Bytes::from("a");
    eventually(&mut ears, &Heard::Beat(beat.clone()), || other.beat(beat.clone())).await;
    assert_eq!(
        cluster.masters[2].command(&["pubsub", "shardnumsub", &channel]).trim(),
        format!("{channel}\n2")
    );
}

#[tokio::test]
async fn killed_pub_sub_connections_of_one_master_are_a_gap() {
    let cluster = RedisCluster::start();
    let orgs = one_on_each(&cluster);
    let bus = node(&cluster);
    let mut ears = bus.listen().unwrap();
    for name in &orgs {
        subscribed(&bus, name).await;
    }
    cluster.masters[0].command(&["client", "kill", "type", "pubsub"]);
    drain_to_gap(&mut ears).await;
    for name in &orgs {
        bus.publish(&org(name), Bytes::from("1"));
        assert_eq!(next(&mut ears).await, payload(name, 1));
    }
}

#[tokio::test]
async fn any_of_its_nodes_is_enough_to_find_the_cluster() {
    let mut cluster = RedisCluster::start();
    let [_, name, _] = one_on_each(&cluster);
    cluster.masters[0].kill();
    let bus = node(&cluster);
    let mut ears = bus.listen().unwrap();
    subscribed(&bus, &name).await;
    bus.publish(&org(&name), Bytes::from("1"));
    assert_eq!(next(&mut ears).await, payload(&name, 1));
}
