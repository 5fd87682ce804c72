//! Recomputes every number, count, hash and projection from the log, and names what differs.

mod texts;

use std::collections::{BTreeMap, BTreeSet};

use super::{Indexed, Ledger, Projections, Result};
use crate::domain::{
    Contact, Counts, Entry, Fetched, HandoffBody, Leg, Mark, MessageBody, Missing, NoteBody, OrgId, Photo, Place,
    Record, Side, Texts, ThreadEvent, ThreadHead, ThreadId, folded,
};

/// Differences named for one org; a broken chain would otherwise fill the screen.
const MOST_PER_ORG: usize = 20;
const PAGE: u32 = 1_000;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    pub orgs: usize,
    pub records: i64,
    /// One sentence each. Empty if the ledger is as it should be.
    pub differences: Vec<String>,
}

/// Verifies all orgs. `progress` hears how many records were read.
pub async fn verify(ledger: &dyn Ledger, progress: &mut (dyn FnMut(&OrgId, i64) + Send)) -> Result<Report> {
    let mut report = Report::default();
    for org in ledger.orgs().await? {
        let mut recount = Recount::new(org.clone());
        loop {
            let after = recount.expected.head.rev;
            let page = ledger.records(&org, after, PAGE).await?;
            for record in &page {
                recount.take(record);
            }
            // The last page is the place for lines of what is not in the log at all.
            let up_to = page.last().filter(|_| page.len() == PAGE as usize);
            let up_to = up_to.map_or(i64::MAX, |record| record.rev);
            recount.compare_lines(ledger.indexed(&org, after, up_to).await?);
            progress(&org, page.len() as i64);
            report.records += page.len() as i64;
            if page.len() < PAGE as usize {
                break;
            }
        }
        recount.compare(&ledger.projections(&org).await?);
        report.orgs += 1;
        report.differences.append(&mut recount.differences);
    }
    Ok(report)
}

/// An org's projections, made anew from its records.
struct Recount {
    org: OrgId,
    expected: Projections,
    /// Of each thread: the counts and the time at each seq.
    past: BTreeMap<ThreadId, Vec<(Counts, i64)>>,
    /// The lines that the index should have, of the page that is being read.
    lines: BTreeSet<Indexed>,
    differences: Vec<String>,
}

impl Recount {
    fn new(org: OrgId) -> Self {
        Self {
            org,
            expected: Projections::default(),
            past: BTreeMap::new(),
            lines: BTreeSet::new(),
            differences: Vec::new(),
        }
    }

