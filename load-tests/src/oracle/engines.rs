//! Engines that break a promise, or lose what they may lose: wrappers around real ones.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use crewline::bus::{Bus, BusError, Envelope, Heard, LocalNode, Message};
use crewline::domain::{Contact, ContactId, MessageId, OrgId, Page, Phone, Record, Seek, Sub, ThreadId, View};
use crewline::ledger::{
    Admission, Badge, Command, Commit, Find, Found, Inbox, InboxFilter, Indexed, Ledger, Numbers, Outcome, Pending,
    Projections, Result, Slice, ThreadState, ViewHead,
};
use tokio::sync::mpsc;

use crate::chance::Chance;

/// What a ledger does otherwise than it says.
pub enum Lie {
    /// Acknowledges, with the numbers that a message would get, what it keeps for later.
    AckBeforeCommit { last: Mutex<Numbers> },
    /// Takes a second message with the id of a first for another one.
    NoDedupe { seen: Mutex<HashSet<String>> },
    /// Tells the first two messages that are committed in each other's place.
    Swap { first: Mutex<Option<Commit>> },
    /// Knows nothing of one record, and numbers those after it as if there had never been one.
    Hide { rev: i64, thread: String, seq: i64 },
    /// One thread too many waits.
    OneMoreWaits,
}

/// What follows an id that is already there.
const AGAIN: &str = "~again";

pub struct Liar {
    pub inner: Arc<dyn Ledger>,
    pub lie: Arc<Lie>,
}

impl Lie {
    fn told(&self, mut commit: Commit) -> Vec<Commit> {
        match self {
            // Nothing is committed.
            Self::AckBeforeCommit { .. } => {}
            Self::NoDedupe { .. } => commit.records = commit.records.iter().map(plain).collect(),
            Self::Swap { first } => {
                let is_message = commit.records.iter().any(|record| record.id.is_some());
                let mut held = first.lock().unwrap();
                match held.take() {
                    None if is_message => {
                        *held = Some(commit);
                        return Vec::new();
                    }
                    Some(mut before) if before.records[0].id.is_some() => {
                        let (a, b) = (&before.records[0], &commit.records[0]);
                        let (a, b) = (with_content_of(a, b), with_content_of(b, a));
                        (before.records[0], commit.records[0]) = (a, b);
                        return vec![before, commit];
                    }
                    _ => {}
                }
            }
            Self::Hide { .. } => return Vec::new(),
            Self::OneMoreWaits => commit.badge.waiting += 1,
        }
        vec![commit]
    }
}

fn with_content_of(place: &Record, content: &Record) -> Arc<Record> {
    Arc::new(Record {
        id: content.id.clone(),
        body_team: content.body_team.clone(),
        body_public: content.body_public.clone(),
        ..place.clone()
    })
}

/// The same under the id that its writer gave it.
fn plain(record: &Arc<Record>) -> Arc<Record> {
    let without = |text: &String| text.replace(AGAIN, "");
    Arc::new(Record {
        id: record.id.as_ref().map(without),
        body_team: without(&record.body_team),
        body_public: record.body_public.as_ref().map(without),
        ..Record::clone(record)
    })
}

#[async_trait]
impl Ledger for Liar {
    fn submit(&self, mut command: Command) -> Pending {
        match (&*self.lie, &mut command) {
            (Lie::AckBeforeCommit { last }, Command::Say { .. }) => {
                let mut last = last.lock().unwrap();
                last.rev += 1;
                last.seq = last.seq.map(|seq| seq + 1);
                return Pending::answered(Ok(Outcome::Appended(*last)));
            }
            (Lie::NoDedupe { seen }, Command::Say { draft, .. })
                if !seen.lock().unwrap().insert(draft.id.as_str().to_owned()) =>
            {
                draft.id = MessageId::parse(&format!("{}{AGAIN}", draft.id.as_str())).unwrap();
            }
            _ => {}
        }
        self.inner.submit(command)
    }

