//! Everything live: who is here, what passes in which order, and who gets to see it.
//!
//! Three feeders bring records to each room's [`sequencer`]: this node's own commits, the bus, and the
//! [`sweep`]. What passes goes to [`fanout`], into the lanes of those in the [`roster`]. [`post`] is
//! the one door for whoever wants something appended, [`read`] for whoever wants to look.

mod catch_up;
mod fanout;
mod lane;
mod post;
mod presence;
mod read;
mod roster;
mod sequencer;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use rand::seq::SliceRandom;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use catch_up::Batch;
pub use lane::{Frame, Out};
pub use post::Guest;
pub use read::{InboxPage, LogPage};
pub use roster::{Member, Step};
pub use sequencer::{Hole, Sequencer};

use crate::auth::Identity;
use crate::bus::{Bus, BusError, Envelope, Heard, Message, Whisper};
use crate::domain::{Code, OrgId, Refusal, View};
use crate::ledger::{Commit, Ledger, LedgerError, ViewHead};
use crate::protocol::{Who, close};
use roster::{Room, TooMany};

/// How long a joining connection waits for the bus before it goes on without.
const SUBSCRIBE_WITHIN: Duration = Duration::from_millis(250);
/// How long a hole waits for a straggler before the ledger is asked.
const STRAGGLER: Duration = Duration::from_millis(5);
/// Team cursors further behind than this load afresh.
const TOO_FAR: i64 = 20_000;

#[derive(Debug, Clone)]
pub struct HubSettings {
    pub connections_per_user: usize,
    pub connections_per_org: usize,
    pub sweep: Duration,
}

/// A cheap handle; all clones are the same hub.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    ledger: Arc<dyn Ledger>,
    bus: Arc<dyn Bus>,
    settings: HubSettings,
    /// Which log this is; stamped on whatever leaves this node.
    log: String,
    node: String,
    rooms: DashMap<OrgId, Arc<Room>>,
    catching_up: catch_up::CatchUp,
    draining: AtomicBool,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A connection that is in the roster, gated. Dropping it leaves.
pub struct Seated {
    hub: Hub,
    room: Arc<Room>,
    pub member: Arc<Member>,
    pub welcome: Welcome,
}

/// Where a connection starts.
#[derive(Debug, Clone)]
pub struct Welcome {
    pub cursor: i64,
    /// Everything of the view up to this rev is in the client's hands.
    pub have_rev: i64,
    /// Why the client's cursor could not be used.
    pub reset: Option<&'static str>,
    pub log: String,
}

impl Hub {
    /// Starts the feeders. `ledger` and `bus` give up their streams to this hub.
    pub async fn start(
        ledger: Arc<dyn Ledger>,
        bus: Arc<dyn Bus>,
        settings: HubSettings,
    ) -> Result<Self, LedgerError> {
        let log = ledger.log_id().await?;
        let commits = ledger.commits();
        let heard = bus.listen();
        let hub = Self {
            shared: Arc::new(Shared {
                catching_up: catch_up::CatchUp::new(Arc::clone(&ledger)),
                ledger,
                bus,
                settings,
                log,
                node: uuid::Uuid::new_v4().simple().to_string(),
                rooms: DashMap::new(),
                draining: AtomicBool::new(false),
                tasks: TaskTracker::new(),
                stop: CancellationToken::new(),
            }),
        };
        if let Some(commits) = commits {
            hub.spawn(Self::feed_commits(hub.clone(), commits));
        }
        if let Some(heard) = heard {
            hub.spawn(Self::feed_bus(hub.clone(), heard));
        }
        hub.spawn(sweep::run(hub.clone()));
        Ok(hub)
    }

    /// Says goodbye to every socket here, in random order over the window, so that they do not all come
    /// back to another node at once.
    pub async fn drain(&self, window: Duration) {
        self.shared.draining.store(true, Ordering::SeqCst);
        let mut members: Vec<_> = self
            .shared
            .rooms
            .iter()
            .flat_map(|room| room.members())
            .collect();
        members.shuffle(&mut rand::rng());
        let pause = window.checked_div(members.len() as u32).unwrap_or_default();
        let start = tokio::time::Instant::now();
        for (i, member) in members.iter().enumerate() {
            tokio::time::sleep_until(start + pause * i as u32).await;
            member.lane.close(close::RESTART, "restart");
        }
        if !members.is_empty() {
            tokio::time::sleep_until(start + window).await;
        }
        // Who was already at the door when it shut.
        for room in self.shared.rooms.iter() {
            room.members()
                .iter()
                .for_each(|member| member.lane.close(close::RESTART, "restart"));
        }
    }

