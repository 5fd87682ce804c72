//! A thread's head: everything that lists, badges and receipts need, kept in O(1) per record.
//!
//! The ledger moves it while it appends; `verify` moves a fresh one over the whole log and compares.

use super::{Chain, Handler, Mark, Side, SmsState, ThreadId};

/// Cumulative numbers of messages. A hand-off counts as the customer's; nothing else counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub customer: i64,
    pub team: i64,
}

impl Counts {
    pub fn of(self, side: Side) -> i64 {
        match side {
            Side::Customer => self.customer,
            Side::Team => self.team,
        }
    }

    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            customer: self.customer + other.customer,
            team: self.team + other.team,
        }
    }
}

/// How far one side has got. Seqs; 0 is nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    pub delivered: i64,
    pub read: i64,
    /// The *other* side's count at `read`: the badge is the head's count less this.
    pub read_count: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadHead {
    /// Of the last public record.
    pub seq: i64,
    pub counts: Counts,
    pub hash: Chain,
    /// The rev of the last message, note or hand-off: what the inbox sorts by. 0 if there is none.
    pub active: i64,
    /// Seqs of the last message of each side, 0 if there is none.
    pub last_customer: i64,
    pub last_team: i64,
    pub customer: Marks,
    pub team: Marks,
    /// Everything from the customer up to this seq has been answered or marked handled.
    pub answered: i64,
    /// When the first customer message came in that nobody has answered.
    pub waiting_since: Option<i64>,
    /// The seq of the last message whose text to the customer failed, or may have; 0 once one got through.
    pub failed: i64,
    /// The seq of the last hand-off; 0 if there is none.
    pub handoff: i64,
    /// Who answers.
    pub handler: Handler,
    /// It was an unknown number's and is closed: where all of it was copied to.
    pub attached: Option<ThreadId>,
}

impl Default for ThreadHead {
    fn default() -> Self {
        Self {
            seq: 0,
            counts: Counts::default(),
            hash: Chain::START,
            active: 0,
            last_customer: 0,
            last_team: 0,
            customer: Marks::default(),
            team: Marks::default(),
            answered: 0,
            waiting_since: None,
            failed: 0,
            handoff: 0,
            handler: Handler::Human,
            attached: None,
        }
    }
}

impl ThreadHead {
    pub fn last_from(&self, side: Side) -> i64 {
        match side {
            Side::Customer => self.last_customer,
            Side::Team => self.last_team,
        }
    }

    pub fn marks(&self, side: Side) -> &Marks {
        match side {
            Side::Customer => &self.customer,
            Side::Team => &self.team,
        }
    }

    /// Messages of the other side above this side's read mark.
    pub fn unread(&self, side: Side) -> i64 {
        self.counts.of(side.other()) - self.marks(side).read_count
    }

    /// "new": the customer wrote something that nobody in the team has read.
    pub fn is_new(&self) -> bool {
        self.unread(Side::Team) > 0
    }

    pub fn is_waiting(&self) -> bool {
        self.waiting_since.is_some()
    }

    /// A hand-off that nobody has answered.
    pub fn has_handoff(&self) -> bool {
        self.handoff > self.answered
    }

    /// How the text to the customer of the message at `of` stands now.
    pub fn texted(&mut self, of: i64, state: SmsState) {
        match state {
            SmsState::Failed | SmsState::Unknown => self.failed = self.failed.max(of),
            SmsState::Sent | SmsState::Delivered if of >= self.failed => self.failed = 0,
            SmsState::Sent | SmsState::Delivered | SmsState::Sending | SmsState::NotTexted => {}
        }
    }

    /// A message was appended at `seq`; `self.counts` already include it.
    pub fn said(&mut self, side: Side, seq: i64, at: i64) {
        match side {
            Side::Customer => {
                self.last_customer = seq;
                if self.waiting_since.is_none() {
                    self.waiting_since = Some(at);
                }
            }
            Side::Team => self.last_team = seq,
        }
    }

    /// The AI handed a call over; it counts as something that the customer said.
    pub fn handed_off(&mut self, seq: i64, at: i64, handler: Handler) {
        self.said(Side::Customer, seq, at);
        self.handoff = seq;
        self.handler = handler;
    }

    /// Everything was copied to another thread: nothing here is new, waits or is listed any more.
    pub fn close(&mut self, to: ThreadId) {
        self.attached = Some(to);
        self.active = 0;
        self.answered = self.seq;
        self.waiting_since = None;
        self.team.read = self.last_customer;
        self.team.read_count = self.counts.customer;
        self.failed = 0;
    }

    /// A mark moved to `up_to`, where the other side's count stood at `other_count`.
    pub fn marked(&mut self, side: Side, mark: Mark, up_to: i64, other_count: i64) {
        let marks = match side {
            Side::Customer => &mut self.customer,
            Side::Team => &mut self.team,
        };
        match mark {
            Mark::Delivered => marks.delivered = up_to,
            Mark::Read => {
                marks.read = up_to;
                marks.read_count = other_count;
            }
        }
    }

    /// The customer's messages up to `seen` were answered; the first one after it, if there is one,
    /// came in at `next_at`.
    pub fn answered(&mut self, seen: i64, next_at: Option<i64>) {
        if seen >= self.answered {
            self.answered = seen;
            self.waiting_since = next_at;
        }
    }
}
