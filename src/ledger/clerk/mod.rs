//! Decides what a command appends, under the locks that the engine holds. The same for every engine:
//! they differ only in how a [`Store`] loads and writes.
//!
//! A command is either refused before anything of it is entered, or entered whole. Everything entered
//! in one batch is written by [`Clerk::finish`].

mod attach;
mod handoff;
mod marker;
mod marks;
mod photos;
mod receive;
mod report;
mod route;
mod say;
mod settings;
mod speak;
mod store;
mod texts;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

pub(super) use store::{Entered, Store};

use super::search;
use super::writer::{Answer, Transacted};
use super::{Command, Commit, CustomerBadge, Numbers, Outcome, TeamBadge};
use crate::domain::{
    Author, AuthorKind, Chain, Contact, ContactId, Counts, Entry, OrgId, OrgSettings, Person, PersonId, Record,
    Refusal, Side, Sub, ThreadHead, ThreadId,
};

/// An org whose page of the book is open: what was loaded, and what was entered since.
#[derive(Default)]
struct Open {
    settings: Option<OrgSettings>,
    threads: HashMap<ThreadId, Desk>,
    /// As they were before the batch.
    people: HashMap<Sub, (PersonId, String)>,
    entered: Entered,
}

struct Desk {
    contact: Contact,
    head: ThreadHead,
    /// New, and waiting, when it was loaded: what the org's badge still counts.
    was: (bool, bool),
}

impl Desk {
    fn of(contact: Contact, head: ThreadHead) -> Self {
        let was = (head.is_new(), head.is_waiting());
        Self { contact, head, was }
    }
}

pub(in crate::ledger) struct Clerk<'a, S: Store> {
    store: &'a mut S,
    now: i64,
    orgs: HashMap<OrgId, Open>,
}

/// What [`Clerk::enter`] puts into the columns beside the entry.
struct Slip<'a> {
    thread: Option<&'a ThreadId>,
    submitter: Option<String>,
    id: Option<&'a str>,
    /// Whether the customer may see it, if the kind lets them at all.
    public: bool,
}

impl<'a, S: Store> Clerk<'a, S> {
    pub async fn open(store: &'a mut S) -> Result<Self> {
        let now = store.now().await?;
        Ok(Self {
            store,
            now,
            orgs: HashMap::new(),
        })
    }

    /// Enters one command. The outer error is the database's and spoils the batch; the inner is the
    /// command's own.
    pub async fn carry_out(&mut self, command: &Command) -> Result<Answer> {
        let org = command.org();
        self.load_org(org).await?;
        match command {
            Command::PutOrg { settings, .. } => return self.put_org(org, settings).await,
            _ if self.orgs[org].settings.is_none() => return Ok(Err(Refusal::not_found())),
            Command::PutContact { contact, draft, .. } => {
                return self.put_contact(org, contact, draft).await;
            }
            Command::NewContact { by, draft, .. } => return self.new_contact(org, by, draft).await,
            Command::Revoke { sub, .. } => return self.revoke(org, sub).await,
            Command::Receive { text, .. } => return self.receive(org, text).await,
            Command::Fetch { source, fetched, .. } => return self.fetched(org, source, fetched).await,
            Command::Report { attempt, report, .. } => return self.report(org, attempt, report).await,
            Command::HandOff { by, draft, .. } => return self.hand_off(org, by, draft).await,
            Command::Say { thread, .. }
            | Command::Marker { thread, .. }
            | Command::Attach { thread, .. }
            | Command::Route { thread, .. }
            | Command::Resend { thread, .. }
            | Command::Mark { thread, .. }
            | Command::Handle { thread, .. } => {
                if !self.load_thread(org, thread).await? {
                    return Ok(Err(Refusal::not_found()));
                }
            }
        }
        match command {
            Command::Say {
                thread, by, via, draft, ..
            } => self.say(org, thread, by, *via, draft).await,
            Command::Mark {
                thread,
                by,
                mark,
                up_to,
                ..
            } => self.mark(org, thread, by, *mark, *up_to).await,
            Command::Resend {
                thread, attempt, by, ..
            } => self.resend(org, thread, attempt, by).await,
            Command::Handle { thread, by, seen, .. } => self.handle(org, thread, by, *seen).await,
            Command::Marker { thread, by, draft, .. } => self.marker(org, thread, by, draft).await,
            Command::Attach {
                thread,
                by,
                contact,
                seen,
                ..
            } => self.attach(org, thread, by, contact, *seen).await,
            Command::Route {
                thread, by, unrouted, ..
            } => self.route(org, thread, by, *unrouted).await,
            _ => unreachable!("answered above"),
        }
    }

