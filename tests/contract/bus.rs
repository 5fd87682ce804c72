//! The contract of `Bus`, held against every engine.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crewline::bus::{Bus, Heard, LocalBus, RedisBus};
use crewline::domain::OrgId;
use tokio::sync::mpsc::Receiver;

use super::redis::Redis;

fn org(name: &str) -> OrgId {
    OrgId::parse(name).unwrap()
}

async fn next(ears: &mut Receiver<Heard>) -> Heard {
    tokio::time::timeout(Duration::from_secs(5), ears.recv())
        .await
        .expect("nothing heard")
        .expect("the bus ended")
}

fn payload(name: &str, n: u32) -> Heard {
    Heard::Payload {
        org: org(name),
        payload: Bytes::from(n.to_string()),
    }
}

async fn who_is_subscribed_hears_in_order_and_nobody_else(a: impl Bus, b: impl Bus) {
    let (mut hears_a, mut hears_b) = (a.listen().unwrap(), b.listen().unwrap());
    assert!(a.listen().is_none(), "there is one stream");
    a.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("other")).await.unwrap();
    for n in 0..100 {
        a.publish(&org("acme"), Bytes::from(n.to_string()));
    }
    a.publish(&org("other"), Bytes::from("7"));
    for n in 0..100 {
        assert_eq!(
            next(&mut hears_a).await,
            payload("acme", n),
            "the publisher hears itself"
        );
        assert_eq!(
            next(&mut hears_b).await,
            payload("acme", n),
            "once, though subscribed twice"
        );
    }
    assert_eq!(next(&mut hears_b).await, payload("other", 7));
    b.unsubscribe(&org("acme"));
    a.publish(&org("acme"), Bytes::from("8"));
    a.publish(&org("other"), Bytes::from("9"));
    assert_eq!(next(&mut hears_a).await, payload("acme", 8));
    assert_eq!(next(&mut hears_b).await, payload("other", 9));
}

async fn who_does_not_listen_stops_nobody_and_is_told_of_the_gap(a: impl Bus, b: impl Bus) {
    let (mut hears_a, mut hears_b) = (a.listen().unwrap(), b.listen().unwrap());
    a.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    const MANY: u32 = 20_000;
    for n in 0..MANY {
        a.publish(&org("acme"), Bytes::from(n.to_string()));
        assert_eq!(next(&mut hears_a).await, payload("acme", n));
    }
    // b wakes up: what it hears is in order, and before anything new comes the gap.
    let mut last = 0;
    while let Ok(Heard::Payload { payload, .. }) = hears_b.try_recv() {
        let n: u32 = std::str::from_utf8(&payload).unwrap().parse().unwrap();
        assert!(n == 0 || n == last + 1);
        last = n;
    }
    assert!(last < MANY - 1, "its queue is bounded");
    a.publish(&org("acme"), Bytes::from("7"));
    assert_eq!(next(&mut hears_b).await, Heard::Gap);
    assert_eq!(next(&mut hears_b).await, payload("acme", 7));
}

async fn beats_reach_every_node_whatever_it_is_subscribed_to(a: impl Bus, b: impl Bus) {
    let (mut hears_a, mut hears_b) = (a.listen().unwrap(), b.listen().unwrap());
    // Subscribing is the sign that both are connected.
    a.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("other")).await.unwrap();
    a.beat(Bytes::from("a"));
    assert_eq!(next(&mut hears_a).await, Heard::Beat(Bytes::from("a")));
    assert_eq!(next(&mut hears_b).await, Heard::Beat(Bytes::from("a")));
}

async fn what_was_handed_over_goes_out_before_it_closes(a: impl Bus, b: impl Bus) {
    let mut hears_b = b.listen().unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    a.subscribe(&org("acme")).await.unwrap();
    for n in 0..50 {
        a.publish(&org("acme"), Bytes::from(n.to_string()));
    }
    a.close().await;
    for n in 0..50 {
        assert_eq!(next(&mut hears_b).await, payload("acme", n));
    }
}

/// Subscribes until it stands: a bus that is still connecting makes its caller wait.
async fn subscribed(bus: &impl Bus, name: &str) {
    tokio::time::timeout(Duration::from_secs(5), bus.subscribe(&org(name)))
        .await
        .expect("no answer")
        .unwrap();
}

