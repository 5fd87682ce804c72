//! What was heard of a text: statuses only move forward, and each change of what people see is a record.

use anyhow::Result;

use super::{Clerk, Slip, Store, appended};
use crate::domain::{
    Attempt, AttemptId, AttemptState, ConsentBody, DeliveryBody, Entry, Failure, Leg, OrgId, Person, Refusal, Report,
    Retry, SmsState, Texts, ThreadId, leg_state,
};
use crate::ledger::Outcome;
use crate::ledger::writer::Answer;

/// Attempts at one part of a text that are made by themselves.
const ATTEMPTS: u32 = 3;
/// When somebody wants it to be sent again.
const AS_IT_WAS: Retry = Retry {
    after_ms: 0,
    without_media: false,
};

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn report(&mut self, org: &OrgId, id: &AttemptId, report: &Report) -> Result<Answer> {
        let Some(mut attempt) = self.attempt(org, id).await? else {
            return Ok(Err(Refusal::not_found()));
        };
        if let Some(sid) = report.sid()
            && attempt.sid.is_none()
            && self.is_bound(sid).await?
        {
            // Twilio's id belongs to another attempt: this report is not about ours.
            return Ok(Ok(Outcome::Unchanged));
        }
        if !attempt.hear(report) {
            return Ok(Ok(Outcome::Unchanged));
        }
        let before = self.leg(org, &attempt).await?;
        self.put(org, attempt.clone());
        if attempt.state == AttemptState::Delivered {
            self.call_off(org, &attempt, &before);
        }
        let failure = match report {
            Report::Failed { failure, .. } => Some(failure),
            _ => None,
        };
        let retry = failure.and_then(|failure| failure.retry);
        // Without photos there is nothing to leave out.
        let retry = retry.filter(|retry| !(retry.without_media && attempt.media.is_empty()));
        if let Some(retry) = retry.filter(|_| attempt.nth < ATTEMPTS) {
            self.try_again(org, &attempt, retry);
        }
        let outcome = self.enter_delivery(org, &attempt, &before, report, None).await?;
        if failure.is_some_and(|failure| failure.opted_out) {
            self.opted_out(org, &attempt).await?;
        }
        Ok(Ok(outcome))
    }

    /// Staff have a text sent again whose outcome is unknown, or that failed. `id` is the attempt that
    /// they saw: a second click finds that it has a successor.
    pub(super) async fn resend(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        id: &AttemptId,
        by: &Person,
    ) -> Result<Answer> {
        let Some(attempt) = self.attempt(org, id).await? else {
            return Ok(Err(Refusal::not_found()));
        };
        if attempt.message.as_ref().map(|(of, _)| of) != Some(thread) {
            return Ok(Err(Refusal::not_found()));
        }
        let before = self.leg(org, &attempt).await?;
        let newest = before
            .iter()
            .filter(|one| one.part == attempt.part)
            .map(|one| one.nth)
            .max();
        if newest > Some(attempt.nth) {
            return Ok(Ok(Outcome::Unchanged));
        }
        if !matches!(attempt.state, AttemptState::Unknown | AttemptState::Failed) {
            return Ok(Err(Refusal::bad_field(
                "attempt: only a text that failed, or whose outcome is unknown, is sent again",
            )));
        }
        let by = self.author(org, thread, by).await?;
        let next = self.try_again(org, &attempt, AS_IT_WAS);
        let report = Report::Uncertain;
        let outcome = self.enter_delivery(org, &next, &before, &report, Some(by)).await?;
        Ok(Ok(outcome))
    }

    fn try_again(&mut self, org: &OrgId, attempt: &Attempt, retry: Retry) -> Attempt {
        let mut next = Attempt {
            id: AttemptId::random(),
            // Behind everything that was said until now.
            rev: self.orgs[org].entered.head.rev + 1,
            nth: attempt.nth + 1,
            state: AttemptState::Due,
            due_at: self.now + retry.after_ms,
            queued_at: self.now,
            called_at: None,
            sid: None,
            ..attempt.clone()
        };
        if retry.without_media {
            next = next.without_media();
        }
        self.put(org, next.clone());
        next
    }

    /// It got through after all: what waits to be sent once more need not.
    fn call_off(&mut self, org: &OrgId, delivered: &Attempt, leg: &[Attempt]) {
        let waits = |one: &&Attempt| one.part == delivered.part && one.state == AttemptState::Due;
        for again in leg.iter().filter(waits) {
            self.put(
                org,
                Attempt {
                    state: AttemptState::Failed,
                    ..again.clone()
                },
            );
        }
    }

    async fn enter_delivery(
        &mut self,
        org: &OrgId,
        attempt: &Attempt,
        before: &[Attempt],
        report: &Report,
        by: Option<crate::domain::Author>,
    ) -> Result<Outcome> {
        let after = self.leg(org, attempt).await?;
        let (was, state) = (leg_state(before), leg_state(&after));
        let failure = match report {
            Report::Failed { failure, .. } => Some(failure),
            _ => None,
        };
        let is_resend = by.is_some();
        let body = DeliveryBody {
            of: attempt.message.as_ref().map(|(_, of)| *of),
            leg: attempt.leg,
            state,
            sentence: sentence(state, failure).filter(|_| attempt.leg == Leg::Customer),
            reason: reason(state, failure).filter(|_| !is_resend),
            to: attempt.to.clone(),
            status: status(report).filter(|_| !is_resend),
            code: failure.and_then(|failure| failure.code),
            sid: attempt.sid.clone(),
            attempt: Some(attempt.id.as_str().to_owned()),
            nth: Some(attempt.nth),
            part: attempt.part,
            parts: attempt.parts,
            by,
        };
        let Some((thread, of)) = &attempt.message else {
            let record = self.enter(org, &Entry::Delivery(body), Slip::of_org());
            return Ok(appended(&record));
        };
        if !self.load_thread(org, thread).await? {
            anyhow::bail!("an attempt is of thread {thread}, which is not there");
        }
        let slip = Slip {
            thread: Some(thread),
            submitter: None,
            id: None,
            // Of a text in parts the customer hears when all of it has moved on; and that it is tried
            // once more is no news.
            public: state != was && state != SmsState::Sending,
        };
        let record = self.enter(org, &Entry::Delivery(body), slip);
        if attempt.leg == Leg::Customer {
            let of = *of;
            self.amend(org, thread, |head| head.texted(of, state));
        }
        Ok(appended(&record))
    }

    /// Twilio says that this phone takes no texts from the number.
    async fn opted_out(&mut self, org: &OrgId, attempt: &Attempt) -> Result<()> {
        if self.is_off(org, &attempt.from, &attempt.to).await? {
            return Ok(());
        }
        let contacts = self.with_phone(org, &attempt.to).await?;
        let threads = contacts.into_iter().map(|contact| contact.thread).collect();
        let body = ConsentBody {
            texts: Texts::Off,
            phone: attempt.to.clone(),
            number: attempt.from.clone(),
            word: "21610".into(),
        };
        self.enter_consent(org, body, threads, None).await?;
        Ok(())
    }

    async fn attempt(&mut self, org: &OrgId, id: &AttemptId) -> Result<Option<Attempt>> {
        if let Some(attempt) = self.orgs[org].entered.attempts.get(id) {
            return Ok(Some(attempt.clone()));
        }
        let found = self.store.attempt(id).await?;
        Ok(found.filter(|attempt| attempt.org == *org))
    }

    async fn is_bound(&mut self, sid: &str) -> Result<bool> {
        let entered = self.orgs.values().flat_map(|open| open.entered.attempts.values());
        if entered.into_iter().any(|attempt| attempt.sid.as_deref() == Some(sid)) {
            return Ok(true);
        }
        self.store.has_sid(sid).await
    }

    /// All attempts at the same text, as they are now.
    async fn leg(&mut self, org: &OrgId, attempt: &Attempt) -> Result<Vec<Attempt>> {
        let Some((thread, of)) = &attempt.message else {
            let now = self.attempt(org, &attempt.id).await?;
            return Ok(now.into_iter().collect());
        };
        let mut attempts = self.store.attempts_of(org, thread, *of).await?;
        let entered = &self.orgs[org].entered.attempts;
        attempts.retain(|one| !entered.contains_key(&one.id));
        attempts.extend(entered.values().filter(|one| one.message == attempt.message).cloned());
        attempts.retain(|one| one.leg == attempt.leg && one.to == attempt.to);
        Ok(attempts)
    }

    fn put(&mut self, org: &OrgId, attempt: Attempt) {
        self.open_mut(org).entered.attempts.insert(attempt.id.clone(), attempt);
    }
}

fn status(report: &Report) -> Option<String> {
    match report {
        Report::Accepted { status, .. } | Report::Failed { status, .. } => Some(status.clone()),
        Report::Delivered { .. } => Some("delivered".into()),
        Report::Uncertain => Some("uncertain".into()),
        Report::Missing => Some("unknown".into()),
    }
}

/// What the customer is told.
fn sentence(state: SmsState, failure: Option<&Failure>) -> Option<String> {
    match (state, failure) {
        (SmsState::Failed, Some(failure)) => Some(failure.sentence.clone()),
        (SmsState::Failed, None) => Some("This message could not be texted to you in full.".into()),
        (SmsState::Unknown, _) => Some("It is not known whether this message reached your phone as a text.".into()),
        _ => None,
    }
}

/// What the team is told.
fn reason(state: SmsState, failure: Option<&Failure>) -> Option<String> {
    match (state, failure) {
        (_, Some(failure)) => Some(failure.reason.clone()),
        (SmsState::Unknown, None) => Some(
            "The connection broke while it was handed over, and nothing was found of it since. Sending it again may text it twice."
                .into(),
        ),
        _ => None,
    }
}
