//! A message, however it came, and in the same transaction the texts that carry it on.

use std::sync::Arc;

use anyhow::Result;

use super::texts::{Held, Plan, PlannedLeg};
use super::{Clerk, Slip, Store, appended};
use crate::domain::{
    Author, AuthorKind, DeliveryBody, Entry, Handler, Leg, MessageBody, OrgId, Phone, Record, SmsState, ThreadEvent,
    ThreadId,
};
use crate::ledger::Outcome;

impl<S: Store> Clerk<'_, S> {
    /// Appends `body`, of which `tag` and `texts` are decided here: none unless it is to be carried on.
    pub(super) async fn speak(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        mut body: MessageBody,
        submitter: String,
        carry_on: bool,
    ) -> Result<Outcome> {
        let head = self.head(org, thread).clone();
        let answers = (body.from.kind == AuthorKind::Staff).then_some(body.seen.unwrap_or(head.seq));
        let next = match answers {
            Some(seen) => self.first_customer_after(org, thread, seen).await?,
            None => None,
        };
        let plan = match carry_on {
            true => self.plan(org, thread, &body).await?,
            false => Plan::default(),
        };
        body.tag = plan.tag.or(body.tag);
        body.texts = plan.texts();
        let tag = body.tag;
        let (id, side) = (body.id.clone(), body.from.side());
        let person = (body.from.kind == AuthorKind::Staff).then(|| body.from.clone());
        let slip = Slip {
            thread: Some(thread),
            submitter: Some(submitter),
            id: id.as_deref(),
            public: true,
        };
        let record = self.enter(org, &Entry::Message(body), slip);
        self.amend(org, thread, |head| {
            head.said(side, head.seq, record.at);
            if let Some(seen) = answers {
                head.answered(seen, next);
            }
        });
        if let Some(tag) = tag {
            self.open_mut(org).entered.tags.insert(tag, (thread.clone(), record.at));
        }
        self.send_on(org, thread, &record, plan.legs);
        if let Some(by) = person.filter(|_| head.handler == Handler::Ai) {
            self.take_over(org, thread, by);
        }
        Ok(appended(&record))
    }

    /// Queues the legs of what was just appended, or says why not.
    pub(super) fn send_on(&mut self, org: &OrgId, thread: &ThreadId, record: &Arc<Record>, legs: Vec<PlannedLeg>) {
        let of = record.seq.unwrap_or_default();
        for leg in legs {
            match leg.held {
                None => self.queue_message(org, thread, record, leg),
                Some(held) => self.hold(org, thread, of, leg.leg, leg.to, held),
            }
        }
    }

    /// A person wrote: the AI answers no more.
    fn take_over(&mut self, org: &OrgId, thread: &ThreadId, by: Author) {
        let handler = Handler::Human;
        let event = ThreadEvent::Handler { handler, by };
        self.enter(org, &Entry::Thread(event), Slip::internal(thread, None));
        self.amend(org, thread, |head| head.handler = handler);
    }

    /// Says in the log that a leg was not even tried.
    fn hold(&mut self, org: &OrgId, thread: &ThreadId, of: i64, leg: Leg, to: Phone, held: Held) {
        let body = DeliveryBody {
            of: Some(of),
            leg,
            state: SmsState::NotTexted,
            sentence: (leg == Leg::Customer).then(|| held.sentence().to_owned()),
            reason: Some(held.reason().to_owned()),
            to,
            status: None,
            code: None,
            sid: None,
            attempt: None,
            nth: None,
            part: 1,
            parts: 1,
            by: None,
        };
        let slip = Slip {
            thread: Some(thread),
            submitter: None,
            id: None,
            public: true,
        };
        self.enter(org, &Entry::Delivery(body), slip);
    }
}
