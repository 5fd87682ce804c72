//! What happened in the CRM, told in the thread.

use anyhow::Result;

use super::say::id_reused;
use super::{Clerk, Slip, Store, appended, numbers};
use crate::domain::{Entry, MarkerBody, MarkerDraft, OrgId, Person, ThreadId};
use crate::ledger::Outcome;
use crate::ledger::writer::Answer;

impl<S: Store> Clerk<'_, S> {
    pub(super) async fn marker(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        by: &Person,
        draft: &MarkerDraft,
    ) -> Result<Answer> {
        let submitter = by.submitter();
        if let Some(first) = self.find(org, &submitter, &draft.id).await? {
            let is_same = match Entry::parse(first.kind, &first.body_team)? {
                Entry::Marker(body) => {
                    (body.text, body.link, body.public) == (draft.text.clone(), draft.link.clone(), draft.public)
                }
                _ => false,
            };
            return Ok(match is_same && first.thread.as_ref() == Some(thread) {
                true => Ok(Outcome::Duplicate(numbers(&first))),
                false => Err(id_reused()),
            });
        }
        if let Some(refusal) = self.closed(org, thread) {
            return Ok(Err(refusal));
        }
        let body = MarkerBody {
            id: Some(draft.id.clone()),
            text: draft.text.clone(),
            link: draft.link.clone(),
            public: draft.public,
            by: self.author(org, thread, by).await?,
            copied_from: None,
        };
        let slip = Slip {
            thread: Some(thread),
            submitter: Some(submitter),
            id: Some(&draft.id),
            public: true,
        };
        Ok(Ok(appended(&self.enter(org, &Entry::Marker(body), slip))))
    }
}
