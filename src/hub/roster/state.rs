//! What is behind a room's lock. Each method is one turn: it never waits.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use metrics::counter;
use tokio::sync::watch;

use super::Member;
use crate::domain::{Entry, Kind, Mark, OrgId, Record, ThreadId, View};
use crate::hub::fanout::{Delivery, Ring};
use crate::hub::presence::Presence;
use crate::hub::sequencer::{Hole, Sequencer};
use crate::ledger::{CustomerBadge, TeamBadge};
use crate::protocol::{self, Text, Who};

/// People in one presence frame: it stays within 8 KiB.
const PRESENCE_FRAME: usize = 40;

#[derive(Default)]
pub(super) struct State {
    /// None until the ledger's head was read.
    pub sequencer: Option<Sequencer<Arc<Delivery>>>,
    /// Heard of before the sequencer started.
    pub hinted: i64,
    pub ring: Ring,
    pub team: Vec<Arc<Member>>,
    pub threads: HashMap<ThreadId, Seat>,
    pub persons: HashMap<String, usize>,
    pub badge: Option<TeamBadge>,
    pub presence: Presence,
    pub marks: HashMap<(ThreadId, String, Mark), i64>,
    pub healing: bool,
    /// Whose badges did not come with what was healed, of those who are here.
    pub stale: BTreeSet<View>,
    /// Somebody is reading them.
    pub refreshing: bool,
    pub empty_since: Option<Instant>,
}

/// A thread that a customer has open here.
#[derive(Default)]
pub(super) struct Seat {
    pub members: Vec<Arc<Member>>,
    pub seq: i64,
    pub badge: Option<CustomerBadge>,
}

impl State {
    pub fn feed(&mut self, records: impl Iterator<Item = Arc<Record>>, last: &watch::Sender<i64>) -> Option<Hole> {
        let Some(mut sequencer) = self.sequencer.take() else {
            self.hinted = records.map(|record| record.rev).max().unwrap_or(0).max(self.hinted);
            return None;
        };
        for record in records {
            let rev = record.rev;
            sequencer.offer(rev, Arc::new(Delivery::new(record)), |delivery| self.deliver(delivery));
        }
        last.send_if_modified(|last| std::mem::replace(last, sequencer.last()) != sequencer.last());
        self.sequencer = Some(sequencer);
        self.claim_healing()
    }

    pub fn feed_hint(&mut self, rev: i64) {
        self.hinted = self.hinted.max(rev);
        if let Some(sequencer) = &mut self.sequencer {
            sequencer.hint(rev);
        }
    }

    /// A hole, unless somebody is at it already.
    pub fn claim_healing(&mut self) -> Option<Hole> {
        if self.healing {
            return None;
        }
        let hole = self.sequencer.as_ref().and_then(Sequencer::hole)?;
        self.healing = true;
        Some(hole)
    }

    /// Its turn has come: into the ring, and into every lane that looks at it.
    pub fn deliver(&mut self, delivery: Arc<Delivery>) {
        self.ring.push(Arc::clone(&delivery));
        let mut frames = 0;
        if !self.team.is_empty() {
            let frame = delivery.team();
            frames += self.team.iter().filter(|member| member.lane.push(frame)).count();
        }
        if let (Some(thread), Some(seq)) = (delivery.thread(), delivery.record.seq)
            && let Some(seat) = self.threads.get_mut(thread)
        {
            seat.seq = seat.seq.max(seq);
            if let Some(frame) = delivery.public() {
                frames += seat.members.iter().filter(|member| member.lane.push(frame)).count();
            }
        }
        counter!("crewline_fanout_frames_total").increment(frames as u64);
        if delivery.record.kind == Kind::Revoked {
            self.revoke(&delivery.record);
        }
    }

    pub fn revoke(&self, record: &Record) {
        let Ok(Entry::Revoked(body)) = Entry::parse(record.kind, &record.body_team) else {
            return;
        };
        let members = self
            .team
            .iter()
            .chain(self.threads.values().flat_map(|seat| &seat.members));
        for member in members {
            let identity = member.identity.lock();
            if identity.sub == body.sub && identity.iat <= body.before {
                member.lane.close(protocol::close::AUTH, "revoked_token");
            }
        }
    }

    /// Badges do not come with what was read from the ledger.
    pub fn badges_are_stale(&mut self, records: &[Arc<Record>], org: &OrgId) {
        if !self.team.is_empty() {
            self.stale.insert(View::Team { org: org.clone() });
        }
        let public = records.iter().filter(|record| record.seq.is_some());
        let threads = public.filter_map(|record| record.thread.as_ref());
        let here = threads.filter(|thread| self.threads.contains_key(*thread));
        self.stale.extend(here.map(|thread| View::Customer {
            org: org.clone(),
            thread: thread.clone(),
        }));
    }

    pub fn team_badge(&mut self, badge: TeamBadge) {
        let known = self.badge.replace(badge);
        if known.is_some_and(|known| known.as_of >= badge.as_of) {
            self.badge = known;
            return;
        }
        if known.is_none_or(|known| (known.new, known.waiting) != (badge.new, badge.waiting)) && !self.team.is_empty() {
            let text = Text::from(protocol::badge_team(badge.new, badge.waiting, badge.as_of));
            self.team.iter().for_each(|member| member.lane.badge(&text));
        }
    }

    pub fn customer_badge(&mut self, thread: &ThreadId, badge: CustomerBadge) {
        let Some(seat) = self.threads.get_mut(thread) else {
            return;
        };
        seat.seq = seat.seq.max(badge.as_of);
        if seat.badge.is_some_and(|known| known.as_of >= badge.as_of) {
            return;
        }
        let known = seat.badge.replace(badge);
        if known.is_none_or(|known| known.unread != badge.unread) {
            let text = Text::from(protocol::badge_customer(badge.unread, badge.as_of));
            seat.members.iter().for_each(|member| member.lane.badge(&text));
        }
    }

    pub fn badge_text(&self, view: &View) -> Option<Text> {
        match view {
            View::Team { .. } => {
                let badge = self.badge?;
                Some(Text::from(protocol::badge_team(badge.new, badge.waiting, badge.as_of)))
            }
            View::Customer { thread, .. } => {
                let badge = self.threads.get(thread)?.badge?;
                Some(Text::from(protocol::badge_customer(badge.unread, badge.as_of)))
            }
        }
    }

    pub fn tell_presence(&self, came: &[Who], went: &[Who]) {
        if came.is_empty() && went.is_empty() {
            return;
        }
        for text in presence_frames(came, went) {
            self.team.iter().for_each(|member| member.lane.pass(&text));
        }
    }
}

pub(super) fn presence_frames(online: &[Who], offline: &[Who]) -> Vec<Text> {
    let mut frames: Vec<_> = online
        .chunks(PRESENCE_FRAME)
        .map(|people| Text::from(protocol::presence(people, &[])))
        .collect();
    frames.extend(
        offline
            .chunks(PRESENCE_FRAME)
            .map(|people| Text::from(protocol::presence(&[], people))),
    );
    if frames.is_empty() {
        frames.push(Text::from(protocol::presence(&[], &[])));
    }
    frames
}
