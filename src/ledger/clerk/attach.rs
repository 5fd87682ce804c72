//! An unknown number turns out to be a contact's: what was said in its thread is copied to the contact's,
//! its thread is closed, and the number leads to the contact. One transaction.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Clerk, Desk, Slip, Store};
use crate::domain::{
    Author, Code, Contact, ContactId, CopiedFrom, Entry, Kind, OrgId, Person, Record, Refusal, ThreadEvent, ThreadHead,
    ThreadId,
};
use crate::ledger::writer::Answer;
use crate::ledger::{Outcome, copies};

/// What one attachment may copy: all of it is one transaction, and travels to the other nodes at once.
const MOST_RECORDS: usize = 5_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn attach(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        by: &Person,
        to: &ContactId,
        seen: Option<i64>,
    ) -> Result<Answer> {
        let Some(contact) = self.contact(org, to).await? else {
            return Ok(Err(Refusal::not_found()));
        };
        let old = self.orgs[org].threads[thread].contact.clone();
        let head = self.head(org, thread).clone();
        if let Some(before) = &head.attached {
            return Ok(match *before == contact.thread {
                true => Ok(Outcome::Attached {
                    thread: contact.thread,
                    copies: 0,
                }),
                false => Err(Refusal::bad_field("contact: this thread was attached to another one")),
            });
        }
        if !old.unknown || contact.unknown {
            return Ok(Err(Refusal::bad_field(
                "contact: only the thread of an unknown number is attached, and only to a contact of the CRM",
            )));
        }
        if let Some(seen) = seen {
            if seen > head.seq {
                return Ok(Err(super::marks::past_end("seen", head.seq)));
            }
            if let Some(refusal) = self.stale(org, thread, seen, &by.submitter()).await? {
                return Ok(Err(refusal));
            }
        }
        let said = self.said(org, thread).await?;
        let bytes: usize = said.iter().map(|record| record.body_team.len()).sum();
        if said.len() > MOST_RECORDS || bytes > MOST_BYTES {
            return Ok(Err(Refusal::bad_field(
                "thread: it is too long to be copied (5,000 records, 8 MiB); give the number to the contact in the CRM instead",
            )));
        }
        if !self.load_thread(org, &contact.thread).await? {
            anyhow::bail!("contact {to} has no thread");
        }
        let contact = self.take_number(org, contact, &old);
        let copies = self.copy(org, thread, &said, &contact, by)?;
        let event = ThreadEvent::Attached {
            contact: contact.id.clone(),
            to: contact.thread.clone(),
            phone: old.phone.clone(),
            copies,
            by: self.author(org, thread, by).await?,
        };
        self.enter(org, &Entry::Thread(event), Slip::internal(thread, Some(by.submitter())));
        self.amend(org, thread, |head| head.close(contact.thread.clone()));
        self.give_up_number(org, old);
        Ok(Ok(Outcome::Attached {
            thread: contact.thread,
            copies,
        }))
    }

    /// Where a thread goes on: in another one, if it was attached to a contact.
    pub(super) async fn current(&mut self, org: &OrgId, thread: &ThreadId) -> Result<Option<ThreadId>> {
        if !self.load_thread(org, thread).await? {
            return Ok(None);
        }
        let Some(to) = self.head(org, thread).attached.clone() else {
            return Ok(Some(thread.clone()));
        };
        Ok(self.load_thread(org, &to).await?.then_some(to))
    }

    /// `closed`, if nothing may be said in the thread any more.
    pub(super) fn closed(&self, org: &OrgId, thread: &ThreadId) -> Option<Refusal> {
        self.head(org, thread).attached.as_ref().map(|_| {
            Refusal::new(
                Code::Closed,
                "this thread was attached to a contact and goes on in the contact's own",
            )
        })
    }

    /// The contact's own phone, if it has none, and in any case one that leads to it.
    fn take_number(&mut self, org: &OrgId, contact: Contact, old: &Contact) -> Contact {
        if contact.phone.is_some() || old.phone.is_none() {
            return contact;
        }
        let contact = Contact {
            phone: old.phone.clone(),
            ..contact
        };
        self.enter_contact(
            org,
            contact.clone(),
            Desk::of(contact.clone(), ThreadHead::default()),
            None,
        );
        contact
    }

    fn give_up_number(&mut self, org: &OrgId, old: Contact) {
        let to = self.orgs[org].threads[&old.thread].head.attached.clone();
        let open = self.open_mut(org);
        let owner = to
            .and_then(|to| open.threads.get(&to))
            .map(|desk| desk.contact.id.clone());
        if let (Some(phone), Some(owner)) = (old.phone.clone(), owner) {
            open.entered.phones.insert((phone, owner));
        }
        let old = Contact { phone: None, ..old };
        if let Some(desk) = open.threads.get_mut(&old.thread) {
            desk.contact = old.clone();
        }
        open.entered.contacts.insert(old.id.clone(), old);
    }

    /// What was said in a thread, this batch included, and one record more than may be copied.
    async fn said(&mut self, org: &OrgId, thread: &ThreadId) -> Result<Vec<Record>> {
        let mut said = copies::said(self.store.connection(), org, thread, MOST_RECORDS + 1).await?;
        let is_said = |kind| {
            matches!(
                kind,
                Kind::Message | Kind::Note | Kind::Handoff | Kind::Marker | Kind::Media
            )
        };
        let entered = self.orgs[org].entered.records.iter();
        let entered = entered.filter(|r| r.thread.as_ref() == Some(thread) && is_said(r.kind));
        said.extend(entered.map(|r| Record::clone(r)));
        Ok(said)
    }

    fn copy(&mut self, org: &OrgId, thread: &ThreadId, said: &[Record], contact: &Contact, by: &Person) -> Result<u32> {
        let answered = self.head(org, thread).answered;
        let (to, author) = (&contact.thread, Author::customer(contact));
        // Later records of a transcript, and parts of an MMS, name the first, which has another seq here.
        let mut seqs: BTreeMap<i64, i64> = BTreeMap::new();
        let mut copies = 0;
        for record in said {
            let mut entry = Entry::parse(record.kind, &record.body_team)?;
            match &mut entry {
                Entry::Handoff(body) => body.of = body.of.and_then(|of| seqs.get(&of).copied()),
                Entry::Media(body) => body.of = seqs.get(&body.of).copied().unwrap_or(body.of),
                _ => {}
            }
            let from = CopiedFrom {
                thread: thread.clone(),
                rev: record.rev,
                at: record.at,
                answered: record.seq.is_some_and(|seq| seq <= answered),
            };
            let Some(copy) = entry.copy(from.clone(), &author) else {
                continue;
            };
            let slip = Slip {
                thread: Some(to),
                submitter: Some(by.submitter()),
                id: None,
                public: true,
            };
            let appended = self.enter(org, &copy, slip);
            self.amend(org, to, |head| head.took_copy(&copy, &from));
            if let (Some(old), Some(new)) = (record.seq, appended.seq) {
                seqs.insert(old, new);
            }
            copies += 1;
        }
        Ok(copies)
    }
}
