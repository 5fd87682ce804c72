//! What a heal asks of the ledger: a crowd that is connected costs nothing by being there.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use crewline::auth::{Identity, Role, now};
use crewline::bus::LocalBus;
use crewline::domain::{Contact, ContactId, OrgId, Page, Phone, Record, Seek, Sub, ThreadId, View};
use crewline::hub::{Hub, HubSettings, Out, Seated, Step};
use crewline::ledger::{
    Admission, Command, Commit, Find, Found, Inbox, InboxFilter, Indexed, Ledger, LedgerError, Pending, Projections,
    Result, Slice, ThreadState, ViewHead,
};
use serde_json::Value;
use tokio::sync::mpsc::Receiver;

use super::book::{Book, draft, sqlite};

const SWEEP: Duration = Duration::from_millis(100);
const CROWD: usize = 100;

/// Counts how often heads of views are asked for, and may be slow or fail at it.
struct Watched {
    inner: Arc<dyn Ledger>,
    asked: AtomicUsize,
    asking: AtomicUsize,
    most: AtomicUsize,
    fails: AtomicUsize,
    takes_ms: AtomicU64,
}

#[async_trait]
impl Ledger for Watched {
    async fn head(&self, view: &View) -> Result<Option<ViewHead>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let asking = self.asking.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(asking, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(self.takes_ms.load(Ordering::Relaxed))).await;
        let left = self.fails.load(Ordering::Relaxed);
        let head = if left > 0 {
            self.fails.store(left - 1, Ordering::Relaxed);
            Err(LedgerError(anyhow::anyhow!("busy")))
        } else {
            self.inner.head(view).await
        };
        self.asking.fetch_sub(1, Ordering::Relaxed);
        head
    }

    fn submit(&self, command: Command) -> Pending {
        self.inner.submit(command)
    }

    fn commits(&self) -> Option<Receiver<Commit>> {
        self.inner.commits()
    }

    async fn log_id(&self) -> Result<String> {
        self.inner.log_id().await
    }

    async fn admit(&self, org: &OrgId, sub: &Sub, contact: Option<&ContactId>) -> Result<Option<Admission>> {
        self.inner.admit(org, sub, contact).await
    }

    async fn sites(&self) -> Result<Vec<(OrgId, Vec<String>)>> {
        self.inner.sites().await
    }

    async fn heads(&self, orgs: &[OrgId]) -> Result<Vec<(OrgId, i64)>> {
        self.inner.heads(orgs).await
    }

    async fn after(&self, view: &View, cursor: i64, limit: u32) -> Result<Slice> {
        self.inner.after(view, cursor, limit).await
    }

    async fn history(&self, view: &View, thread: &ThreadId, seek: Seek, limit: u32) -> Result<Page> {
        self.inner.history(view, thread, seek, limit).await
    }

    async fn inbox(&self, org: &OrgId, filter: InboxFilter, before: Option<i64>, limit: u32) -> Result<Inbox> {
        self.inner.inbox(org, filter, before, limit).await
    }

    async fn contacts(&self, org: &OrgId, like: &str, limit: u32) -> Result<Vec<Contact>> {
        self.inner.contacts(org, like, limit).await
    }

    async fn unrouted(&self, org: &OrgId, before: Option<i64>, limit: u32) -> Result<Page> {
        self.inner.unrouted(org, before, limit).await
    }

    async fn search(&self, view: &View, find: &Find, limit: usize) -> Result<Found> {
        self.inner.search(view, find, limit).await
    }

    async fn stopped(&self, org: &OrgId) -> Result<Vec<Phone>> {
        self.inner.stopped(org).await
    }

    async fn thread(&self, org: &OrgId, thread: &ThreadId) -> Result<Option<ThreadState>> {
        self.inner.thread(org, thread).await
    }

    async fn orgs(&self) -> Result<Vec<OrgId>> {
        self.inner.orgs().await
    }

    async fn records(&self, org: &OrgId, after: i64, limit: u32) -> Result<Vec<Record>> {
        self.inner.records(org, after, limit).await
    }

    async fn indexed(&self, org: &OrgId, after: i64, up_to: i64) -> Result<Vec<Indexed>> {
        self.inner.indexed(org, after, up_to).await
    }

    async fn projections(&self, org: &OrgId) -> Result<Projections> {
        self.inner.projections(org).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// A hub that commits, and one with a crowd that hears of it by the sweep alone.
struct Scene {
    book: Book,
    commits: Hub,
    watched: Arc<Watched>,
    ana: Seated,
    /// Who is connected besides, staff too.
    _crowd: Vec<Seated>,
}

impl Scene {
    async fn start() -> Self {
        let book = Book::open(sqlite().await).await;
        for n in 0..CROWD {
            book.contact(&format!("c{n}")).await;
        }
        let settings = HubSettings {
            connections_per_user: 9,
            connections_per_org: 999,
            sweep: SWEEP,
        };
        // Each has a bus of its own: what one publishes never reaches the other.
        let hub = async |ledger: Arc<dyn Ledger>| {
            let bus = Arc::new(LocalBus::default()).attach();
            Hub::start(ledger, Arc::new(bus), settings.clone()).await.unwrap()
        };
        let commits = hub(book.ledger.clone()).await;
        let watched = Arc::new(Watched {
            inner: book.ledger.clone(),
            asked: AtomicUsize::default(),
            asking: AtomicUsize::default(),
            most: AtomicUsize::default(),
            fails: AtomicUsize::default(),
            takes_ms: AtomicU64::default(),
        });
        let hears = hub(watched.clone()).await;
        let mut crowd = Vec::new();
        for n in 0..CROWD {
            crowd.push(live(&hears, Some(&format!("c{n}"))).await);
        }
        crowd.push(live(&hears, None).await);
        let ana = live(&hears, Some("ana")).await;
        watched.asked.store(0, Ordering::Relaxed);
        watched.most.store(0, Ordering::Relaxed);
        Self {
            book,
            commits,
            watched,
            ana,
            _crowd: crowd,
        }
    }

    /// Sam says something to Ana, at the hub that commits.
    async fn say(&self, id: &str) {
        let sam = guest(&self.commits, None).await;
        let thread = self.book.threads["ana"].to_string();
        self.commits
            .say(&sam, Some(&thread), draft(id, "x"))
            .unwrap()
            .await
            .unwrap();
    }
}

async fn guest(hub: &Hub, contact: Option<&str>) -> crewline::hub::Guest {
    let identity = Identity {
        sub: Sub::parse(contact.unwrap_or("sam")).unwrap(),
        org: OrgId::parse("acme").unwrap(),
        role: if contact.is_some() { Role::Customer } else { Role::Staff },
        name: "Somebody".into(),
        contact: contact.map(|contact| ContactId::parse(contact).unwrap()),
        iat: now(),
        exp: now() + 60,
    };
    hub.admit(identity).await.unwrap()
}

/// A connection whose gate is open.
async fn live(hub: &Hub, contact: Option<&str>) -> Seated {
    let seated = hub.join(&guest(hub, contact).await, None, None).await.unwrap();
    let Step::Open { .. } = seated.step(seated.welcome.cursor, seated.welcome.have_rev) else {
        panic!("there is nothing to catch up with");
    };
    seated
}

/// Takes what comes until a badge says that so many are unread.
async fn hears_of(seated: &Seated, unread: u64) {
    let taking = async {
        loop {
            if let Out::Passing(text) = poll_fn(|cx| seated.member.lane.poll_take(cx)).await {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == "badge" && frame["unread"] == unread {
                    return;
                }
            }
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(10), taking).await;
    assert!(heard.is_ok(), "no badge says {unread}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heal_asks_for_the_badges_of_those_alone_to_whom_something_came() {
    let scene = Scene::start().await;
    for n in 1..=3 {
        scene.say(&format!("m{n}")).await;
        hears_of(&scene.ana, n).await;
    }
    tokio::time::sleep(3 * SWEEP).await;
    let asked = scene.watched.asked.load(Ordering::Relaxed);
    // Ana's and the team's, three times.
    assert!(
        asked <= 6,
        "{asked} heads were read for one thread, and {CROWD} others are open"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_a_room_heals_it_asks_for_one_badge_at_a_time() {
    let scene = Scene::start().await;
    scene.watched.takes_ms.store(300, Ordering::Relaxed);
    for n in 1..=20 {
        scene.say(&format!("m{n}")).await;
        tokio::time::sleep(SWEEP / 2).await;
    }
    hears_of(&scene.ana, 20).await;
    assert_eq!(scene.watched.most.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_badge_that_could_not_be_read_comes_later_though_nothing_else_is_said() {
    let scene = Scene::start().await;
    scene.watched.fails.store(3, Ordering::Relaxed);
    scene.say("m1").await;
    hears_of(&scene.ana, 1).await;
    assert_eq!(scene.watched.fails.load(Ordering::Relaxed), 0);
}
