//! What the CRM says: orgs, contacts, revocations.

use anyhow::Result;

use super::{Clerk, Desk, Slip, Store, appended};
use crate::domain::{
    Contact, ContactDraft, ContactId, Entry, OrgId, OrgSettings, PersonId, RevokedBody, Sub, ThreadEvent, ThreadHead,
    ThreadId,
};
use crate::ledger::Outcome;
use crate::ledger::writer::Answer;

impl<S: Store> Clerk<'_, S> {
    pub(super) fn put_org(&mut self, org: &OrgId, settings: &OrgSettings) -> Answer {
        if self.orgs[org].settings.as_ref() == Some(settings) {
            return Ok(Outcome::Unchanged);
        }
        let record = self.enter(org, &Entry::Org(settings.clone()), Slip::of_org());
        let open = self.open_mut(org);
        open.settings = Some(settings.clone());
        open.entered.settings = Some(settings.clone());
        Ok(appended(&record))
    }

    pub(super) async fn put_contact(&mut self, org: &OrgId, id: &ContactId, draft: &ContactDraft) -> Result<Answer> {
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
            self.open_mut(org)
                .threads
                .insert(thread.clone(), Desk::of(contact.clone(), ThreadHead::default()));
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

    pub(super) async fn revoke(&mut self, org: &OrgId, sub: &Sub) -> Result<Answer> {
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
        self.open_mut(org).entered.revocations.insert(sub.clone(), before);
        Ok(Ok(Outcome::Revoked { before }))
    }
}
