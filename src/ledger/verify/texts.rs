//! Numbers, tags, and texts: what the log says was sent, and what was heard of it.

use super::Recount;
use crate::domain::{AttemptId, AttemptState, DeliveryBody, Leg, Phone, Record, Text, ThreadId, UnroutedBody};
use crate::ledger::Projections;
use crate::ledger::audit::Queued;

impl Recount {
    /// The texts that a message was sent on as, and the tag that it used.
    pub(super) fn take_texts(&mut self, thread: &ThreadId, record: &Record, tag: Option<i64>, texts: &[Text]) {
        if let Some(tag) = tag {
            self.expected.tags.insert(tag, (thread.clone(), record.at));
        }
        for text in texts {
            if text.leg == Leg::Copy {
                self.expected
                    .copied
                    .insert((text.to.clone(), thread.clone()), record.at);
            }
            let message = (thread.clone(), record.seq.unwrap_or(0));
            self.queue(record.rev, Some(message), text.leg, text.to.clone(), text.parts);
        }
    }

    fn queue(&mut self, rev: i64, message: Option<(ThreadId, i64)>, leg: Leg, to: Phone, parts: u32) {
        let Some(from) = self.expected.numbers.first().cloned() else {
            return self.differs(format!("rev {rev}: a text is sent, but there is no number"));
        };
        let queued = Queued { message, from, parts };
        self.expected.queued.insert((rev, leg, to), queued);
    }

    /// The answer to a text that could not be routed.
    pub(super) fn take_unrouted(&mut self, rev: i64, body: &UnroutedBody) {
        if let (Some(_), Ok(from)) = (&body.answer, Phone::parse(&body.from)) {
            self.queue(rev, None, Leg::Answer, from, 1);
        }
    }

    pub(super) fn take_delivery(&mut self, body: DeliveryBody) {
        let attempt = body.attempt.as_deref().and_then(AttemptId::parse);
        if let (Some(attempt), Some(status)) = (attempt, body.status) {
            let heard = (AttemptState::told(&status), body.sid);
            self.expected.heard.insert(attempt, heard);
        }
    }

    pub(super) fn compare_texts(&mut self, stored: &Projections, expected: &Projections) {
        self.expect("the number", &stored.numbers, &expected.numbers);
        self.each("tag", &stored.tags, &expected.tags);
        self.each("copy", &stored.copied, &expected.copied);
        self.each("consent", &stored.consents, &expected.consents);
        self.each("text", &stored.queued, &expected.queued);
        // A retry that was called off, because an earlier attempt was delivered after all, is in no record.
        let called_off = (AttemptState::Failed, None);
        let mut heard = stored.heard.clone();
        heard.retain(|attempt, now| *now != called_off || expected.heard.contains_key(attempt));
        self.each("attempt", &heard, &expected.heard);
    }
}
