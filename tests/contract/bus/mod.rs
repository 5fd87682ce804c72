//! The contract of `Bus`, held against every engine.

mod cluster;
mod redis;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crewline::bus::{Bus, Heard, LocalBus, LocalNode};
use crewline::domain::OrgId;
use tokio::sync::mpsc::Receiver;

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

/// Hears until `count` payloads have come, which are then told by org, each org's in order.
async fn hears(ears: &mut Receiver<Heard>, count: usize) -> BTreeMap<String, Vec<String>> {
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..count {
        let Heard::Payload { org, payload } = next(ears).await else {
            panic!("not a payload")
        };
        let payload = String::from_utf8(payload.to_vec()).unwrap();
        heard.entry(org.to_string()).or_default().push(payload);
    }
    heard
}

async fn who_is_subscribed_hears_in_order_and_nobody_else(a: impl Bus, b: impl Bus) {
    let (mut hears_a, mut hears_b) = (a.listen().unwrap(), b.listen().unwrap());
    assert!(a.listen().is_none(), "there is one stream");
    a.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("other")).await.unwrap();
    let many: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    for n in &many {
        a.publish(&org("acme"), Bytes::from(n.clone()));
    }
    a.publish(&org("other"), Bytes::from("7"));
    // The publisher hears itself; nobody hears twice, though subscribed twice.
    assert_eq!(hears(&mut hears_a, 100).await, [("acme".into(), many.clone())].into());
    let both = [("acme".into(), many), ("other".into(), vec!["7".into()])];
    assert_eq!(hears(&mut hears_b, 101).await, both.into());

    b.unsubscribe(&org("acme"));
    // Leaving takes a moment.
    tokio::time::sleep(Duration::from_millis(200)).await;
    a.publish(&org("acme"), Bytes::from("8"));
    a.publish(&org("other"), Bytes::from("9"));
    assert_eq!(next(&mut hears_a).await, payload("acme", 8));
    assert_eq!(next(&mut hears_b).await, payload("other", 9));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(hears_b.try_recv().is_err());
    assert!(hears_a.try_recv().is_err());
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
    a.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("other")).await.unwrap();
    // Again and again, as a hub does: it may be connected here and not yet there.
    let beating = async {
        loop {
            a.beat(Bytes::from("a"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let hearing = async {
        assert_eq!(next(&mut hears_a).await, Heard::Beat(Bytes::from("a")));
        assert_eq!(next(&mut hears_b).await, Heard::Beat(Bytes::from("a")));
    };
    tokio::select! {
        () = beating => {}
        () = hearing => {}
    }
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

/// Each test with two nodes on a bus of its own.
macro_rules! held_to {
    ($bus:expr, $pair:expr, [$($test:ident),* $(,)?]) => {
        $(#[tokio::test]
        async fn $test() {
            let bus = $bus;
            let (a, b) = $pair(&bus);
            $crate::bus::$test(a, b).await;
        })*
    };
}
use held_to;

mod in_process {
    use super::*;

    fn pair(bus: &Arc<LocalBus>) -> (LocalNode, LocalNode) {
        (bus.attach(), bus.attach())
    }

    held_to!(
        Arc::default(),
        pair,
        [
            who_is_subscribed_hears_in_order_and_nobody_else,
            who_does_not_listen_stops_nobody_and_is_told_of_the_gap,
            beats_reach_every_node_whatever_it_is_subscribed_to,
        ]
    );
}
