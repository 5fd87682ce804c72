//! The door for looking: each answer is of the asker's own view.

use std::time::Duration;

use super::{Guest, Hub, unreadable};
use crate::auth::Role;
use crate::domain::{Code, Contact, Entry, OrgId, Page, Phone, Piece, Record, Refusal, Seek, ThreadId, View};
use crate::ledger::{Find, Inbox, InboxFilter, Place, ThreadState};

/// Records in one answer of `GET /v1/log`.
const LOG_PAGE: u32 = 500;
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
const INBOX_PAGE: u32 = 50;
const LONGEST_PAGE: i64 = 200;
const PAGE: i64 = 50;
const HITS: usize = 20;
const CONTACTS: u32 = 20;
const LONGEST_NAME: usize = 200;

/// A page of the inbox and where the next one begins.
#[derive(Debug)]
pub struct InboxPage {
    pub inbox: Inbox,
    pub next: Option<i64>,
}

/// What was found, and where the next page begins.
#[derive(Debug)]
pub struct Hits {
    pub hits: Vec<Hit>,
    pub next: Option<Place>,
}

#[derive(Debug)]
pub struct Hit {
    pub record: std::sync::Arc<Record>,
    pub contact: Contact,
    /// The part of it that was found, as the guest's view has it.
    pub pieces: Vec<Piece>,
}

/// Records of the whole org, for the CRM's backend.
#[derive(Debug)]
pub struct LogPage {
    pub records: Vec<std::sync::Arc<Record>>,
    pub cursor: i64,
    pub head: i64,
    pub log: String,
}

impl Hub {
    /// A page of a thread, by numbers of the guest's own view.
    pub async fn history(
        &self,
        guest: &Guest,
        thread: Option<&str>,
        seek: Seek,
        limit: Option<i64>,
    ) -> Result<(ThreadId, Page), Refusal> {
        let view = guest.view()?;
        let thread = guest.thread(thread)?;
        let limit = limit.unwrap_or(PAGE);
        if !(1..=LONGEST_PAGE).contains(&limit) {
            return Err(Refusal::new(Code::BadField, format!("limit: 1 to {LONGEST_PAGE}")));
        }
        let read = self.shared.ledger.history(&view, &thread, seek, limit as u32).await;
        let page = read.map_err(|error| unreadable(&error))?;
        if page.records.is_empty() && guest.is_team() {
            // A thread begins with its contact's record, so an empty page may mean that there is none.
            self.thread_exists(view.org(), &thread).await?;
        }
        Ok((thread, page))
    }

    pub async fn inbox(&self, guest: &Guest, filter: InboxFilter, before: Option<i64>) -> Result<InboxPage, Refusal> {
        let View::Team { org } = guest.view()? else {
            return Err(Refusal::new(Code::Forbidden, "the inbox is the team's"));
        };
        let read = self.shared.ledger.inbox(&org, filter, before, INBOX_PAGE + 1).await;
        let mut inbox = read.map_err(|error| unreadable(&error))?;
        let more = inbox.rows.len() > INBOX_PAGE as usize;
        inbox.rows.truncate(INBOX_PAGE as usize);
        let next = inbox.rows.last().filter(|_| more).map(|row| row.head.active);
        Ok(InboxPage { inbox, next })
    }

    /// Contacts by a part of their name or phone, or by their id.
    pub async fn contacts(&self, guest: &Guest, like: &str) -> Result<Vec<Contact>, Refusal> {
        let View::Team { org } = guest.view()? else {
            return Err(Refusal::new(Code::Forbidden, "contacts are the team's"));
        };
        if like.chars().count() > LONGEST_NAME {
            return Err(Refusal::new(
                Code::BadField,
                format!("q: at most {LONGEST_NAME} characters"),
            ));
        }
        let read = self.shared.ledger.contacts(&org, like.trim(), CONTACTS).await;
        read.map_err(|error| unreadable(&error))
    }