    /// Writes what was entered. The caller commits, and only then hands the commits on.
    pub async fn finish(self, answers: Vec<Option<Answer>>) -> Result<Transacted> {
        let mut grown = Vec::new();
        for (org, open) in self.orgs {
            let mut entered = open.entered;
            if entered.records.is_empty() {
                continue;
            }
            for (thread, head) in &entered.threads {
                let (was_new, was_waiting) = open.threads[thread].was;
                entered.head.new += i64::from(head.is_new()) - i64::from(was_new);
                entered.head.waiting += i64::from(head.is_waiting()) - i64::from(was_waiting);
            }
            grown.push((org, entered));
        }
        if !grown.is_empty() {
            self.store.write(&grown).await?;
        }
        let log = self.store.log();
        let commits = grown
            .into_iter()
            .map(|(org, entered)| commit(Arc::clone(&log), org, entered))
            .collect();
        Ok(Transacted { answers, commits })
    }

    async fn load_org(&mut self, org: &OrgId) -> Result<()> {
        if !self.orgs.contains_key(org) {
            let mut open = Open::default();
            if let Some((head, settings)) = self.store.org(org).await? {
                open.entered.head = head;
                open.settings = Some(settings);
            }
            self.orgs.insert(org.clone(), open);
        }
        Ok(())
    }

    async fn load_thread(&mut self, org: &OrgId, thread: &ThreadId) -> Result<bool> {
        if self.orgs[org].threads.contains_key(thread) {
            return Ok(true);
        }
        let Some((contact, head)) = self.store.thread(org, thread).await? else {
            return Ok(false);
        };
        self.open_mut(org)
            .threads
            .insert(thread.clone(), Desk::of(contact, head));
        Ok(true)
    }

    /// A contact as it is now.
    async fn contact(&mut self, org: &OrgId, id: &ContactId) -> Result<Option<Contact>> {
        match self.orgs[org].entered.contacts.get(id) {
            Some(contact) => Ok(Some(contact.clone())),
            None => self.store.contact(org, id).await,
        }
    }

    fn open_mut(&mut self, org: &OrgId) -> &mut Open {
        self.orgs.get_mut(org).expect("loaded first")
    }

    fn head(&self, org: &OrgId, thread: &ThreadId) -> &ThreadHead {
        &self.orgs[org].threads[thread].head
    }

    /// Appends: the one place that gives numbers.
    fn enter(&mut self, org: &OrgId, entry: &Entry, slip: Slip<'_>) -> Arc<Record> {
        let now = self.now;
        let open = self.open_mut(org);
        let head = &mut open.entered.head;
        head.rev += 1;
        head.at = head.at.max(now);
        let body_public = if slip.public { entry.body_public() } else { None };
        let mut record = Record {
            org: org.clone(),
            rev: head.rev,
            thread: slip.thread.cloned(),
            seq: None,
            kind: entry.kind(),
            submitter: slip.submitter,
            id: slip.id.map(str::to_owned),
            body_team: entry.body_team(),
            body_public,
            counts: Counts::default(),
            at: head.at,
            hash: Chain::START,
        };
        match slip.thread {
            None => {
                record.hash = head.hash.next(&record);
                head.hash = record.hash;
            }
            Some(thread) => {
                let head = &mut open.threads.get_mut(thread).expect("loaded first").head;
                if record.body_public.is_some() {
                    head.seq += 1;
                    record.seq = Some(head.seq);
                }
                head.counts = head.counts.plus(entry.counts());
                record.counts = head.counts;
                record.hash = head.hash.next(&record);
                head.hash = record.hash;
                if entry.is_said() {
                    head.active = record.rev;
                }
                open.entered.threads.insert(thread.clone(), head.clone());
            }
        }
        if let Some(Author {
            sub: Some(sub),
            id,
            name,
            ..
        }) = entry.author()
        {
            let person = (id.clone(), name.clone());
            // Hardly ever is there anything to keep: one statement less, and no lock on the row.
            if open.people.get(sub) != Some(&person) || open.entered.people.contains_key(sub) {
                open.entered.people.insert(sub.clone(), person);
            }
        }
        open.entered.lines.extend(search::lines(&record, entry));
        let record = Arc::new(record);
        open.entered.records.push(Arc::clone(&record));
        self.place_photos(entry, &record);
        record
    }