    /// Whether this hub takes nobody in any more.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::SeqCst)
    }

    /// Stops the feeders. Sockets have been closed before.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    pub fn log(&self) -> &str {
        &self.shared.log
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.shared.stop.clone();
        self.shared.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    fn room(&self, org: &OrgId) -> Option<Arc<Room>> {
        self.shared.rooms.get(org).map(|room| Arc::clone(&room))
    }

    /// This node's own commits: to the sockets here at once, and over the bus to the others.
    async fn feed_commits(self, mut commits: tokio::sync::mpsc::Receiver<Commit>) {
        while let Some(commit) = commits.recv().await {
            if let Some(room) = self.room(&commit.org)
                && let Some(hole) = room.commit(&commit)
            {
                self.heal(room, hole);
            }
            let org = commit.org.clone();
            self.publish(&org, Message::Commit(commit)).await;
        }
    }

    async fn feed_bus(self, mut heard: tokio::sync::mpsc::Receiver<Heard>) {
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::Payload { payload, .. } => match Envelope::decode(payload) {
                    Ok((org, envelope)) => self.hear(&org, envelope),
                    Err(error) => tracing::warn!(%error, "ignored"),
                },
                Heard::Gap => {
                    metrics::counter!("crewline_bus_gaps_total").increment(1);
                    if let Err(error) = self.sweep_once().await {
                        tracing::warn!(%error, "the sweep after a gap failed");
                    }
                }
            }
        }
    }

    fn hear(&self, org: &OrgId, envelope: Envelope) {
        // What this node said itself it has delivered already.
        if envelope.node == self.shared.node || envelope.log != self.shared.log {
            return;
        }
        let Some(room) = self.room(org) else { return };
        match envelope.message {
            Message::Commit(commit) => {
                if let Some(hole) = room.commit(&commit) {
                    self.heal(room, hole);
                }
            }
            Message::Whisper(Whisper::Typing {
                thread,
                who,
                shown,
                on,
            }) => {
                self.deliver_typing(&room, &thread, &who, shown.as_ref(), on, None);
            }
            Message::Whisper(Whisper::Here { online, offline }) => {
                room.presence_heard(&envelope.node, online, offline);
            }
        }
    }

    async fn publish(&self, org: &OrgId, message: Message) {
        let envelope = Envelope {
            log: self.shared.log.clone(),
            node: self.shared.node.clone(),
            message,
        };
        if let Err(error) = self.shared.bus.publish(org, envelope.encode(org)).await {
            metrics::counter!("crewline_bus_publish_failed_total").increment(1);
            tracing::debug!(%error, "not published; the sweep of the other nodes finds it");
        }
    }

    fn whisper(&self, org: &OrgId, whisper: Whisper) {
        let (hub, org) = (self.clone(), org.clone());
        self.spawn(async move { hub.publish(&org, Message::Whisper(whisper)).await });
    }

    fn tell_here(&self, org: &OrgId, online: Vec<Who>, offline: Vec<Who>) {
        if !online.is_empty() || !offline.is_empty() {
            self.whisper(org, Whisper::Here { online, offline });
        }
    }

    /// Waits a moment for a straggler, then reads what is missing.
    fn heal(&self, room: Arc<Room>, hole: Hole) {
        let hub = self.clone();
        self.spawn(async move {
            tokio::time::sleep(STRAGGLER).await;
            let mut hole = room.still_missing().map(|missing| Hole {
                up_to: hole.up_to.max(missing.up_to),
                ..missing
            });
            while let Some(missing) = hole {
                let view = View::Team {
                    org: room.org.clone(),
                };
                match hub
                    .shared
                    .ledger
                    .after(&view, missing.after, catch_up::LIMIT)
                    .await
                {
                    // Told of a rev that the ledger does not have: nothing to heal, and no reason to spin.
                    Ok(slice) if slice.records.is_empty() => {
                        room.give_up_healing();
                        break;
                    }
                    Ok(slice) => hole = room.heal(slice.records),
                    Err(error) => {
                        tracing::warn!(%error, "a hole could not be healed; the sweep tries again");
                        room.give_up_healing();
                        break;
                    }
                }
            }
            hub.refresh_badges(&room).await;
        });
    }

    /// Badges do not come with what was read from the ledger.
    async fn refresh_badges(&self, room: &Room) {
        let org = &room.org;
        let customers = room
            .open_threads()
            .into_iter()
            .map(|thread| View::Customer {
                org: org.clone(),
                thread,
            });
        for view in std::iter::once(View::Team { org: org.clone() }).chain(customers) {
            if let Ok(Some(head)) = self.shared.ledger.head(&view).await {
                room.badge(&view, head.badge);
            }
        }
    }

    /// Puts a connection into the roster, gated: it misses nothing from here on.
    pub async fn join(
        &self,
        guest: &Guest,
        cursor: Option<i64>,
        log: Option<&str>,
    ) -> Result<Seated, Refusal> {
        if self.is_draining() {
            return Err(Refusal::new(
                Code::Busy,
                "this node is restarting; come back in a moment",
            ));
        }
        let view = guest.view()?;
        let room = self.started_room(view.org()).await?;
        let member = Arc::new(Member {
            view: view.clone(),
            identity: parking_lot::Mutex::new(guest.identity.clone()),
            who: guest.who(),
            person: guest.person.submitter(),
            lane: lane::Lane::default(),
        });
        let settings = &self.shared.settings;
        let came = room
            .join(
                Arc::clone(&member),
                settings.connections_per_user,
                settings.connections_per_org,
            )
            .map_err(|TooMany| {
                Refusal::new(
                    Code::TooFast,
                    "too many connections; close another one first",
                )
            })?;
        // From here on dropping it leaves the roster.
        let mut seated = Seated {
            hub: self.clone(),
            room,
            member,
            welcome: Welcome {
                cursor: 0,
                have_rev: 0,
                reset: None,
                log: self.shared.log.clone(),
            },
        };
        self.tell_here(view.org(), came, Vec::new());
        let head = self.view_head(&view).await?;
        seated.room.badge(&view, head.badge);
        let reset = match cursor {
            _ if log.is_some_and(|log| log != self.shared.log) => Some("log"),
            Some(cursor) if cursor > head.number => Some("ahead"),
            Some(cursor) if matches!(view, View::Team { .. }) && head.number - cursor > TOO_FAR => {
                Some("too_far")
            }
            _ => None,
        };
        let welcome = &mut seated.welcome;
        welcome.reset = reset;
        match cursor.filter(|_| reset.is_none()) {
            None => (welcome.cursor, welcome.have_rev) = (head.number, head.rev),
            Some(cursor) if cursor == head.number => {
                (welcome.cursor, welcome.have_rev) = (cursor, head.rev)
            }
            Some(cursor) => {
                welcome.cursor = cursor;
                welcome.have_rev = match view {
                    View::Team { .. } => cursor,
                    // Where its seq stands among the revs is not known: the ledger is read.
                    View::Customer { .. } => -1,
                };
            }
        }
        Ok(seated)
    }

    async fn view_head(&self, view: &View) -> Result<ViewHead, Refusal> {
        match self.shared.ledger.head(view).await {
            Ok(Some(head)) => Ok(head),
            Ok(None) => Err(Refusal::not_found()),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// The org's room with its sequencer running: subscribed first, the head read afterwards.
    async fn started_room(&self, org: &OrgId) -> Result<Arc<Room>, Refusal> {
        let room = Arc::clone(
            &self
                .shared
                .rooms
                .entry(org.clone())
                .or_insert_with(|| Arc::new(Room::new(org.clone()))),
        );
        let start = room.started.get_or_try_init(|| async {
            let subscribed = tokio::time::timeout(SUBSCRIBE_WITHIN, self.shared.bus.subscribe(org));
            match subscribed
                .await
                .unwrap_or_else(|_| Err(BusError("no answer".into())))
            {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "not subscribed; the sweep delivers"),
            }
            let heads = self.shared.ledger.heads(std::slice::from_ref(org)).await?;
            if let Some(hole) = room.start(heads.first().map_or(0, |(_, rev)| *rev)) {
                self.heal(Arc::clone(&room), hole);
            }
            Ok::<_, LedgerError>(())
        });
        start.await.map_err(|error| unreadable(&error))?;
        Ok(room)
    }
}

/// The ledger could not be read: the client may try again.
fn unreadable(error: &LedgerError) -> Refusal {
    tracing::error!(error = %format!("{error:#}"), "the ledger could not be read");
    Refusal::new(
        Code::Busy,
        "the ledger cannot be read just now; try again in a moment",
    )
}

impl Seated {
    /// The view's head, as far as this node knows.
    pub fn head(&self) -> i64 {
        self.room.head(&self.member.view)
    }

    pub fn step(&self, cursor: i64, have_rev: i64) -> Step {
        self.room.step(&self.member, cursor, have_rev)
    }

    /// A token for the same person, to go on with.
    pub fn refresh(&self, identity: Identity) -> Result<(), Refusal> {
        let mut mine = self.member.identity.lock();
        let same = (
            &identity.sub,
            &identity.org,
            identity.role,
            &identity.contact,
        ) == (&mine.sub, &mine.org, mine.role, &mine.contact);
        if !same {
            return Err(Refusal::new(
                Code::Forbidden,
                "a new token must be for the same sub, org, role and contact",
            ));
        }
        *mine = identity;
        Ok(())
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let went = self.room.leave(&self.member);
        self.hub.tell_here(&self.room.org, Vec::new(), went);
    }
}
