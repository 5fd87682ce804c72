//! Everything live: who is here, what passes in which order, and who gets to see it.
//!
//! Three feeders bring records to each room's [`sequencer`]: this node's own commits, the bus, and the
//! [`sweep`]. What passes goes to [`fanout`], into the lanes of those in the [`roster`]. [`post`] is
//! the one door for whoever wants something appended, [`read`] for whoever wants to look.

mod catch_up;
mod fanout;
mod handover;
mod heal;
mod join;
mod lane;
mod post;
mod presence;
mod pulse;
mod read;
mod roster;
mod sequencer;
mod sites;
mod sweep;
mod typing;
mod viewing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use dashmap::DashMap;
use parking_lot::Mutex;
use rand::seq::SliceRandom;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use catch_up::Batch;
pub use join::{Seated, Welcome};
pub use lane::{Frame, Out};
pub use post::Guest;
pub use read::{Hit, Hits, InboxPage, LogPage};
pub use roster::{Member, Step};
pub use sequencer::{Hole, Sequencer};

use crate::bus::{Beat, Bus, Envelope, Heard, Message, Whisper};
use crate::domain::{Code, OrgId, Refusal};
use crate::ledger::{Commit, Ledger, LedgerError};
use crate::protocol::{Who, close};
use roster::Room;

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
    log: parking_lot::RwLock<Arc<str>>,
    node: String,
    rooms: DashMap<OrgId, Arc<Room>>,
    catching_up: catch_up::CatchUp,
    sites: sites::Sites,
    draining: CancellationToken,
    pulse: Mutex<pulse::Pulse>,
    /// The bus became unwell: sweep now.
    alarm: Notify,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Hub {
    /// Starts the feeders. `ledger` and `bus` give up their streams to this hub.
    pub async fn start(ledger: Arc<dyn Ledger>, bus: Arc<dyn Bus>, settings: HubSettings) -> Result<Self, LedgerError> {
        let log = Arc::from(ledger.log_id().await?);
        let commits = ledger.commits();
        let heard = bus.listen();
        let node = uuid::Uuid::new_v4().simple().to_string();
        let hub = Self {
            shared: Arc::new(Shared {
                catching_up: catch_up::CatchUp::new(Arc::clone(&ledger)),
                sites: sites::Sites::default(),
                ledger,
                bus,
                settings,
                log: parking_lot::RwLock::new(log),
                pulse: Mutex::new(pulse::Pulse::new(node.clone(), Instant::now())),
                alarm: Notify::new(),
                node,
                rooms: DashMap::new(),
                draining: CancellationToken::new(),
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
        hub.spawn(Self::keep_beating(hub.clone()));
        hub.spawn(sweep::run(hub.clone()));
        Ok(hub)
    }

    /// Says goodbye to every socket here, in random order over the window, so that they do not all come
    /// back to another node at once.
    pub async fn drain(&self, window: Duration) {
        self.shared.draining.cancel();
        let mut members: Vec<_> = self.shared.rooms.iter().flat_map(|room| room.members()).collect();
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
        self.shared.draining.is_cancelled()
    }

    /// Stops the feeders. Sockets have been closed before.
    pub async fn stop(&self) {
        self.beat(true);
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.bus.close().await;
    }

    /// Which log this hub serves.
    pub fn log(&self) -> Arc<str> {
        Arc::clone(&self.shared.log.read())
    }

    /// Asks the ledger which log it is. If it is another one now (restored, promoted), everything that
    /// is known by the numbers of the old one is thrown away: whoever is here is sent away, and hears
    /// `reset` on coming back.
    pub(super) async fn check_log(&self) -> Result<(), LedgerError> {
        let now: Arc<str> = self.shared.ledger.log_id().await?.into();
        if *self.shared.log.read() == now {
            return Ok(());
        }
        tracing::warn!(%now, "another log: everybody loads afresh");
        *self.shared.log.write() = now;
        let rooms: Vec<_> = self.shared.rooms.iter().map(|room| Arc::clone(&room)).collect();
        self.shared.rooms.clear();
        for room in rooms {
            room.members()
                .iter()
                .for_each(|member| member.lane.close(close::RESTART, "another log"));
        }
        Ok(())
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
            if commit.log != self.log()
                && let Err(error) = self.check_log().await
            {
                tracing::warn!(%error, "which log it is could not be asked");
            }
            if let Some(room) = self.room(&commit.org)
                && let Some(hole) = room.commit(&commit)
            {
                self.heal(room, hole);
            }
            let org = commit.org.clone();
            self.publish(&org, Message::Commit(commit));
        }
    }

    fn beat(&self, goodbye: bool) {
        let beat = Beat {
            log: self.log().to_string(),
            node: self.shared.node.clone(),
            goodbye,
        };
        self.shared.bus.beat(beat.encode());
    }

    /// Beats, and raises the alarm at once when beats are missing.
    async fn keep_beating(self) {
        let mut every = tokio::time::interval(pulse::BEAT_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut was_unwell = false;
        loop {
            every.tick().await;
            self.beat(false);
            let is_unwell = self.shared.pulse.lock().is_unwell(Instant::now());
            metrics::gauge!("crewline_degraded").set(f64::from(u8::from(is_unwell)));
            if is_unwell != was_unwell {
                was_unwell = is_unwell;
                match is_unwell {
                    true => tracing::warn!("the bus is unwell: the sweep delivers"),
                    false => tracing::info!("the bus is well again"),
                }
                // At the end too: what was committed just before the beats came back.
                self.shared.alarm.notify_one();
            }
        }
    }

    async fn feed_bus(self, mut heard: tokio::sync::mpsc::Receiver<Heard>) {
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::Payload { payload, .. } => match Envelope::decode(payload) {
                    Ok((org, envelope)) => self.hear(&org, envelope),
                    Err(error) => tracing::warn!(%error, "ignored"),
                },
                Heard::Beat(payload) => match Beat::decode(&payload) {
                    Ok(beat) if *beat.log == *self.log() => self.shared.pulse.lock().heard(&beat, Instant::now()),
                    // Another Crewline shares the bus.
                    Ok(_) => {}
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
        if envelope.node == self.shared.node || envelope.log != self.log() {
            return;
        }
        let Some(room) = self.room(org) else { return };
        match envelope.message {
            Message::Commit(commit) => {
                if let Some(hole) = room.commit(&commit) {
                    self.heal(room, hole);
                }
            }
            Message::Whisper(Whisper::Typing { thread, who, shown, on }) => {
                self.deliver_typing(&room, &thread, &who, shown.as_ref(), on, None);
            }
            Message::Whisper(Whisper::Viewing { thread, who }) => {
                self.deliver_viewing(&room, thread.as_ref(), &who);
            }
            Message::Whisper(Whisper::Here { online, offline }) => {
                room.presence_heard(&envelope.node, online, offline);
            }
        }
    }

    fn publish(&self, org: &OrgId, message: Message) {
        let envelope = Envelope {
            log: self.log(),
            node: self.shared.node.clone(),
            message,
        };
        self.shared.bus.publish(org, envelope.encode(org));
    }

    fn whisper(&self, org: &OrgId, whisper: Whisper) {
        self.publish(org, Message::Whisper(whisper));
    }

    fn tell_here(&self, org: &OrgId, online: Vec<Who>, offline: Vec<Who>) {
        if !online.is_empty() || !offline.is_empty() {
            self.whisper(org, Whisper::Here { online, offline });
        }
    }
}

/// The ledger could not be read: the client may try again.
fn unreadable(error: &LedgerError) -> Refusal {
    tracing::error!(error = %format!("{error:#}"), "the ledger could not be read");
    Refusal::new(Code::Busy, "the ledger cannot be read just now; try again in a moment")
}
