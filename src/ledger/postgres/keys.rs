//! What a batch will ask for, as lists of keys: each list is looked up by one statement.

use std::collections::BTreeSet;

use crate::domain::{AttemptId, ContactId, Mark, OrgId, Person, Sub, ThreadId};
use crate::ledger::Command;

/// Sorted and without repeats.
#[derive(Default)]
pub(super) struct Keys {
    pub orgs: BTreeSet<OrgId>,
    /// Orgs that the batch makes, if they are not there yet.
    pub made: BTreeSet<OrgId>,
    pub threads: BTreeSet<(OrgId, ThreadId)>,
    /// Threads that something is said in, which may be carried on as texts.
    pub said: BTreeSet<(OrgId, ThreadId)>,
    pub contacts: BTreeSet<(OrgId, ContactId)>,
    pub people: BTreeSet<(OrgId, Sub)>,
    pub reads: BTreeSet<(OrgId, ThreadId, Sub)>,
    pub revocations: BTreeSet<(OrgId, Sub)>,
    /// Submitter and id.
    pub ids: BTreeSet<(OrgId, String, String)>,
    pub seqs: BTreeSet<(OrgId, ThreadId, i64)>,
    pub attempts: BTreeSet<(OrgId, AttemptId)>,
    /// Twilio's ids of texts.
    pub sids: BTreeSet<String>,
}

impl Keys {
    pub fn of(batch: &[&Command]) -> Self {
        let mut keys = Self::default();
        for command in batch {
            keys.add(command);
        }
        keys
    }

    fn add(&mut self, command: &Command) {
        let org = command.org();
        self.orgs.insert(org.clone());
        match command {
            Command::Say { thread, by, draft, .. } => {
                self.thread(org, thread, by);
                self.said.insert((org.clone(), thread.clone()));
                let id = draft.id.as_str().to_owned();
                self.ids.insert((org.clone(), by.submitter(), id));
            }
            Command::Mark {
                thread,
                by,
                mark,
                up_to,
                ..
            } => {
                self.thread(org, thread, by);
                // The one before, too: by both it is known whether this is a message of the other side.
                self.seqs.insert((org.clone(), thread.clone(), *up_to));
                self.seqs.insert((org.clone(), thread.clone(), *up_to - 1));
                if let (Mark::Read, Person::Staff { sub, .. }) = (mark, by) {
                    self.reads.insert((org.clone(), thread.clone(), sub.clone()));
                }
            }
            Command::Handle { thread, by, seen, .. } => {
                self.thread(org, thread, by);
                self.seqs.insert((org.clone(), thread.clone(), *seen));
            }
            Command::HandOff { by, draft, .. } => {
                self.person(org, by);
                self.ids.insert((org.clone(), by.submitter(), draft.id.clone()));
                if let Some(contact) = &draft.contact {
                    self.contacts.insert((org.clone(), contact.clone()));
                }
            }
            Command::Marker { thread, by, draft, .. } => {
                self.thread(org, thread, by);
                self.ids.insert((org.clone(), by.submitter(), draft.id.clone()));
            }
            Command::Attach {
                thread, by, contact, ..
            } => {
                self.thread(org, thread, by);
                self.contacts.insert((org.clone(), contact.clone()));
            }
            Command::Route { thread, by, .. } => self.thread(org, thread, by),
            Command::Receive { text, .. } => {
                let id = text.id.as_str().to_owned();
                self.ids.insert((org.clone(), text.submitter(), id));
            }
            Command::Report { attempt, report, .. } => {
                self.attempts.insert((org.clone(), attempt.clone()));
                self.sids.extend(report.sid().map(str::to_owned));
            }
            // What it is about is found by its row.
            Command::Fetch { .. } => {}
            Command::Resend {
                thread, by, attempt, ..
            } => {
                self.thread(org, thread, by);
                self.attempts.insert((org.clone(), attempt.clone()));
            }
            Command::PutOrg { .. } => {
                self.made.insert(org.clone());
            }
            Command::PutContact { contact, .. } => {
                self.contacts.insert((org.clone(), contact.clone()));
            }
            Command::NewContact { by, .. } => self.person(org, by),
            Command::Revoke { sub, .. } => {
                self.revocations.insert((org.clone(), sub.clone()));
            }
        }
    }

    fn thread(&mut self, org: &OrgId, thread: &ThreadId, by: &Person) {
        self.threads.insert((org.clone(), thread.clone()));
        self.person(org, by);
    }

    fn person(&mut self, org: &OrgId, by: &Person) {
        if let Person::Staff { sub, .. } | Person::Service { sub, .. } | Person::Ai { sub, .. } = by {
            self.people.insert((org.clone(), sub.clone()));
        }
    }

    /// Leaves only what belongs to the orgs that are locked.
    pub fn keep(&mut self, locked: impl Fn(&OrgId) -> bool) {
        self.threads.retain(|(org, ..)| locked(org));
        self.said.retain(|(org, ..)| locked(org));
        self.contacts.retain(|(org, ..)| locked(org));
        self.people.retain(|(org, ..)| locked(org));
        self.reads.retain(|(org, ..)| locked(org));
        self.revocations.retain(|(org, ..)| locked(org));
        self.ids.retain(|(org, ..)| locked(org));
        self.seqs.retain(|(org, ..)| locked(org));
        self.attempts.retain(|(org, ..)| locked(org));
    }
}