    fn amend(&mut self, org: &OrgId, thread: &ThreadId, change: impl FnOnce(&mut ThreadHead)) {
        let open = self.open_mut(org);
        let desk = open.threads.get_mut(thread).expect("loaded first");
        change(&mut desk.head);
        open.entered.threads.insert(thread.clone(), desk.head.clone());
    }

    /// Who did it, as frozen into the record. A sub that never did anything gets its opaque id now; it
    /// is kept when the record is entered.
    async fn author(&mut self, org: &OrgId, thread: &ThreadId, by: &Person) -> Result<Author> {
        let (sub, name, kind) = match by {
            Person::Customer { .. } => {
                return Ok(Author::customer(&self.orgs[org].threads[thread].contact));
            }
            Person::Staff { sub, name } => (sub, name, AuthorKind::Staff),
            Person::Service { sub, name } => (sub, name, AuthorKind::System),
            Person::Ai { sub, name } => (sub, name, AuthorKind::Ai),
        };
        let shown = match (kind, &self.orgs[org].settings) {
            (AuthorKind::Staff, Some(settings)) => Some(settings.shown(name)),
            // A service speaks for the business.
            (_, Some(settings)) => Some(settings.name.clone()),
            (_, None) => None,
        };
        self.author_of(org, sub, name, kind, shown).await
    }

    async fn author_of(
        &mut self,
        org: &OrgId,
        sub: &Sub,
        name: &str,
        kind: AuthorKind,
        shown: Option<String>,
    ) -> Result<Author> {
        let open = &self.orgs[org];
        let known = match open.entered.people.get(sub).or_else(|| open.people.get(sub)) {
            Some((id, _)) => Some(id.clone()),
            None => {
                let stored = self.store.person(org, sub).await?;
                let id = stored.as_ref().map(|(id, _)| id.clone());
                self.open_mut(org)
                    .people
                    .extend(stored.map(|person| (sub.clone(), person)));
                id
            }
        };
        Ok(Author {
            kind,
            name: name.to_owned(),
            id: known.unwrap_or_else(PersonId::random),
            shown,
            sub: Some(sub.clone()),
            contact: None,
        })
    }
}

fn commit(log: Arc<str>, org: OrgId, entered: Entered) -> Commit {
    let spoken: Vec<_> = entered.records.iter().filter(|r| r.seq.is_some()).collect();
    let badges = entered
        .threads
        .iter()
        .filter(|(thread, _)| spoken.iter().any(|r| r.thread.as_ref() == Some(*thread)))
        .map(|(thread, head)| {
            (
                thread.clone(),
                CustomerBadge {
                    unread: head.unread(Side::Customer),
                    as_of: head.seq,
                },
            )
        })
        .collect();
    Commit {
        log,
        org,
        badge: TeamBadge {
            new: entered.head.new,
            waiting: entered.head.waiting,
            as_of: entered.head.rev,
        },
        badges,
        records: entered.records,
    }
}

impl<'a> Slip<'a> {
    fn of_org() -> Self {
        Slip {
            thread: None,
            submitter: None,
            id: None,
            public: false,
        }
    }

    fn internal(thread: &'a ThreadId, submitter: Option<String>) -> Self {
        Slip {
            thread: Some(thread),
            submitter,
            id: None,
            public: false,
        }
    }
}

fn appended(record: &Record) -> Outcome {
    Outcome::Appended(numbers(record))
}

fn numbers(record: &Record) -> Numbers {
    Numbers {
        rev: record.rev,
        seq: record.seq,
        at: record.at,
    }
}
