//! The contract of `Bus`, held against every engine.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crewline::bus::{Bus, Heard, LocalBus};
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

async fn who_is_subscribed_hears_in_order_and_nobody_else(a: impl Bus, b: impl Bus) {
    let (mut hears_a, mut hears_b) = (a.listen().unwrap(), b.listen().unwrap());
    assert!(a.listen().is_none(), "there is one stream");
    a.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("other")).await.unwrap();
    for n in 0..100 {
        a.publish(&org("acme"), Bytes::from(n.to_string())).await.unwrap();
    }
    a.publish(&org("other"), Bytes::from("7")).await.unwrap();
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
    b.unsubscribe(&org("acme")).await;
    a.publish(&org("acme"), Bytes::from("8")).await.unwrap();
    a.publish(&org("other"), Bytes::from("9")).await.unwrap();
    assert_eq!(next(&mut hears_a).await, payload("acme", 8));
    assert_eq!(next(&mut hears_b).await, payload("other", 9));
}

async fn who_does_not_listen_stops_nobody_and_is_told_of_the_gap(a: impl Bus, b: impl Bus) {
    let (mut hears_a, mut hears_b) = (a.listen().unwrap(), b.listen().unwrap());
    a.subscribe(&org("acme")).await.unwrap();
    b.subscribe(&org("acme")).await.unwrap();
    const MANY: u32 = 20_000;
    for n in 0..MANY {
        a.publish(&org("acme"), Bytes::from(n.to_string())).await.unwrap();
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
    a.publish(&org("acme"), Bytes::from("7")).await.unwrap();
    assert_eq!(next(&mut hears_b).await, Heard::Gap);
    assert_eq!(next(&mut hears_b).await, payload("acme", 7));
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