    /// Texts that reached no thread, the newest first.
    pub async fn unrouted(&self, guest: &Guest, before: Option<i64>) -> Result<Page, Refusal> {
        let View::Team { org } = guest.view()? else {
            return Err(Refusal::new(Code::Forbidden, "what is not routed yet is the team's"));
        };
        let read = self.shared.ledger.unrouted(&org, before, PAGE as u32).await;
        read.map_err(|error| unreadable(&error))
    }

    /// What was said in the org; for a customer, in the own thread.
    pub async fn search(&self, guest: &Guest, find: &Find) -> Result<Hits, Refusal> {
        let view = guest.view()?;
        let read = self.shared.ledger.search(&view, find, HITS).await;
        let found = read.map_err(|error| unreadable(&error))?;
        let hits = found.hits.into_iter().filter_map(|(record, contact)| {
            let said = Entry::parse(record.kind, &record.body_team).ok()?.searchable()?;
            let text = match &view {
                View::Team { .. } => said.team,
                View::Customer { .. } => said.public?,
            };
            Some(Hit {
                pieces: find.query.pieces(&text),
                record,
                contact,
            })
        });
        Ok(Hits {
            hits: hits.collect(),
            next: found.next,
        })
    }

    /// Business phones that have asked for no more texts: they get no copies.
    pub async fn stopped(&self, guest: &Guest) -> Result<Vec<Phone>, Refusal> {
        let View::Team { org } = guest.view()? else {
            return Err(Refusal::new(Code::Forbidden, "the line is the team's"));
        };
        let read = self.shared.ledger.stopped(&org).await;
        let mut stopped = read.map_err(|error| unreadable(&error))?;
        let ours = guest.settings.as_deref().map(|settings| &settings.business_phones);
        stopped.retain(|phone| ours.is_some_and(|ours| ours.contains(phone)));
        Ok(stopped)
    }

    pub async fn thread(&self, guest: &Guest, thread: &str) -> Result<ThreadState, Refusal> {
        let view = guest.view()?;
        let thread = guest.thread(Some(thread))?;
        self.thread_state(view.org(), &thread).await
    }

    /// Records after a rev. With `wait`, an answer without any is held back until there is one.
    pub async fn log_after(&self, guest: &Guest, after: i64, wait: Duration) -> Result<LogPage, Refusal> {
        let view = guest.view()?;
        if guest.identity.role != Role::Service {
            return Err(Refusal::new(
                Code::Forbidden,
                "the log is for the CRM's backend: a service token",
            ));
        }
        if after < 0 {
            return Err(Refusal::new(Code::BadField, "after: a rev is not negative"));
        }
        if !wait.is_zero() {
            let mut last = self.started_room(view.org()).await?.last();
            // An empty page is an answer too, when time is up or the node is.
            tokio::select! {
                _ = last.wait_for(|last| *last > after) => {}
                () = tokio::time::sleep(wait.min(LONGEST_WAIT)) => {}
                () = self.shared.draining.cancelled() => {}
            }
        }
        let read = self.shared.ledger.after(&view, after, LOG_PAGE).await;
        let slice = read.map_err(|error| unreadable(&error))?;
        let head = self.view_head(&view).await?.number;
        if after > head {
            return Err(Refusal::new(Code::PastEnd, format!("after: the log ends at {head}")));
        }
        Ok(LogPage {
            cursor: slice.records.last().map_or(after, |record| record.rev),
            records: slice.records,
            head,
            log: self.log().to_string(),
        })
    }

    /// Whether the ledger answers.
    pub async fn is_ready(&self) -> bool {
        self.shared.ledger.log_id().await.is_ok()
    }

    pub(super) async fn thread_exists(&self, org: &OrgId, thread: &ThreadId) -> Result<(), Refusal> {
        self.thread_state(org, thread).await.map(|_| ())
    }

    async fn thread_state(&self, org: &OrgId, thread: &ThreadId) -> Result<ThreadState, Refusal> {
        let read = self.shared.ledger.thread(org, thread).await;
        read.map_err(|error| unreadable(&error))?.ok_or_else(Refusal::not_found)
    }
}
