//! The AI receptionist hands a call over: to the thread of that contact or phone, else to a new one. All
//! of it is one transaction, and once per id.

use anyhow::{Context, Result};

use super::say::id_reused;
use super::{Clerk, Desk, Slip, Store, numbers};
use crate::domain::{
    Brief, Contact, Entry, HANDOFF_TAG, HandoffBody, HandoffDraft, OrgId, Person, PersonId, Phone, Record, Refusal,
    ThreadId,
};
use crate::ledger::Outcome;
use crate::ledger::writer::Answer;

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn hand_off(&mut self, org: &OrgId, by: &Person, draft: &HandoffDraft) -> Result<Answer> {
        let submitter = by.submitter();
        if let Some(first) = self.find(org, &submitter, &draft.id).await? {
            return self.handed_off(org, &first, draft).await;
        }
        let (contact, thread) = match self.lands_with(org, draft).await? {
            Ok(landed) => landed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let said = format!("{HANDOFF_TAG}, {}: {}", contact.name, draft.summary);
        let plan = self.copies(org, &thread, None, &said, &[], 0).await?;
        let brief = Brief {
            by: self.author(org, &thread, by).await?,
            phone: draft.phone.clone(),
            reason: draft.reason.clone(),
            summary: draft.summary.clone(),
            open_question: draft.open_question.clone(),
            call_back_at: draft.call_back_at,
            handler: draft.handler,
            digest: draft.digest(),
            copy_tag: plan.tag,
            texts: plan.texts(),
        };
        let mut parts = HandoffBody::parts(&draft.id, brief, draft.transcript.clone()).into_iter();
        let slip = Slip {
            thread: Some(&thread),
            submitter: Some(submitter.clone()),
            id: Some(&draft.id),
            public: true,
        };
        let first = parts.next().context("a hand-off has a first record")?;
        let first = self.enter(org, &Entry::Handoff(first), slip);
        self.amend(org, &thread, |head| head.handed_off(head.seq, first.at, draft.handler));
        if let Some(tag) = plan.tag {
            self.open_mut(org).entered.tags.insert(tag, (thread.clone(), first.at));
        }
        for part in parts {
            let part = HandoffBody { of: first.seq, ..part };
            let slip = Slip {
                thread: Some(&thread),
                submitter: Some(submitter.clone()),
                id: None,
                public: true,
            };
            self.enter(org, &Entry::Handoff(part), slip);
        }
        self.send_on(org, &thread, &first, plan.legs);
        Ok(Ok(Outcome::Landed {
            contact: contact.id,
            thread,
            numbers: numbers(&first),
            duplicate: false,
        }))
    }

    /// The answer to an id that was used before.
    async fn handed_off(&mut self, org: &OrgId, first: &Record, draft: &HandoffDraft) -> Result<Answer> {
        let brief = match Entry::parse(first.kind, &first.body_team)? {
            Entry::Handoff(HandoffBody { brief, .. }) => brief,
            _ => None,
        };
        let is_same = brief.is_some_and(|brief| brief.digest == draft.digest());
        let Some(thread) = first.thread.clone().filter(|_| is_same) else {
            return Ok(Err(id_reused()));
        };
        if !self.load_thread(org, &thread).await? {
            anyhow::bail!("a hand-off is in thread {thread}, which is not there");
        }
        Ok(Ok(Outcome::Landed {
            contact: self.orgs[org].threads[&thread].contact.id.clone(),
            thread,
            numbers: numbers(first),
            duplicate: true,
        }))
    }

    async fn lands_with(&mut self, org: &OrgId, draft: &HandoffDraft) -> Result<Result<(Contact, ThreadId), Refusal>> {
        let contact = match (&draft.contact, &draft.phone) {
            (Some(id), _) => match self.contact(org, id).await? {
                Some(contact) => contact,
                None => return Ok(Err(Refusal::not_found())),
            },
            (None, Some(phone)) if self.is_ours(org, phone) => {
                return Ok(Err(Refusal::bad_field(
                    "phone: it is the provisioned number or a business phone",
                )));
            }
            (None, Some(phone)) => self.caller(org, phone, draft.name.as_deref()).await?,
            (None, None) => return Ok(Err(Refusal::bad_field("name the contact or the phone"))),
        };
        let thread = self.current(org, &contact.thread).await?;
        let thread = thread.with_context(|| format!("contact {} has no thread", contact.id))?;
        let contact = self.orgs[org].threads[&thread].contact.clone();
        Ok(Ok((contact, thread)))
    }

    /// Whose call it was, by the phone. Of several who share it nobody can say: such a call gets a
    /// contact of its own.
    async fn caller(&mut self, org: &OrgId, phone: &Phone, name: Option<&str>) -> Result<Contact> {
        let contacts = self.with_phone(org, phone).await?;
        let mut known = contacts.iter().filter(|contact| !contact.unknown);
        match (known.next(), known.next()) {
            (Some(only), None) => return Ok(only.clone()),
            (Some(_), Some(_)) => {
                let id = format!("call:{}", PersonId::random());
                return self.make_contact(org, &id, phone, name);
            }
            (None, _) => {}
        }
        let own = format!("sms:{}", phone.as_str());
        let Some(unknown) = contacts.into_iter().find(|contact| contact.id.as_str() == own) else {
            return self.make_contact(org, &own, phone, name);
        };
        match name {
            // Until now it had no name but its number.
            Some(name) if unknown.name == phone.as_str() && name != unknown.name => {
                self.load_thread(org, &unknown.thread).await?;
                let named = Contact {
                    name: name.to_owned(),
                    ..unknown
                };
                let head = self.head(org, &named.thread).clone();
                self.enter_contact(org, named.clone(), Desk::of(named.clone(), head), None);
                Ok(named)
            }
            _ => Ok(unknown),
        }
    }
}