    fn commits(&self) -> Option<mpsc::Receiver<Commit>> {
        let (mut from, lie) = (self.inner.commits()?, Arc::clone(&self.lie));
        let (to, commits) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Some(commit) = from.recv().await {
                for commit in lie.told(commit) {
                    if to.send(commit).await.is_err() {
                        return;
                    }
                }
            }
        });
        Some(commits)
    }

    async fn heads(&self, orgs: &[OrgId]) -> Result<Vec<(OrgId, i64)>> {
        let mut heads = self.inner.heads(orgs).await?;
        if let Lie::Hide { rev, .. } = &*self.lie {
            heads.iter_mut().for_each(|(_, head)| *head = without(*rev, *head));
        }
        Ok(heads)
    }

    async fn head(&self, view: &View) -> Result<Option<ViewHead>> {
        let mut head = self.inner.head(view).await?;
        if let Some(head) = &mut head {
            match (&*self.lie, view) {
                (Lie::Hide { rev, .. }, View::Team { .. }) => {
                    (head.rev, head.number) = (without(*rev, head.rev), without(*rev, head.number));
                }
                (Lie::Hide { rev, thread, seq }, View::Customer { thread: mine, .. }) => {
                    head.rev = without(*rev, head.rev);
                    if mine.as_str() == thread {
                        head.number = without(*seq, head.number);
                    }
                }
                (Lie::OneMoreWaits, _) => {
                    if let Badge::Team(badge) = &mut head.badge {
                        badge.waiting += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(head)
    }

    async fn after(&self, view: &View, cursor: i64, limit: u32) -> Result<Slice> {
        let Lie::Hide { rev, thread, seq } = &*self.lie else {
            let mut slice = self.inner.after(view, cursor, limit).await?;
            if let Lie::NoDedupe { .. } = &*self.lie {
                slice.records = slice.records.iter().map(plain).collect();
            }
            return Ok(slice);
        };
        let (hidden, mine) = match view {
            View::Team { .. } => (*rev, true),
            View::Customer { thread: mine, .. } => (*seq, mine.as_str() == thread),
        };
        let cursor = cursor + i64::from(mine && cursor >= hidden);
        let mut slice = self.inner.after(view, cursor, limit).await?;
        slice.records.retain(|record| record.rev != *rev);
        for record in &mut slice.records {
            let same = record.thread.as_ref().is_some_and(|of| of.as_str() == thread);
            *record = Arc::new(Record {
                rev: without(*rev, record.rev),
                seq: record.seq.map(|of| if same { without(*seq, of) } else { of }),
                ..Record::clone(record)
            });
        }
        slice.complete_to = without(*rev, slice.complete_to);
        Ok(slice)
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

    async fn stopped(&self, org: &OrgId) -> Result<Vec<Phone>> {
        self.inner.stopped(org).await
    }

    async fn search(&self, view: &View, find: &Find, limit: usize) -> Result<Found> {
        self.inner.search(view, find, limit).await
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

/// A number as it would be without a hidden one.
fn without(hidden: i64, number: i64) -> i64 {
    number - i64::from(number >= hidden)
}

/// Of so many publishes of commits one is dropped, and another one delivered twice.
pub const ONE_IN: u64 = 10_000;

/// A bus that does so, by a seed.
pub struct Unreliable {
    node: LocalNode,
    drops: u64,
    doubles: u64,
    commits: AtomicU64,
    pub dropped: AtomicU64,
    pub doubled: AtomicU64,
}

impl Unreliable {
    pub fn new(node: LocalNode, seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let drops = chance.below(ONE_IN as usize) as u64;
        let apart = 1 + chance.below(ONE_IN as usize - 1) as u64;
        Self {
            node,
            drops,
            doubles: (drops + apart) % ONE_IN,
            commits: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            doubled: AtomicU64::new(0),
        }
    }
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
        let is_commit =
            Envelope::decode(payload.clone()).is_ok_and(|(_, said)| matches!(said.message, Message::Commit(_)));
        if is_commit {
            let turn = self.commits.fetch_add(1, Ordering::Relaxed) % ONE_IN;
            if turn == self.drops {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            if turn == self.doubles {
                self.doubled.fetch_add(1, Ordering::Relaxed);
                self.node.publish(org, payload.clone());
            }
        }
        self.node.publish(org, payload);
    }

    fn beat(&self, payload: Bytes) {
        self.node.beat(payload);
    }

    async fn close(&self) {
        self.node.close().await;
    }

    fn listen(&self) -> Option<mpsc::Receiver<Heard>> {
        self.node.listen()
    }
}
