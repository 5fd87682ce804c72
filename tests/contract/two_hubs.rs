//! Two hubs on one log, and a bus that loses: what the sequencer and the sweep have to make good.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use crewline::auth::{Identity, Role, now};
use crewline::bus::{Bus, BusError, Heard, LocalBus, LocalNode};
use crewline::domain::{Draft, OrgId, Sub};
use crewline::hub::{Guest, Hub, HubSettings, Out, Seated, Step};
use crewline::ledger::Postgres;
use tokio::sync::mpsc::Receiver;

use super::book::{Book, Engine, draft, sqlite};

/// What becomes of the nth payload.
type Fate = fn(u64) -> usize;

/// A bus that delivers each payload as often as fate has it.
struct Unreliable {
    node: LocalNode,
    published: AtomicU64,
    fate: Fate,
}

#[async_trait]
impl Bus for Unreliable {
    async fn subscribe(&self, org: &OrgId) -> Result<(), BusError> {
        self.node.subscribe(org).await
    }

    fn unsubscribe(&self, org: &OrgId) {
        self.node.unsubscribe(org);
    }

    fn publish(&self, org: &OrgId, payload: Bytes) {
        let n = self.published.fetch_add(1, Ordering::Relaxed);
        for _ in 0..(self.fate)(n) {
            self.node.publish(org, payload.clone());
        }
    }

    fn beat(&self, payload: Bytes) {
        self.node.beat(payload);
    }

    async fn close(&self) {
        self.node.close().await;
    }

    fn listen(&self) -> Option<Receiver<Heard>> {
        self.node.listen()
    }
}

/// The hub that commits, and a second one that has only the bus and the sweep.
struct Pair {
    book: Book,
    commits: Hub,
    hears: Hub,
}

const SWEEP: Duration = Duration::from_millis(300);

impl Pair {
    async fn start(fate: Fate) -> Self {
        let book = Book::open(sqlite().await).await;
        let bus = Arc::new(LocalBus::default());
        let settings = HubSettings {
            connections_per_user: 9,
            connections_per_org: 99,
            sweep: SWEEP,
        };
        let lossy = Unreliable {
            node: bus.attach(),
            published: AtomicU64::new(0),
            fate,
        };
        let commits = Hub::start(book.ledger.clone(), Arc::new(lossy), settings.clone())
            .await
            .unwrap();
        let hears = Hub::start(book.ledger.clone(), Arc::new(bus.attach()), settings)
            .await
            .unwrap();
        Self { book, commits, hears }
    }

    async fn say(&self, n: usize) {
        let sam = guest(&self.commits).await;
        let said: Draft = draft(&format!("m{n}"), "x");
        let thread = self.book.threads["ana"].to_string();
        self.commits.say(&sam, Some(&thread), said).unwrap().await.unwrap();
    }
}

async fn guest(hub: &Hub) -> Guest {
    let identity = Identity {
        sub: Sub::parse("sam").unwrap(),
        org: OrgId::parse("acme").unwrap(),
        role: Role::Staff,
        name: "Sam".into(),
        contact: None,
        iat: now(),
        exp: now() + 60,
    };
    hub.admit(identity).await.unwrap()
}

/// A live connection, and the number that it starts from.
async fn live(hub: &Hub) -> (Seated, i64) {
    let seated = hub.join(&guest(hub).await, None, None).await.unwrap();
    let start = seated.welcome.cursor;
    assert!(matches!(seated.step(start, seated.welcome.have_rev), Step::Open { .. }));
    (seated, start)
}

/// Takes changes until `last`; each must be the next.
async fn takes_all(seated: &Seated, start: i64, last: i64, within: Duration) {
    let mut cursor = start;
    let taking = async {
        while cursor < last {
            match poll_fn(|cx| seated.member.lane.poll_take(cx)).await {
                Out::Change(frame) => {
                    assert_eq!(frame.number, cursor + 1);
                    cursor = frame.number;
                }
                Out::Passing(_) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let done = tokio::time::timeout(within, taking).await;
    assert!(done.is_ok(), "stands at {cursor}, should be at {last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_in_the_middle_is_healed_as_soon_as_the_next_one_comes() {
    let pair = Pair::start(|n| usize::from(n % 7 != 3)).await;
    let (seated, start) = live(&pair.hears).await;
    for n in 0..100 {
        pair.say(n).await;
    }
    takes_all(&seated, start, start + 100, Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_last_one_lost_comes_by_the_sweep() {
    // Payload 0 is the joining connection's presence; 4 is the last message.
    let pair = Pair::start(|n| usize::from(n < 4)).await;
    let (seated, start) = live(&pair.hears).await;
    for n in 0..5 {
        pair.say(n).await;
    }
    takes_all(&seated, start, start + 5, 3 * SWEEP + Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_doubled_passes_once() {
    let pair = Pair::start(|_| 2).await;
    let (seated, start) = live(&pair.hears).await;
    for n in 0..100 {
        pair.say(n).await;
    }
    takes_all(&seated, start, start + 100, Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_nothing_published_at_all_the_sweep_delivers() {
    let pair = Pair::start(|_| 0).await;
    let (seated, start) = live(&pair.hears).await;
    for n in 0..20 {
        pair.say(n).await;
    }
    takes_all(&seated, start, start + 20, 3 * SWEEP + Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_log_sends_everybody_away_and_resets_who_comes_back() {
    let cluster = crate::cluster::cluster();
    let database = cluster.migrated().await;
    let ledger = cluster.open(&database).await;
    let book = Book::open(Engine::of(ledger)).await;
    let settings = HubSettings {
        connections_per_user: 9,
        connections_per_org: 99,
        sweep: SWEEP,
    };
    let bus = Arc::new(LocalBus::default());
    let hub = Hub::start(book.ledger.clone(), Arc::new(bus.attach()), settings)
        .await
        .unwrap();
    let (seated, cursor) = live(&hub).await;
    let known = seated.welcome.log.clone();

    Postgres::new_log_id(&cluster.url("owner", &database)).await.unwrap();
    let sent_away = tokio::time::timeout(Duration::from_secs(5), async {
        while !matches!(poll_fn(|cx| seated.member.lane.poll_take(cx)).await, Out::Close { .. }) {}
    });
    sent_away.await.expect("who is here is sent away");
    drop(seated);

    let sam = guest(&hub).await;
    let back = hub.join(&sam, Some(cursor), Some(&known)).await.unwrap();
    assert_eq!(back.welcome.reset, Some("log"));
    assert_ne!(back.welcome.log, known);
    let start = back.welcome.cursor;
    assert!(matches!(back.step(start, back.welcome.have_rev), Step::Open { .. }));
    // The writers go on in the new log, also those that were connected all the while.
    let thread = book.threads["ana"].to_string();
    hub.say(&sam, Some(&thread), draft("m1", "x")).unwrap().await.unwrap();
    takes_all(&back, start, start + 1, Duration::from_secs(5)).await;
    // Who knows the new log stays.
    let again = hub.join(&sam, Some(start), Some(&back.welcome.log)).await.unwrap();
    assert_eq!(again.welcome.reset, None);
}