async fn drain_to_gap(ears: &mut Receiver<Heard>) {
    while next(ears).await != Heard::Gap {}
}

#[tokio::test]
async fn a_redis_that_dies_is_a_gap_and_everything_is_subscribed_again() {
    let mut redis = Redis::start();
    let bus = RedisBus::connect(&redis.url()).unwrap();
    let mut ears = bus.listen().unwrap();
    for n in 0..2_500 {
        bus.subscribe(&org(&format!("org-{n}"))).await.unwrap();
    }
    bus.unsubscribe(&org("org-7"));
    redis.restart();
    drain_to_gap(&mut ears).await;
    // The publisher comes back on its own time.
    let heard = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            bus.publish(&org("org-7"), Bytes::from("7"));
            bus.publish(&org("org-2499"), Bytes::from("2499"));
            if let Ok(heard) = tokio::time::timeout(Duration::from_millis(100), ears.recv()).await {
                return heard.unwrap();
            }
        }
    });
    assert_eq!(heard.await.unwrap(), payload("org-2499", 2499));
}

#[tokio::test]
async fn killed_pub_sub_connections_are_a_gap() {
    let redis = Redis::start();
    let bus = RedisBus::connect(&redis.url()).unwrap();
    let mut ears = bus.listen().unwrap();
    subscribed(&bus, "acme").await;
    redis.command(&["client", "kill", "type", "pubsub"]);
    drain_to_gap(&mut ears).await;
    bus.publish(&org("acme"), Bytes::from("1"));
    assert_eq!(next(&mut ears).await, payload("acme", 1));
}

#[tokio::test]
async fn a_redis_that_stands_still_stops_nobody() {
    let redis = Redis::start();
    let bus = RedisBus::connect(&redis.url()).unwrap();
    let mut ears = bus.listen().unwrap();
    subscribed(&bus, "acme").await;
    redis.signal("STOP");
    let start = std::time::Instant::now();
    for n in 0..20_000 {
        bus.publish(&org("acme"), Bytes::from(n.to_string()));
    }
    assert!(start.elapsed() < Duration::from_secs(1), "publishing never waits");
    assert!(
        tokio::time::timeout(Duration::from_millis(250), bus.subscribe(&org("other")))
            .await
            .is_err()
    );
    tokio::time::sleep(Duration::from_secs(4)).await;
    redis.signal("CONT");
    drain_to_gap(&mut ears).await;
    subscribed(&bus, "other").await;
}

#[test]
fn a_url_that_is_none_is_refused() {
    assert!(RedisBus::connect("http://127.0.0.1").is_err());
}

macro_rules! suite {
    ($engine:ident, $pair:expr, [$($test:ident),* $(,)?]) => {
        mod $engine {
            $(#[tokio::test]
            async fn $test() {
                let (a, b) = $pair;
                super::$test(a, b).await;
            })*
        }
    };
}

fn local() -> (impl Bus, impl Bus) {
    let bus = Arc::new(LocalBus::default());
    (bus.attach(), bus.attach())
}

suite!(
    in_process,
    super::local(),
    [
        who_is_subscribed_hears_in_order_and_nobody_else,
        who_does_not_listen_stops_nobody_and_is_told_of_the_gap,
    ]
);

mod on_redis {
    use super::*;

    fn pair(redis: &Redis) -> (RedisBus, RedisBus) {
        (
            RedisBus::connect(&redis.url()).unwrap(),
            RedisBus::connect(&redis.url()).unwrap(),
        )
    }

    macro_rules! suite {
        ($($test:ident),* $(,)?) => {
            $(#[tokio::test]
            async fn $test() {
                let redis = Redis::start();
                let (a, b) = pair(&redis);
                super::$test(a, b).await;
            })*
        };
    }

    suite!(
        who_is_subscribed_hears_in_order_and_nobody_else,
        who_does_not_listen_stops_nobody_and_is_told_of_the_gap,
        beats_reach_every_node_whatever_it_is_subscribed_to,
        what_was_handed_over_goes_out_before_it_closes,
    );
}
