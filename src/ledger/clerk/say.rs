//! Messages and notes.

use anyhow::Result;

use super::marks::past_end;
use super::{Clerk, Slip, Store, appended, numbers};
use crate::domain::{
    Code, Draft, Entry, Handler, Kind, MessageBody, NoteBody, OrgId, Person, Record, Refusal, ThreadId, Via,
};
use crate::ledger::Outcome;
use crate::ledger::writer::Answer;

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn say(
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
        if let Some(refusal) = self.closed(org, thread) {
            return Ok(Err(refusal));
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
        if matches!(by, Person::Ai { .. }) && head.handler == Handler::Human {
            return Ok(Err(Refusal::new(
                Code::Forbidden,
                "a person answers in this thread; the AI may after its next hand-off",
            )));
        }
        let photos = match self.photos(org, &submitter, &draft.photos).await? {
            Ok(photos) => photos,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let from = self.author(org, thread, by).await?;
        let id = draft.id.as_str();
        if draft.internal {
            let body = NoteBody {
                id: Some(id.to_owned()),
                from,
                text: draft.text.clone(),
                photos,
                copied_from: None,
            };
            let slip = Slip {
                id: Some(id),
                ..Slip::internal(thread, Some(submitter))
            };
            let record = self.enter(org, &Entry::Note(body), slip);
            return Ok(Ok(appended(&record)));
        }
        let body = MessageBody {
            id: Some(id.to_owned()),
            from,
            via,
            text: draft.text.clone(),
            photos,
            media: Vec::new(),
            seen: draft.seen,
            phone: None,
            rule: None,
            tag: None,
            texts: Vec::new(),
            copied_from: None,
        };
        self.speak(org, thread, body, submitter, true).await.map(Ok)
    }

    /// The record of (submitter, id), from this batch or from before.
    pub(super) async fn find(&mut self, org: &OrgId, submitter: &str, id: &str) -> Result<Option<Record>> {
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
    pub(super) async fn stale(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        seen: i64,
        submitter: &str,
    ) -> Result<Option<Refusal>> {
        let mut others = self.store.others_after(org, thread, seen, submitter).await?;
        let entered = self.orgs[org].entered.records.iter().filter(|r| {
            r.thread.as_ref() == Some(thread)
                && matches!(r.kind, Kind::Message | Kind::Handoff)
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
}

/// The answer to an id that was used before.
fn repeated(first: &Record, thread: &ThreadId, draft: &Draft) -> Answer {
    let said = match Entry::parse(first.kind, &first.body_team) {
        Ok(Entry::Message(body)) if !draft.internal => Some((body.text, body.photos)),
        Ok(Entry::Note(body)) if draft.internal => Some((body.text, body.photos)),
        _ => None,
    };
    let same =
        said.is_some_and(|(text, photos)| text == draft.text && photos.iter().map(|photo| &photo.id).eq(&draft.photos));
    if first.thread.as_ref() == Some(thread) && same {
        return Ok(Outcome::Duplicate(numbers(first)));
    }
    Err(id_reused())
}

pub(super) fn id_reused() -> Refusal {
    Refusal::new(Code::IdReused, "this id was used for something else; take a new one")
}
