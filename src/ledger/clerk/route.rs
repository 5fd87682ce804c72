//! A text that no rule could route: somebody of the team says where it belongs, once.

use anyhow::Result;

use super::{Clerk, Slip, Store};
use crate::domain::{
    Author, Entry, MessageBody, OrgId, Person, Phone, Record, Refusal, Rule, ThreadEvent, ThreadId, UnroutedBody, Via,
    tagged,
};
use crate::ledger::writer::Answer;
use crate::ledger::{Outcome, copies};

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn route(&mut self, org: &OrgId, thread: &ThreadId, by: &Person, unrouted: i64) -> Result<Answer> {
        let Some((record, text)) = self.unrouted(org, unrouted).await? else {
            return Ok(Err(Refusal::not_found()));
        };
        if let Some(before) = self.routed(org, unrouted).await? {
            return Ok(match before == *thread {
                true => Ok(Outcome::Unchanged),
                false => Err(Refusal::bad_field("thread: this text was routed to another one")),
            });
        }
        if let Some(refusal) = self.closed(org, thread) {
            return Ok(Err(refusal));
        }
        let from = Phone::parse(&text.from).ok();
        let business = from.clone().filter(|from| self.is_ours(org, from));
        let author = match &business {
            Some(phone) => self.business_phone(org, phone).await?,
            None => Author::customer(&self.orgs[org].threads[thread].contact),
        };
        // A tag that named nothing is no part of what was said.
        let said = match tagged(&text.text).filter(|_| business.is_some()) {
            Some((_, rest)) => rest.to_owned(),
            None => text.text,
        };
        let event = ThreadEvent::Routed {
            unrouted,
            by: self.author(org, thread, by).await?,
        };
        let body = MessageBody {
            // The unrouted record has it.
            id: None,
            from: author,
            via: Via::Sms,
            text: said,
            photos: Vec::new(),
            media: text.media,
            seen: None,
            phone: from,
            rule: Some(Rule::ByHand),
            tag: None,
            texts: Vec::new(),
            copied_from: None,
        };
        let submitter = record.submitter.unwrap_or_else(|| by.submitter());
        let outcome = self.speak(org, thread, body, submitter, true).await?;
        self.enter(org, &Entry::Thread(event), Slip::internal(thread, Some(by.submitter())));
        self.open_mut(org).entered.routed.insert(unrouted, thread.clone());
        Ok(Ok(outcome))
    }

    async fn unrouted(&mut self, org: &OrgId, rev: i64) -> Result<Option<(Record, UnroutedBody)>> {
        let entered = self.orgs[org].entered.records.iter().find(|r| r.rev == rev);
        let record = match entered {
            Some(record) => Some(Record::clone(record)),
            None => copies::at_rev(self.store.connection(), org, rev).await?,
        };
        let Some(record) = record else { return Ok(None) };
        Ok(match Entry::parse(record.kind, &record.body_team)? {
            Entry::Unrouted(body) => Some((record, body)),
            _ => None,
        })
    }

    async fn routed(&mut self, org: &OrgId, unrouted: i64) -> Result<Option<ThreadId>> {
        match self.orgs[org].entered.routed.get(&unrouted) {
            Some(thread) => Ok(Some(thread.clone())),
            None => copies::routed(self.store.connection(), org, unrouted).await,
        }
    }
}
