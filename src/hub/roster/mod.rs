//! Who is connected here, room by room. A room is an org with sockets at this node: its sequencer, its
//! ring, its members, under one short lock that nothing ever waits in.

mod state;

use std::sync::Arc;
use std::time::Instant;

use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::{OnceCell, watch};

use super::lane::{Frame, Lane};
use super::sequencer::{Hole, Sequencer};
use crate::auth::Identity;
use crate::domain::{Mark, OrgId, Record, ThreadId, View};
use crate::ledger::{Badge, Commit};
use crate::protocol::{Text, Who};

use state::{State, presence_frames};

/// Frames that a socket takes from the ring in one turn.
const RING_STEP: usize = 64;
/// Marks that a room remembers to drop repeats; past that it starts afresh.
const MARKS: usize = 10_000;

/// A connection in the roster.
pub struct Member {
    pub view: View,
    pub identity: Mutex<Identity>,
    pub who: Option<Who>,
    /// Within an org, connections of one person are capped by this.
    pub person: String,
    pub lane: Lane,
}

pub struct Room {
    pub org: OrgId,
    pub started: OnceCell<()>,
    state: Mutex<State>,
    /// The sequencer's last rev, for those who wait for something to happen.
    last: watch::Sender<i64>,
}

/// What a gated connection does next.
pub enum Step {
    /// Its gate is open; everything up to here is in its hands. Then: badge, and who is here.
    Open { badge: Option<Text>, presence: Vec<Text> },
    /// These, and then everything up to `have_rev` is in its hands.
    Frames { frames: Vec<Frame>, have_rev: i64 },
    /// Too far back for the ring.
    Read,
}

