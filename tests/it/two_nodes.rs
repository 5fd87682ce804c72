//! Two nodes on one Postgres and one Redis: what strangers see of it, and what they see when Redis is
//! gone.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::embedding::preflight;
use crate::redis::Redis;
use crate::support::nodes::{WITHIN, crosses, degraded};
use crate::support::{Hub, Nodes, Org, Relay, Scene, eventually};

/// How late a node may know what another was told of sites.
const SITES_WITHIN: Duration = Duration::from_secs(5);

struct Cluster {
    redis: Redis,
    nodes: Nodes,
    scene: Scene,
    other: Hub,
}

impl Cluster {
    async fn start() -> Self {
        let redis = Redis::start();
        let nodes = Nodes::on(redis.url()).await;
        let (scene, other) = nodes.two().await;
        Self {
            redis,
            nodes,
            scene,
            other,
        }
    }
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
async fn a_site_that_is_listed_at_one_node_is_known_there_at_once_and_to_the_other_in_time() {
    let cluster = Cluster::start().await;
    let (scene, other) = (&cluster.scene, &cluster.other);
    let site = "https://portal.acme.test";
    let knows = async |hub: &Hub| {
        let asked = preflight(hub, site, "GET", "/v1/inbox").await;
        asked.header("access-control-allow-origin").is_some()
    };
    for (origins, is_listed) in [(json!([site]), true), (json!([]), false)] {
        // Both have just looked: what they know now is of before.
        for hub in [&scene.hub, other] {
            assert_eq!(knows(hub).await, !is_listed);
        }
        let settings = json!({"name": "acme Plumbing", "origins": origins});
        scene.hub.put(&scene.org.service, "/v1/orgs/acme", &settings).await.ok();
        let stored = Instant::now();
        assert_eq!(knows(&scene.hub).await, is_listed, "where it was stored");
        while knows(other).await != is_listed {
            assert!(
                stored.elapsed() < SITES_WITHIN + WITHIN,
                "never, though it was told {origins}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colleagues_at_another_node_see_who_looks_at_a_thread_and_that_they_left() {
    let cluster = Cluster::start().await;
    let (scene, other) = (&cluster.scene, &cluster.other);
    let (hers, his) = (scene.ana.thread(), scene.bob.thread());
    let kim = scene.kim.join(other).await;
    let customers = [scene.ana.join(&scene.hub).await, scene.ana.join(other).await];
    let sam = scene.sam.join(&scene.hub).await;
    let looks = |seen: &[Option<&str>]| {
        let seen: Vec<_> = seen.iter().map(|thread| json!(thread)).collect();
        move |s: &crate::support::State| {
            let of_sam = s.named("viewing").filter(|one| one["who"]["sub"] == "sam");
            of_sam.map(|one| one["thread"].clone()).collect::<Vec<_>>() == seen
        }
    };
    let mut seen = Vec::new();
    for thread in [Some(hers), Some(his), None, Some(hers)] {
        sam.tell(&json!({"type": "viewing", "thread": thread}));
        seen.push(thread);
        kim.until_within(WITHIN, "where Sam looks", looks(&seen)).await;
    }
    // Who leaves looks at none: that they left is told at the other node, too.
    let is_offline = |s: &crate::support::State| {
        let last = s.named("presence").last().expect("who is here");
        last["offline"]
            .as_array()
            .is_some_and(|gone| gone.iter().any(|who| who["sub"] == "sam"))
    };
    assert!(!is_offline(&kim.state()));
    drop(sam);
    kim.until("that Sam left", is_offline).await;
    for ana in customers {
        ana.ping().await;
        let state = ana.state();
        for team_only in ["viewing", "presence"] {
            assert_eq!(state.named(team_only).count(), 0, "{team_only} is the team's alone");
        }
    }
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
            "KILL" => cluster.redis.kill(),
            _ => cluster.redis.signal(fault),
        }
        for n in 0..6 {
            crosses(&ana, &sam, &thread, &format!("{fault} a{n}")).await;
            crosses(&sam, &ana, &thread, &format!("{fault} s{n}")).await;
        }
        for hub in [&cluster.scene.hub, &cluster.other] {
            degraded(hub, true).await;
            assert_eq!(hub.ask("GET", "/readyz", None, None).await.status, 200);
        }
        let kim = cluster.scene.kim.join(&cluster.other).await;
        crosses(&ana, &kim, &thread, &format!("{fault} to who signed in meanwhile")).await;
        match heal {
            "restart" => cluster.redis.restart(),
            _ => cluster.redis.signal(heal),
        }
        for hub in [&cluster.scene.hub, &cluster.other] {
            degraded(hub, false).await;
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
        redis,
        mut scene,
        other,
        ..
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
    drop((redis, other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stands_still_delays_no_other_org_and_its_own_goes_on() {
    let cluster = Cluster::start().await;
    let (scene, other) = (&cluster.scene, &cluster.other);
    let elsewhere = Org::make(other, "elsewhere").await;
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

/// The second node reaches Redis through a relay, so that what it publishes can be kept from it.
async fn behind_a_relay(cluster: &Cluster) -> (Relay, Hub) {
    let relay = Relay::to(&cluster.redis.address()).await;
    let hub = cluster.nodes.node_by(&format!("redis://{}/", relay.address())).await;
    (relay, hub)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_committed_and_did_not_publish_before_it_was_killed_comes_by_the_sweep() {
    let cluster = Cluster::start().await;
    let (relay, mut dies) = behind_a_relay(&cluster).await;
    let thread = cluster.scene.ana.thread().to_owned();
    let sam = cluster.scene.sam.join(&cluster.other).await;
    let ana = cluster.scene.ana.join(&dies).await;
    crosses(&ana, &sam, &thread, "before").await;

    relay.hold();
    ana.say(&thread, "committed and not published").await;
    let acked = Instant::now();
    eventually("it is on its way to Redis", || {
        relay.holds("committed and not published")
    })
    .await;
    dies.kill9();
    let has_it = |s: &crate::support::State| s.fold.texts(&thread).len() == 2;
    assert!(!has_it(&sam.state()), "only the relay knew of it");
    sam.until_within(WITHIN.saturating_sub(acked.elapsed()), "what was committed", has_it)
        .await;
    assert_eq!(sam.state().fold.texts(&thread)[1], "committed and not published");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_last_publish_lost_comes_by_the_sweep() {
    let cluster = Cluster::start().await;
    let (relay, hub) = behind_a_relay(&cluster).await;
    let thread = cluster.scene.ana.thread().to_owned();
    let sam = cluster.scene.sam.join(&cluster.other).await;
    let ana = cluster.scene.ana.join(&hub).await;
    crosses(&ana, &sam, &thread, "before").await;

    relay.hold();
    ana.say(&thread, "lost on the way").await;
    eventually("it is on its way to Redis", || relay.holds("lost on the way")).await;
    relay.cut();
    // Though nothing is wrong any more: its node knows, and lets the others miss its beat.
    sam.until_within(WITHIN, "what was lost", |s| s.fold.texts(&thread).len() == 2)
        .await;
    degraded(&hub, false).await;
    crosses(&ana, &sam, &thread, "after").await;
}
