//! On one Redis: the contract, and what its failures look like.

use super::*;
use crate::redis::Redis;
use crewline::bus::RedisBus;

fn pair(redis: &Redis) -> (RedisBus, RedisBus) {
    let node = || RedisBus::connect(&redis.url()).unwrap();
    (node(), node())
}

held_to!(
    Redis::start(),
    pair,
    [
        who_is_subscribed_hears_in_order_and_nobody_else,
        who_does_not_listen_stops_nobody_and_is_told_of_the_gap,
        beats_reach_every_node_whatever_it_is_subscribed_to,
        what_was_handed_over_goes_out_before_it_closes,
    ]
);

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
async fn who_lost_a_payload_does_not_beat_until_the_others_have_noticed() {
    let redis = Redis::start();
    let (a, b) = pair(&redis);
    let mut hears_b = b.listen().unwrap();
    subscribed(&a, "acme").await;
    subscribed(&b, "acme").await;
    a.publish(&org("acme"), Bytes::from("1"));
    assert_eq!(next(&mut hears_b).await, payload("acme", 1));

    redis.command(&["client", "kill", "type", "normal"]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    a.publish(&org("acme"), Bytes::from("2"));
    let lost = std::time::Instant::now();
    let beating = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            a.beat(Bytes::from("a"));
        }
    };
    tokio::select! {
        () = beating => {}
        heard = next(&mut hears_b) => assert_eq!(heard, Heard::Beat(Bytes::from("a")), "the payload is lost"),
    }
    let silent = lost.elapsed();
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(3)).contains(&silent),
        "{silent:?}"
    );
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