/// A person has too many connections, or the org has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Room {
    pub fn new(org: OrgId) -> Self {
        Self {
            org,
            started: OnceCell::new(),
            state: Mutex::default(),
            last: watch::Sender::new(0),
        }
    }

    /// Starts the sequencer at the ledger's head, read after the bus was subscribed.
    pub fn start(&self, head: i64) -> Option<Hole> {
        let mut state = self.state.lock();
        let mut sequencer = Sequencer::new(head);
        sequencer.hint(state.hinted);
        state.sequencer = Some(sequencer);
        self.last.send_replace(head);
        state.claim_healing()
    }

    /// The sequencer's last rev, and a way to wait for the next.
    pub fn last(&self) -> watch::Receiver<i64> {
        self.last.subscribe()
    }

    pub fn join(&self, member: Arc<Member>, per_person: usize, per_org: usize) -> Result<Vec<Who>, TooMany> {
        let mut state = self.state.lock();
        let connections: usize = state.persons.values().sum();
        let mine = state.persons.get(&member.person).copied().unwrap_or(0);
        if mine >= per_person || connections >= per_org {
            return Err(TooMany);
        }
        *state.persons.entry(member.person.clone()).or_default() += 1;
        state.empty_since = None;
        let came = match &member.who {
            Some(who) if state.presence.join(who) => vec![who.clone()],
            _ => Vec::new(),
        };
        match &member.view {
            View::Team { .. } => state.team.push(member),
            View::Customer { thread, .. } => {
                state.threads.entry(thread.clone()).or_default().members.push(member);
            }
        }
        gauge!("crewline_connections").increment(1);
        state.tell_presence(&came, &[]);
        Ok(came)
    }

    /// Returns who went by it.
    pub fn leave(&self, member: &Arc<Member>) -> Vec<Who> {
        let mut state = self.state.lock();
        let members = match &member.view {
            View::Team { .. } => Some(&mut state.team),
            View::Customer { thread, .. } => state.threads.get_mut(thread).map(|seat| &mut seat.members),
        };
        let Some(place) = members.and_then(|members| {
            let place = members.iter().position(|one| Arc::ptr_eq(one, member))?;
            members.swap_remove(place);
            Some(members.is_empty())
        }) else {
            return Vec::new();
        };
        if let (true, View::Customer { thread, .. }) = (place, &member.view) {
            state.threads.remove(thread);
        }
        if let Some(connections) = state.persons.get_mut(&member.person) {
            *connections -= 1;
            if *connections == 0 {
                state.persons.remove(&member.person);
            }
        }
        if state.persons.is_empty() {
            state.empty_since = Some(Instant::now());
        }
        gauge!("crewline_connections").decrement(1);
        let went = match &member.who {
            Some(who) if state.presence.leave(who) => vec![who.clone()],
            _ => Vec::new(),
        };
        state.tell_presence(&[], &went);
        went
    }

    /// Since when nobody is here.
    pub fn empty_since(&self) -> Option<Instant> {
        self.state.lock().empty_since
    }

    /// A commit, from here or from the bus. Returns a hole that the caller is to heal.
    pub fn commit(&self, commit: &Commit) -> Option<Hole> {
        let mut state = self.state.lock();
        let hole = state.feed(commit.records.iter().cloned(), &self.last);
        state.team_badge(commit.badge);
        for (thread, badge) in &commit.badges {
            state.customer_badge(thread, *badge);
        }
        hole
    }

    /// Records that the ledger had in a hole.
    pub fn heal(&self, records: Vec<Arc<Record>>) -> Option<Hole> {
        counter!("crewline_holes_healed_total").increment(1);
        let mut state = self.state.lock();
        state.healing = false;
        state.badges_are_stale(&records, &self.org);
        state.feed(records.into_iter(), &self.last)
    }

    /// The ledger could not be read: somebody else may try.
    pub fn give_up_healing(&self) {
        self.state.lock().healing = false;
    }

    /// Whether there are stale badges, and the caller is the one to read them.
    pub fn claim_refreshing(&self) -> bool {
        let mut state = self.state.lock();
        let is_claimed = !state.refreshing && !state.stale.is_empty();
        state.refreshing |= is_claimed;
        is_claimed
    }

    /// Whose badge is to be read next. After the last one the claim is given up.
    pub fn next_stale(&self) -> Option<View> {
        let mut state = self.state.lock();
        let next = state.stale.pop_first();
        state.refreshing = next.is_some();
        next
    }

    /// This one could not be read: somebody else may try.
    pub fn give_up_refreshing(&self, view: View) {
        let mut state = self.state.lock();
        state.stale.insert(view);
        state.refreshing = false;
    }

    /// Whether the hole is still there after a moment's patience.
    pub fn still_missing(&self) -> Option<Hole> {
        let mut state = self.state.lock();
        let hole = state.sequencer.as_ref().and_then(Sequencer::hole);
        state.healing = hole.is_some();
        hole
    }

    /// A rev is known to exist.
    pub fn hint(&self, rev: i64) -> Option<Hole> {
        let mut state = self.state.lock();
        state.feed_hint(rev);
        state.claim_healing()
    }

    pub fn members(&self) -> Vec<Arc<Member>> {
        let state = self.state.lock();
        let customers = state.threads.values().flat_map(|seat| &seat.members);
        state.team.iter().chain(customers).cloned().collect()
    }

    pub fn badge(&self, view: &View, badge: Badge) {
        let mut state = self.state.lock();
        match (view, badge) {
            (View::Customer { thread, .. }, Badge::Customer(badge)) => {
                state.customer_badge(thread, badge);
            }
            (_, Badge::Team(badge)) => state.team_badge(badge),
            (View::Team { .. }, Badge::Customer(_)) => {}
        }
    }

    /// The view's head, as far as this node knows.
    pub fn head(&self, view: &View) -> i64 {
        let state = self.state.lock();
        match view {
            View::Team { .. } => state.sequencer.as_ref().map_or(0, Sequencer::last),
            View::Customer { thread, .. } => state.threads.get(thread).map_or(0, |seat| seat.seq),
        }
    }

    /// One step of catching up, in the sequencer's turn: nothing passes while it is taken.
    pub fn step(&self, member: &Arc<Member>, cursor: i64, have_rev: i64) -> Step {
        let state = self.state.lock();
        let last = state.sequencer.as_ref().map_or(0, Sequencer::last);
        if have_rev >= last {
            member.lane.open(cursor);
            return Step::Open {
                badge: state.badge_text(&member.view),
                presence: match &member.view {
                    View::Team { .. } => presence_frames(&state.presence.everybody(), &[]),
                    View::Customer { .. } => Vec::new(),
                },
            };
        }
        let Some(recent) = state.ring.after(have_rev, RING_STEP) else {
            return Step::Read;
        };
        let mut frames = Vec::new();
        let mut have_rev = have_rev;
        for delivery in recent {
            have_rev = delivery.record.rev;
            frames.extend(
                delivery
                    .frame(&member.view)
                    .filter(|frame| frame.number > cursor)
                    .cloned(),
            );
        }
        Step::Frames { frames, have_rev }
    }

    /// Whether a mark is new to this node; remembers it.
    pub fn advances(&self, thread: &ThreadId, reader: &str, mark: Mark, up_to: i64) -> bool {
        let mut state = self.state.lock();
        if state.marks.len() > MARKS {
            state.marks.clear();
        }
        let known = state
            .marks
            .entry((thread.clone(), reader.to_owned(), mark))
            .or_insert(0);
        let advances = up_to > *known;
        *known = up_to.max(*known);
        advances
    }

    /// A mark was not kept after all.
    pub fn forget_mark(&self, thread: &ThreadId, reader: &str, mark: Mark) {
        self.state
            .lock()
            .marks
            .remove(&(thread.clone(), reader.to_owned(), mark));
    }

    /// A passing frame for the team, and one for the thread's customer, not for `except` itself.
    pub fn pass(&self, thread: &ThreadId, team: Option<&Text>, public: Option<&Text>, except: Option<&Arc<Member>>) {
        let state = self.state.lock();
        let others = |one: &&Arc<Member>| except.is_none_or(|except| !Arc::ptr_eq(one, except));
        if let Some(text) = team {
            state
                .team
                .iter()
                .filter(others)
                .for_each(|member| member.lane.pass(text));
        }
        if let (Some(text), Some(seat)) = (public, state.threads.get(thread)) {
            seat.members
                .iter()
                .filter(others)
                .for_each(|member| member.lane.pass(text));
        }
    }

    /// A passing frame for everybody of the team.
    pub fn pass_team(&self, text: &Text) {
        self.state.lock().team.iter().for_each(|member| member.lane.pass(text));
    }

    pub fn presence_heard(&self, node: &str, online: Vec<Who>, offline: Vec<Who>) {
        let mut state = self.state.lock();
        let (came, went) = state.presence.heard(node, online, offline, Instant::now());
        state.tell_presence(&came, &went);
    }

    pub fn presence_expire(&self) {
        let mut state = self.state.lock();
        let gone = state.presence.expire(Instant::now());
        state.tell_presence(&[], &gone);
    }

    pub fn presence_here(&self) -> Vec<Who> {
        self.state.lock().presence.here()
    }
}
