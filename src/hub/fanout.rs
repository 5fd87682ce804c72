//! Encode once per view, and only if somebody here looks through it.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use super::lane::Frame;
use crate::domain::{Record, ThreadId, View};
use crate::protocol::{self, Text};

/// A record on its way to sockets. The same frames serve them all.
#[derive(Debug)]
pub struct Delivery {
    pub record: Arc<Record>,
    team: OnceLock<Frame>,
    public: OnceLock<Option<Frame>>,
}

impl Delivery {
    pub fn new(record: Arc<Record>) -> Self {
        Self {
            record,
            team: OnceLock::new(),
            public: OnceLock::new(),
        }
    }

    pub fn team(&self) -> &Frame {
        self.team.get_or_init(|| Frame {
            rev: self.record.rev,
            number: self.record.rev,
            text: Text::from(protocol::change_team(&self.record)),
        })
    }

    pub fn public(&self) -> Option<&Frame> {
        let frame = self.public.get_or_init(|| {
            Some(Frame {
                rev: self.record.rev,
                number: self.record.seq?,
                text: Text::from(protocol::change_public(&self.record)?),
            })
        });
        frame.as_ref()
    }

    /// As the view shows it; none if it does not.
    pub fn frame(&self, view: &View) -> Option<&Frame> {
        view.number(&self.record)?;
        match view {
            View::Team { .. } => Some(self.team()),
            View::Customer { .. } => self.public(),
        }
    }

    fn bytes(&self) -> usize {
        2 * (self.record.body_team.len() + self.record.body_public.as_ref().map_or(0, String::len)) + 256
    }

    pub fn thread(&self) -> Option<&ThreadId> {
        self.record.thread.as_ref()
    }
}

/// An org's latest deliveries, without a gap: a socket that is a little behind needs no query.
#[derive(Default)]
pub struct Ring {
    recent: VecDeque<Arc<Delivery>>,
    bytes: usize,
}

/// For the hiccup of a moment: ten thousand orgs each have one.
const RING_RECORDS: usize = 128;
const RING_BYTES: usize = 64 * 1024;

impl Ring {
    pub fn push(&mut self, delivery: Arc<Delivery>) {
        self.bytes += delivery.bytes();
        self.recent.push_back(delivery);
        while self.recent.len() > RING_RECORDS || (self.bytes > RING_BYTES && self.recent.len() > 1) {
            if let Some(oldest) = self.recent.pop_front() {
                self.bytes -= oldest.bytes();
            }
        }
    }

    /// Up to `limit` deliveries with revs above `rev`; none if it does not reach back that far.
    pub fn after(&self, rev: i64, limit: usize) -> Option<impl Iterator<Item = &Arc<Delivery>>> {
        let first = self.recent.front()?.record.rev;
        let skip = usize::try_from(rev + 1 - first).ok()?;
        Some(self.recent.iter().skip(skip).take(limit))
    }
}