    fn differs(&mut self, what: String) {
        if self.differences.len() < MOST_PER_ORG {
            self.differences.push(format!("org {}: {what}", self.org));
        } else if self.differences.len() == MOST_PER_ORG {
            self.differences.push(format!("org {}: and more", self.org));
        }
    }

    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.differs(format!("{what} is {found:?}, should be {expected:?}"));
        }
    }

    fn take(&mut self, record: &Record) {
        let rev = record.rev;
        self.expect("rev", rev, self.expected.head.rev + 1);
        self.expected.head.rev = rev;
        if record.at < self.expected.head.at {
            self.differs(format!("rev {rev}: its time is before that of the record before it"));
        }
        self.expected.head.at = record.at;
        let entry = match Entry::parse(record.kind, &record.body_team) {
            Ok(entry) => entry,
            Err(error) => {
                return self.differs(format!("rev {rev}: its body cannot be read: {error}"));
            }
        };
        self.expect(
            &format!("rev {rev}: body_team"),
            record.body_team.clone(),
            entry.body_team(),
        );
        if record.body_public.is_some() {
            self.expect(
                &format!("rev {rev}: body_public"),
                record.body_public.clone(),
                entry.body_public(),
            );
        }
        self.lines.extend(Indexed::expected(record, &entry));
        match &record.thread {
            Some(thread) => self.take_in_thread(record, thread, &entry),
            None => {
                let hash = self.expected.head.hash.next(record);
                self.expect(&format!("rev {rev}: hash"), record.hash, hash);
                self.expected.head.hash = record.hash;
            }
        }
        if let Some(author) = entry.author()
            && let Some(sub) = &author.sub
        {
            self.expected
                .people
                .insert(sub.clone(), (author.id.clone(), author.name.clone()));
        }
        match entry {
            Entry::Org(settings) => {
                self.expected.numbers = settings.number.iter().cloned().collect();
                self.expected.settings = Some(settings);
            }
            Entry::Consent(body) => {
                let off = body.texts == Texts::Off;
                self.expected.consents.insert((body.number, body.phone), off);
            }
            Entry::Revoked(body) => {
                self.expected.revocations.insert(body.sub, body.before);
            }
            Entry::Delivery(body) => self.take_delivery(body),
            Entry::Unrouted(body) => self.take_unrouted(rev, &body),
            _ => {}
        }
    }

    fn take_in_thread(&mut self, record: &Record, thread: &ThreadId, entry: &Entry) {
        let rev = record.rev;
        let mut head = self.expected.threads.remove(thread).unwrap_or_default();
        head.counts = head.counts.plus(entry.counts());
        self.expect(&format!("rev {rev}: counts"), record.counts, head.counts);
        let hash = head.hash.next(record);
        self.expect(&format!("rev {rev}: hash"), record.hash, hash);
        head.hash = record.hash;
        if let Some(seq) = record.seq {
            self.expect(&format!("rev {rev}: seq"), seq, head.seq + 1);
            head.seq = seq;
            let said_at = entry.copied_from().map_or(record.at, |from| from.at);
            self.past
                .entry(thread.clone())
                .or_default()
                .push((record.counts, said_at));
        }
        if entry.is_said() {
            head.active = rev;
        }
        self.take_photos(thread, record, entry);
        if let Some(from) = entry.copied_from() {
            head.took_copy(entry, from);
            self.expected.threads.insert(thread.clone(), head);
            return;
        }
        match entry {
            Entry::Message(body) => {
                head.said(body.from.side(), head.seq, record.at);
                self.take_texts(thread, record, body.tag, &body.texts);
                let is_staff = body.from.kind == crate::domain::AuthorKind::Staff;
                if is_staff {
                    let seen = body.seen.unwrap_or(head.seq - 1);
                    head.answered(seen, self.first_customer_after(thread, seen));
                }
            }
            Entry::Receipt(body) => {
                if record.seq.is_some() {
                    let other_count = self.at_seq(thread, body.up_to).0.of(body.side.other());
                    head.marked(body.side, body.mark, body.up_to, other_count);
                }
                if body.mark == Mark::Read
                    && body.side == Side::Team
                    && let Some(sub) = &body.by.sub
                {
                    self.expected.reads.insert((thread.clone(), sub.clone()), body.up_to);
                }
            }
            Entry::Delivery(body) => {
                if let Some(of) = body.of.filter(|_| body.leg == Leg::Customer) {
                    head.texted(of, body.state);
                }
            }
            Entry::Thread(ThreadEvent::Handled { seen, .. }) => {
                head.answered(*seen, self.first_customer_after(thread, *seen));
            }
            Entry::Thread(ThreadEvent::Contact {
                contact,
                name,
                phone,
                id,
                unknown,
                ..
            }) => {
                let contact = Contact {
                    id: contact.clone(),
                    thread: thread.clone(),
                    person: id.clone(),
                    name: name.clone(),
                    phone: phone.clone(),
                    unknown: *unknown,
                };
                self.expected.contacts.insert(contact.id.clone(), contact);
            }
            Entry::Handoff(HandoffBody { brief: Some(brief), .. }) => {
                head.handed_off(head.seq, record.at, brief.handler);
                self.take_texts(thread, record, brief.copy_tag, &brief.texts);
            }
            Entry::Thread(ThreadEvent::Handler { handler, .. }) => head.handler = *handler,
            Entry::Thread(ThreadEvent::Attached { contact, to, phone, .. }) => {
                head.close(to.clone());
                if let Some(phone) = phone {
                    self.expected.phones.insert((phone.clone(), contact.clone()));
                }
                let mut contacts = self.expected.contacts.values_mut();
                if let Some(old) = contacts.find(|old| old.thread == *thread) {
                    old.phone = None;
                }
            }
            Entry::Thread(ThreadEvent::Routed { unrouted, .. }) => {
                self.expected.routed.insert(*unrouted, thread.clone());
            }
            Entry::Handoff(_)
            | Entry::Marker(_)
            | Entry::Note(_)
            | Entry::Media(_)
            | Entry::Consent(_)
            | Entry::Unrouted(_)
            | Entry::Revoked(_)
            | Entry::Org(_) => {}
        }
        self.expected.threads.insert(thread.clone(), head);
    }

    /// What stands in it of photos and files, and what of an MMS is to be fetched after it.
    fn take_photos(&mut self, thread: &ThreadId, record: &Record, entry: &Entry) {
        let place = || Place {
            thread: thread.clone(),
            seq: record.seq,
        };
        let mut photo = |one: &Photo| {
            let known = (one.sha256.clone(), Some((one.width, one.height)), Some(place()));
            self.expected.photos.insert(one.id.clone(), known);
        };
        match entry {
            Entry::Message(MessageBody { photos, media, id, .. }) => {
                photos.iter().for_each(photo);
                for (index, medium) in (0..).zip(media) {
                    let Some(message) = medium.message.clone().or(id.clone()) else {
                        continue;
                    };
                    let missing = Missing {
                        org: self.org.clone(),
                        source: medium.source.clone(),
                        message,
                        thread: thread.clone(),
                        of: record.seq.unwrap_or(0),
                        index,
                        content_type: medium.content_type.clone(),
                        tries: 0,
                    };
                    self.expected.missing.insert(medium.source.clone(), missing);
                }
            }
            Entry::Note(NoteBody { photos, .. }) => photos.iter().for_each(photo),
            Entry::Media(body) => {
                self.expected.missing.remove(&body.source);
                match &body.fetched {
                    Fetched::Photo(one) => photo(one),
                    Fetched::File(file) => {
                        let known = (file.sha256.clone(), None, Some(place()));
                        self.expected.photos.insert(file.id.clone(), known);
                    }
                    Fetched::Failed { .. } => {}
                }
            }
            _ => {}
        }
    }

    fn at_seq(&self, thread: &ThreadId, seq: i64) -> (Counts, i64) {
        let past = self.past.get(thread).map(Vec::as_slice).unwrap_or_default();
        usize::try_from(seq - 1)
            .ok()
            .and_then(|i| past.get(i))
            .copied()
            .unwrap_or_default()
    }

    fn first_customer_after(&self, thread: &ThreadId, seq: i64) -> Option<i64> {
        let count = self.at_seq(thread, seq).0.customer;
        let past = self.past.get(thread)?;
        let first = past.partition_point(|(counts, _)| counts.customer <= count);
        past.get(first).map(|(_, at)| *at)
    }

    fn compare_lines(&mut self, stored: Vec<Indexed>) {
        let expected = std::mem::take(&mut self.lines);
        let stored: BTreeSet<_> = stored.into_iter().collect();
        for line in expected.symmetric_difference(&stored) {
            let what = match stored.contains(line) {
                true => "is in the index, but should not be",
                false => "is missing from the index",
            };
            self.differs(format!("rev {}: {line:?} {what}", line.rev));
        }
    }

    fn compare(&mut self, stored: &Projections) {
        let is_new = |head: &&ThreadHead| head.is_new();
        self.expected.head.new = self.expected.threads.values().filter(is_new).count() as i64;
        self.expected.head.waiting = self.expected.threads.values().filter(|head| head.is_waiting()).count() as i64;
        let expected = std::mem::take(&mut self.expected);
        self.expect("the head", &stored.head, &expected.head);
        self.expect("the settings", &stored.settings, &expected.settings);
        self.each("contact", &stored.contacts, &expected.contacts);
        let names = expected.contacts.values();
        let folded = names.map(|contact| (contact.id.clone(), Some(folded(&contact.name))));
        self.each("the folded name of", &stored.folded, &folded.collect());
        self.each("thread", &stored.threads, &expected.threads);
        self.each("person", &stored.people, &expected.people);
        self.each("read mark", &stored.reads, &expected.reads);
        self.each("revocation", &stored.revocations, &expected.revocations);
        self.compare_texts(stored, &expected);
        self.each("photo", &stored.photos, &expected.photos);
        self.each("part of an MMS", &stored.missing, &expected.missing);
        self.expect("the numbers that became contacts'", &stored.phones, &expected.phones);
        self.each("routed text", &stored.routed, &expected.routed);
    }

    fn each<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        stored: &BTreeMap<K, V>,
        expected: &BTreeMap<K, V>,
    ) {
        for (key, value) in expected {
            match stored.get(key) {
                Some(found) => self.expect(&format!("{what} {key:?}"), found, value),
                None => self.differs(format!("{what} {key:?} is missing, should be {value:?}")),
            }
        }
        for key in stored.keys().filter(|key| !expected.contains_key(key)) {
            self.differs(format!("{what} {key:?} is stored, but not in the log"));
        }
    }
}
