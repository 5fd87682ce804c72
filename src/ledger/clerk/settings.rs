//! What the CRM says: orgs, contacts, revocations.

use anyhow::Result;

use super::{Clerk, Desk, Slip, Store, appended};
use crate::domain::{
    Contact, ContactDraft, ContactId, Entry, OrgId, OrgSettings, Person, PersonId, Phone, Refusal, RevokedBody, Sub,
    ThreadHead, ThreadId,
};
use crate::ledger::writer::Answer;
use crate::ledger::{Outcome, texting};

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn put_org(&mut self, org: &OrgId, settings: &OrgSettings) -> Result<Answer> {
        let known = &self.orgs[org].settings;
        if known.as_ref() == Some(settings) {
            return Ok(Ok(Outcome::Unchanged));
        }
        let number = known.as_ref().and_then(|known| known.number.clone());
        if let Some(wanted) = settings
            .number
            .as_ref()
            .filter(|wanted| number.as_ref() != Some(*wanted))
            && self.is_taken(org, wanted).await?
        {
            return Ok(Err(Refusal::bad_field("number: it is another org's")));
        }
        for phone in &settings.business_phones {
            if self
                .with_phone(org, phone)
                .await?
                .iter()
                .any(|contact| !contact.unknown)
            {
                return Ok(Err(Refusal::bad_field("business_phones: one of them is a customer's")));
            }
        }
        let record = self.enter(org, &Entry::Org(settings.clone()), Slip::of_org());
        let open = self.open_mut(org);
        if settings.number != number {
            open.entered.number = Some(settings.number.clone());
        }
        open.settings = Some(settings.clone());
        open.entered.settings = Some(settings.clone());
        Ok(Ok(appended(&record)))
    }

    async fn is_taken(&mut self, org: &OrgId, number: &Phone) -> Result<bool> {
        let entered = self.orgs.iter().filter(|(one, _)| *one != org);
        if entered
            .filter_map(|(_, open)| open.entered.number.as_ref())
            .any(|entered| entered.as_ref() == Some(number))
        {
            return Ok(true);
        }
        let owner = texting::owner(self.store.connection(), number).await?;
        Ok(owner.is_some_and(|owner| owner != *org))
    }

    /// A business phone's texts are the team's, so it cannot be a customer's as well; and the
    /// provisioned number is nobody's phone.
    pub(super) fn is_ours(&self, org: &OrgId, phone: &Phone) -> bool {
        let settings = self.orgs[org].settings.as_ref();
        settings
            .is_some_and(|settings| settings.number.as_ref() == Some(phone) || settings.business_phones.contains(phone))
    }

    pub(super) async fn put_contact(&mut self, org: &OrgId, id: &ContactId, draft: &ContactDraft) -> Result<Answer> {
        if draft.phone.as_ref().is_some_and(|phone| self.is_ours(org, phone)) {
            return Ok(Err(Refusal::bad_field(
                "phone: it is the provisioned number or a business phone",
            )));
        }
        let known = self.contact(org, id).await?;
        let made = known.is_none();
        let contact = match known {
            Some(contact) if !contact.unknown && contact.name == draft.name && contact.phone == draft.phone => {
                return Ok(Ok(Outcome::Contact {
                    contact: contact.id,
                    thread: contact.thread,
                    made: false,
                }));
            }
            Some(contact) => Contact {
                name: draft.name.clone(),
                phone: draft.phone.clone(),
                unknown: false,
                ..contact
            },
            None => Contact {
                id: id.clone(),
                thread: ThreadId::random(),
                person: PersonId::random(),
                name: draft.name.clone(),
                phone: draft.phone.clone(),
                unknown: false,
            },
        };
        let thread = contact.thread.clone();
        if !made && !self.load_thread(org, &thread).await? {
            anyhow::bail!("contact {id} has no thread");
        }
        if !made && let Some(refusal) = self.closed(org, &thread) {
            return Ok(Err(refusal));
        }
        self.enter_contact(org, contact.clone(), Desk::of(contact, ThreadHead::default()), None);
        Ok(Ok(Outcome::Contact {
            contact: id.clone(),
            thread,
            made,
        }))
    }

    /// Staff begin a conversation with somebody of whom the CRM has not told. A phone that is known
    /// leads to whose it is.
    pub(super) async fn new_contact(&mut self, org: &OrgId, by: &Person, draft: &ContactDraft) -> Result<Answer> {
        if let Some(phone) = &draft.phone {
            if self.is_ours(org, phone) {
                return Ok(Err(Refusal::bad_field(
                    "phone: it is the provisioned number or a business phone",
                )));
            }
            let known = self.with_phone(org, phone).await?;
            if known.iter().filter(|one| !one.unknown).count() > 1 {
                return Ok(Err(Refusal::bad_field(
                    "phone: several contacts share it; choose one of them",
                )));
            }
            if let Some(known) = known.into_iter().next() {
                return Ok(Ok(Outcome::Contact {
                    contact: known.id,
                    thread: known.thread,
                    made: false,
                }));
            }
        }
        let thread = ThreadId::random();
        let id = ContactId::parse(&format!("crew:{thread}")).map_err(anyhow::Error::from)?;
        let contact = Contact {
            id: id.clone(),
            thread: thread.clone(),
            person: PersonId::random(),
            name: draft.name.clone(),
            phone: draft.phone.clone(),
            unknown: false,
        };
        let by = self.author(org, &thread, by).await?;
        self.enter_contact(org, contact.clone(), Desk::of(contact, ThreadHead::default()), Some(by));
        Ok(Ok(Outcome::Contact {
            contact: id,
            thread,
            made: true,
        }))
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
