//! Decides what a command appends, under the locks that the engine holds. The same for every engine:
//! they differ only in how a [`Store`] loads and writes.
//!
//! A command is either refused before anything of it is entered, or entered whole. Everything entered
//! in one batch is written by [`Clerk::finish`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::audit::OrgHead;
use super::writer::{Answer, Transacted};
use super::{Command, Commit, CustomerBadge, Numbers, Outcome, TeamBadge};
use crate::domain::{
    Author, AuthorKind, Chain, Code, Contact, ContactDraft, ContactId, Counts, Draft, Entry, Kind,
    Mark, MessageBody, NoteBody, OrgId, OrgSettings, Person, PersonId, ReceiptBody, Record,
    Refusal, RevokedBody, Side, Sub, ThreadEvent, ThreadHead, ThreadId, Via,
};

/// One open transaction, as the clerk sees it.
#[async_trait]
pub(super) trait Store: Send {
    /// The database's clock, in ms.
    async fn now(&mut self) -> Result<i64>;
    async fn org(&mut self, org: &OrgId) -> Result<Option<(OrgHead, OrgSettings)>>;
    async fn thread(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
    ) -> Result<Option<(Contact, ThreadHead)>>;
    async fn contact(&mut self, org: &OrgId, contact: &ContactId) -> Result<Option<Contact>>;
    async fn person(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<(PersonId, String)>>;
    async fn read_by(&mut self, org: &OrgId, thread: &ThreadId, sub: &Sub) -> Result<i64>;
    async fn revoked_before(&mut self, org: &OrgId, sub: &Sub) -> Result<Option<i64>>;
    async fn by_id(&mut self, org: &OrgId, submitter: &str, id: &str) -> Result<Option<Record>>;
    /// The counts and the time of a public record.
    async fn at_seq(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        seq: i64,
    ) -> Result<Option<(Counts, i64)>>;
    /// The first messages after a seq that `submitter` did not send.
    async fn others_after(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        seq: i64,
        submitter: &str,
    ) -> Result<Vec<Record>>;
    async fn write(&mut self, org: &OrgId, entered: &Entered) -> Result<()>;
}

/// What a batch changes in one org.
#[derive(Default)]
pub(super) struct Entered {
    pub records: Vec<Arc<Record>>,
    pub head: OrgHead,
    pub settings: Option<OrgSettings>,
    pub contacts: BTreeMap<ContactId, Contact>,
    pub threads: BTreeMap<ThreadId, ThreadHead>,
    pub people: BTreeMap<Sub, (PersonId, String)>,
    pub reads: BTreeMap<(ThreadId, Sub), i64>,
    pub revocations: BTreeMap<Sub, i64>,
}

/// An org whose page of the book is open: what was loaded, and what was entered since.
#[derive(Default)]
struct Open {
    settings: Option<OrgSettings>,
    threads: HashMap<ThreadId, Desk>,
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

pub(super) struct Clerk<'a, S: Store> {
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
            Command::PutOrg { settings, .. } => return Ok(self.put_org(org, settings)),
            _ if self.orgs[org].settings.is_none() => return Ok(Err(Refusal::not_found())),
            Command::PutContact { contact, draft, .. } => {
                return self.put_contact(org, contact, draft).await;
            }
            Command::Revoke { sub, .. } => return self.revoke(org, sub).await,
            Command::Say { thread, .. }
            | Command::Mark { thread, .. }
            | Command::Handle { thread, .. } => {
                if !self.load_thread(org, thread).await? {
                    return Ok(Err(Refusal::not_found()));
                }
            }
        }
        match command {
            Command::Say {
                thread,
                by,
                via,
                draft,
                ..
            } => self.say(org, thread, by, *via, draft).await,
            Command::Mark {
                thread,
                by,
                mark,
                up_to,
                ..
            } => self.mark(org, thread, by, *mark, *up_to).await,
            Command::Handle {
                thread, by, seen, ..
            } => self.handle(org, thread, by, *seen).await,
            _ => unreachable!("answered above"),
        }
    }

    /// Writes what was entered. The caller commits, and only then hands the commits on.
    pub async fn finish(self, answers: Vec<Answer>) -> Result<Transacted> {
        let mut commits = Vec::new();
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
            self.store.write(&org, &entered).await?;
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
            commits.push(Commit {
                org,
                badge: TeamBadge {
                    new: entered.head.new,
                    waiting: entered.head.waiting,
                    as_of: entered.head.rev,
                },
                badges,
                records: entered.records,
            });
        }
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

    fn open_mut(&mut self, org: &OrgId) -> &mut Open {
        self.orgs.get_mut(org).expect("loaded first")
    }

    fn head(&self, org: &OrgId, thread: &ThreadId) -> &ThreadHead {
        &self.orgs[org].threads[thread].head
    }

    fn put_org(&mut self, org: &OrgId, settings: &OrgSettings) -> Answer {
        if self.orgs[org].settings.as_ref() == Some(settings) {
            return Ok(Outcome::Unchanged);
        }
        let record = self.enter(org, &Entry::Org(settings.clone()), Slip::of_org());
        let open = self.open_mut(org);
        open.settings = Some(settings.clone());
        open.entered.settings = Some(settings.clone());
        Ok(appended(&record))
    }

    async fn put_contact(
        &mut self,
        org: &OrgId,
        id: &ContactId,
        draft: &ContactDraft,
    ) -> Result<Answer> {
        let entered = self.orgs[org].entered.contacts.get(id).cloned();
        let known = match entered {
            Some(contact) => Some(contact),
            None => self.store.contact(org, id).await?,
        };
        let made = known.is_none();
        let contact = match known {
            Some(contact) if contact.name == draft.name && contact.phone == draft.phone => {
                return Ok(Ok(Outcome::Contact {
                    thread: contact.thread,
                    made: false,
                }));
            }
            Some(contact) => Contact {
                name: draft.name.clone(),
                phone: draft.phone.clone(),
                ..contact
            },
            None => Contact {
                id: id.clone(),
                thread: ThreadId::random(),
                person: PersonId::random(),
                name: draft.name.clone(),
                phone: draft.phone.clone(),
            },
        };
        let thread = contact.thread.clone();
        if made {
            self.open_mut(org).threads.insert(
                thread.clone(),
                Desk::of(contact.clone(), ThreadHead::default()),
            );
        } else if !self.load_thread(org, &thread).await? {
            anyhow::bail!("contact {id} has no thread");
        }
        let event = ThreadEvent::Contact {
            contact: id.clone(),
            name: contact.name.clone(),
            phone: contact.phone.clone(),
            id: contact.person.clone(),
        };
        self.enter(org, &Entry::Thread(event), Slip::internal(&thread, None));
        let open = self.open_mut(org);
        open.threads.get_mut(&thread).expect("loaded first").contact = contact.clone();
        open.entered.contacts.insert(id.clone(), contact);
        Ok(Ok(Outcome::Contact { thread, made }))
    }

    async fn revoke(&mut self, org: &OrgId, sub: &Sub) -> Result<Answer> {
        let entered = self.orgs[org].entered.revocations.get(sub).copied();
        let known = match entered {
            Some(before) => Some(before),
            None => self.store.revoked_before(org, sub).await?,
        };
        let before = self.now / 1000;
        if known.is_some_and(|known| known >= before) {
            return Ok(Ok(Outcome::Revoked {
                before: known.unwrap_or(before),
            }));
        }
        self.enter(
            org,
            &Entry::Revoked(RevokedBody {
                sub: sub.clone(),
                before,
            }),
            Slip::of_org(),
        );
        self.open_mut(org)
            .entered
            .revocations
            .insert(sub.clone(), before);
        Ok(Ok(Outcome::Revoked { before }))
    }

    async fn say(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        by: &Person,
        via: Via,
        draft: &Draft,
    ) -> Result<Answer> {
        let submitter = by.submitter();
        // Before any other check: a client that sends again must hear the first outcome.
        if let Some(first) = self.find(org, &submitter, draft.id.as_str()).await? {
            return Ok(repeated(&first, thread, draft));
        }
        let head = self.head(org, thread).clone();
        if let Some(seen) = draft.seen {
            if seen > head.seq {
                return Ok(Err(past_end("seen", head.seq)));
            }
            let maybe_stale = !draft.internal && head.last_customer.max(head.last_team) > seen;
            if maybe_stale && let Some(refusal) = self.stale(org, thread, seen, &submitter).await? {
                return Ok(Err(refusal));
            }
        }
        let from = self.author(org, thread, by).await?;
        let id = draft.id.as_str();
        if draft.internal {
            let body = NoteBody {
                id: id.to_owned(),
                from,
                text: draft.text.clone(),
                photos: Vec::new(),
            };
            let slip = Slip {
                id: Some(id),
                ..Slip::internal(thread, Some(submitter))
            };
            let record = self.enter(org, &Entry::Note(body), slip);
            return Ok(Ok(appended(&record)));
        }
        let answers = (from.kind == AuthorKind::Staff).then_some(draft.seen.unwrap_or(head.seq));
        let next = match answers {
            Some(seen) => self.first_customer_after(org, thread, seen).await?,
            None => None,
        };
        let body = MessageBody {
            id: id.to_owned(),
            from,
            via,
            text: draft.text.clone(),
            photos: Vec::new(),
            seen: draft.seen,
        };
        let slip = Slip {
            thread: Some(thread),
            submitter: Some(submitter),
            id: Some(id),
            public: true,
        };
        let record = self.enter(org, &Entry::Message(body), slip);
        self.amend(org, thread, |head| {
            head.said(by.side(), head.seq, record.at);
            if let Some(seen) = answers {
                head.answered(seen, next);
            }
        });
        Ok(Ok(appended(&record)))
    }

    async fn mark(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        by: &Person,
        mark: Mark,
        up_to: i64,
    ) -> Result<Answer> {
        let head = self.head(org, thread).clone();
        if up_to > head.seq {
            return Ok(Err(past_end("up_to", head.seq)));
        }
        let (side, other) = (by.side(), by.side().other());
        let team_mark = match mark {
            Mark::Delivered => head.marks(side).delivered,
            Mark::Read => head.marks(side).read,
        };
        let reader = match (mark, by) {
            (Mark::Read, Person::Staff { sub, .. }) => Some(sub),
            _ => None,
        };
        let own_mark = match reader {
            Some(sub) => match self.orgs[org]
                .entered
                .reads
                .get(&(thread.clone(), sub.clone()))
            {
                Some(up_to) => *up_to,
                None => self.store.read_by(org, thread, sub).await?,
            },
            None => team_mark,
        };
        let Some(up_to) = self
            .last_message(org, thread, other, own_mark, up_to)
            .await?
        else {
            return Ok(Ok(Outcome::Unchanged));
        };
        let moves = up_to > team_mark;
        let other_count = self.at_seq(org, thread, up_to).await?.0.of(other);
        let body = ReceiptBody {
            side,
            mark,
            up_to,
            by: self.author(org, thread, by).await?,
        };
        let slip = Slip {
            thread: Some(thread),
            submitter: Some(by.submitter()),
            id: None,
            public: moves,
        };
        let record = self.enter(org, &Entry::Receipt(body), slip);
        if moves {
            self.amend(org, thread, |head| {
                head.marked(side, mark, up_to, other_count)
            });
        }
        if let Some(sub) = reader {
            self.open_mut(org)
                .entered
                .reads
                .insert((thread.clone(), sub.clone()), up_to);
        }
        Ok(Ok(appended(&record)))
    }

    async fn handle(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        by: &Person,
        seen: i64,
    ) -> Result<Answer> {
        let head = self.head(org, thread).clone();
        if seen > head.seq {
            return Ok(Err(past_end("seen", head.seq)));
        }
        if seen <= head.answered
            || self.count_at(org, thread, Side::Customer, seen).await?
                == self
                    .count_at(org, thread, Side::Customer, head.answered)
                    .await?
        {
            return Ok(Ok(Outcome::Unchanged));
        }
        let next = self.first_customer_after(org, thread, seen).await?;
        let by_author = self.author(org, thread, by).await?;
        let event = ThreadEvent::Handled {
            seen,
            by: by_author,
        };
        let record = self.enter(
            org,
            &Entry::Thread(event),
            Slip::internal(thread, Some(by.submitter())),
        );
        self.amend(org, thread, |head| head.answered(seen, next));
        Ok(Ok(appended(&record)))
    }

    /// Appends: the one place that gives numbers.
    fn enter(&mut self, org: &OrgId, entry: &Entry, slip: Slip<'_>) -> Arc<Record> {
        let now = self.now;
        let open = self.open_mut(org);
        let head = &mut open.entered.head;
        head.rev += 1;
        head.at = head.at.max(now);
        let body_public = if slip.public {
            entry.body_public()
        } else {
            None
        };
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
                if matches!(record.kind, Kind::Message | Kind::Note) {
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
            open.entered
                .people
                .insert(sub.clone(), (id.clone(), name.clone()));
        }
        let record = Arc::new(record);
        open.entered.records.push(Arc::clone(&record));
        record
    }

    fn amend(&mut self, org: &OrgId, thread: &ThreadId, change: impl FnOnce(&mut ThreadHead)) {
        let open = self.open_mut(org);
        let desk = open.threads.get_mut(thread).expect("loaded first");
        change(&mut desk.head);
        open.entered
            .threads
            .insert(thread.clone(), desk.head.clone());
    }

    /// The record of (submitter, id), from this batch or from before.
    async fn find(&mut self, org: &OrgId, submitter: &str, id: &str) -> Result<Option<Record>> {
        let entered = self.orgs[org]
            .entered
            .records
            .iter()
            .find(|r| r.id.as_deref() == Some(id) && r.submitter.as_deref() == Some(submitter));
        match entered {
            Some(record) => Ok(Some(Record::clone(record))),
            None => self.store.by_id(org, submitter, id).await,
        }
    }

    /// `stale`, if somebody else said something in the thread after `seen`.
    async fn stale(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        seen: i64,
        submitter: &str,
    ) -> Result<Option<Refusal>> {
        let mut others = self
            .store
            .others_after(org, thread, seen, submitter)
            .await?;
        let entered = self.orgs[org].entered.records.iter().filter(|r| {
            r.thread.as_ref() == Some(thread)
                && r.kind == Kind::Message
                && r.seq > Some(seen)
                && r.submitter.as_deref() != Some(submitter)
        });
        others.extend(entered.map(|r| Record::clone(r)));
        Ok((!others.is_empty()).then(|| Refusal {
            records: others,
            ..Refusal::new(
                Code::Stale,
                "somebody else wrote in the meantime; read it, then send again",
            )
        }))
    }

    /// Who did it, as frozen into the record. A sub that never did anything gets its opaque id now; it
    /// is kept when the record is entered.
    async fn author(&mut self, org: &OrgId, thread: &ThreadId, by: &Person) -> Result<Author> {
        let (sub, name, kind) = match by {
            Person::Customer { .. } => {
                let contact = &self.orgs[org].threads[thread].contact;
                return Ok(Author {
                    kind: AuthorKind::Customer,
                    name: contact.name.clone(),
                    id: contact.person.clone(),
                    shown: None,
                    sub: None,
                    contact: Some(contact.id.clone()),
                });
            }
            Person::Staff { sub, name } => (sub, name, AuthorKind::Staff),
            Person::Service { sub, name } => (sub, name, AuthorKind::System),
        };
        let entered = self.orgs[org]
            .entered
            .people
            .get(sub)
            .map(|(id, _)| id.clone());
        let known = match entered {
            Some(id) => Some(id),
            None => self.store.person(org, sub).await?.map(|(id, _)| id),
        };
        let shown = match (kind, &self.orgs[org].settings) {
            (AuthorKind::Staff, Some(settings)) => Some(settings.shown(name)),
            // A service speaks for the business.
            (_, Some(settings)) => Some(settings.name.clone()),
            (_, None) => None,
        };
        Ok(Author {
            kind,
            name: name.clone(),
            id: known.unwrap_or_else(PersonId::random),
            shown,
            sub: Some(sub.clone()),
            contact: None,
        })
    }

    async fn at_seq(&mut self, org: &OrgId, thread: &ThreadId, seq: i64) -> Result<(Counts, i64)> {
        if seq <= 0 {
            return Ok((Counts::default(), 0));
        }
        let entered = self.orgs[org]
            .entered
            .records
            .iter()
            .find(|r| r.seq == Some(seq) && r.thread.as_ref() == Some(thread));
        if let Some(record) = entered {
            return Ok((record.counts, record.at));
        }
        let found = self.store.at_seq(org, thread, seq).await?;
        found.with_context(|| format!("thread {thread} has no record {seq} below its head"))
    }

    async fn count_at(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        side: Side,
        seq: i64,
    ) -> Result<i64> {
        Ok(self.at_seq(org, thread, seq).await?.0.of(side))
    }

    /// The last message of `side` in (above, up_to], by its seq.
    async fn last_message(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        side: Side,
        above: i64,
        up_to: i64,
    ) -> Result<Option<i64>> {
        let last = self.head(org, thread).last_from(side);
        if up_to >= last {
            return Ok((last > above).then_some(last));
        }
        if up_to <= above {
            return Ok(None);
        }
        let count = self.count_at(org, thread, side, up_to).await?;
        if count == self.count_at(org, thread, side, above).await? {
            return Ok(None);
        }
        self.reaches(org, thread, side, count, above, up_to)
            .await
            .map(Some)
    }

    /// When the first customer message after a seq came in.
    async fn first_customer_after(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        seq: i64,
    ) -> Result<Option<i64>> {
        let last = self.head(org, thread).last_customer;
        if seq >= last {
            return Ok(None);
        }
        let count = self.count_at(org, thread, Side::Customer, seq).await?;
        let first = self
            .reaches(org, thread, Side::Customer, count + 1, seq, last)
            .await?;
        Ok(Some(self.at_seq(org, thread, first).await?.1))
    }

    /// The first seq in (above, up_to] at which a side's count has reached `count`. Counts only grow,
    /// so a search by halves finds it in some fifteen look-ups, however long the thread is.
    async fn reaches(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        side: Side,
        count: i64,
        above: i64,
        up_to: i64,
    ) -> Result<i64> {
        let (mut low, mut high) = (above + 1, up_to);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.count_at(org, thread, side, middle).await? >= count {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
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

fn past_end(field: &str, seq: i64) -> Refusal {
    Refusal::new(Code::PastEnd, format!("{field}: the thread ends at {seq}"))
}

/// The answer to an id that was used before.
fn repeated(first: &Record, thread: &ThreadId, draft: &Draft) -> Answer {
    let text = match Entry::parse(first.kind, &first.body_team) {
        Ok(Entry::Message(body)) if !draft.internal => Some(body.text),
        Ok(Entry::Note(body)) if draft.internal => Some(body.text),
        _ => None,
    };
    if first.thread.as_ref() == Some(thread) && text.as_deref() == Some(&draft.text) {
        return Ok(Outcome::Duplicate(numbers(first)));
    }
    Err(Refusal::new(
        Code::IdReused,
        "this id was used for another message; take a new one",
    ))
}
