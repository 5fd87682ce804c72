//! The one door: whether this person may do that here. What depends on what is already in the log is
//! the ledger's to say.

use std::sync::Arc;

use super::{Hub, unreadable};
use crate::auth::{Identity, Role};
use crate::domain::{
    AttemptId, Code, ContactDraft, ContactId, Draft, Mark, OrgId, OrgSettings, Person, PersonId, Received, Refusal,
    Report, Sub, ThreadId, Via, View,
};
use crate::ledger::{Command, Outcome, Pending};
use crate::protocol::{Business, Who, You};

/// Somebody who was let in.
#[derive(Debug, Clone)]
pub struct Guest {
    pub identity: Identity,
    pub person: Person,
    /// None for a service whose org does not exist yet.
    pub settings: Option<Arc<OrgSettings>>,
    /// A customer's own.
    thread: Option<ThreadId>,
    person_id: Option<PersonId>,
    contact_name: Option<String>,
}

impl Guest {
    pub fn is_team(&self) -> bool {
        self.identity.role != Role::Customer
    }

    pub fn view(&self) -> Result<View, Refusal> {
        let org = self.identity.org.clone();
        match (&self.person, &self.thread) {
            (Person::Customer { .. }, Some(thread)) => Ok(View::Customer {
                org,
                thread: thread.clone(),
            }),
            (Person::Customer { .. }, None) => Err(unknown_here()),
            _ if self.settings.is_none() => Err(unknown_here()),
            _ => Ok(View::Team { org }),
        }
    }

    /// The thread that a request is about. A customer may leave it out, and has no other.
    pub fn thread(&self, asked: Option<&str>) -> Result<ThreadId, Refusal> {
        match (&self.thread, asked) {
            (Some(own), None) => Ok(own.clone()),
            (Some(own), Some(asked)) if own.as_str() == asked => Ok(own.clone()),
            (None, Some(asked)) => ThreadId::parse(asked).map_err(|_| Refusal::not_found()),
            (None, None) => Err(Refusal::new(Code::BadField, "name the thread")),
            (Some(_), Some(_)) => Err(Refusal::not_found()),
        }
    }

    /// As the team sees them in `typing` and `presence`. A service is nobody who is here.
    pub fn who(&self) -> Option<Who> {
        match &self.person {
            Person::Customer { contact } => Some(Who {
                kind: "customer".into(),
                name: self.contact_name.clone().unwrap_or_default(),
                sub: None,
                contact: Some(contact.to_string()),
            }),
            Person::Staff { sub, name } => Some(Who {
                kind: "staff".into(),
                name: name.clone(),
                sub: Some(sub.to_string()),
                contact: None,
            }),
            Person::Service { .. } | Person::Ai { .. } => None,
        }
    }

    /// As the customer sees a typing staff member.
    pub(super) fn shown(&self) -> Option<Who> {
        match (&self.person, &self.settings) {
            (Person::Staff { name, .. }, Some(settings)) => Some(Who {
                kind: "staff".into(),
                name: settings.shown(name),
                sub: None,
                contact: None,
            }),
            _ => None,
        }
    }

    pub fn you(&self) -> You {
        You {
            role: match self.identity.role {
                Role::Customer => "customer",
                Role::Staff => "staff",
                Role::Service => "service",
            },
            org: self.identity.org.to_string(),
            sub: self.identity.sub.to_string(),
            name: self.contact_name.clone().unwrap_or_else(|| self.identity.name.clone()),
            id: self.person_id.as_ref().map(PersonId::to_string),
            contact: self.identity.contact.as_ref().map(ContactId::to_string),
            thread: self.thread.as_ref().map(ThreadId::to_string),
        }
    }

    /// Whether the org lists a site.
    pub fn lists_origin(&self, origin: &str) -> bool {
        let settings = self.settings.as_ref();
        settings.is_some_and(|settings| settings.origins.iter().any(|listed| listed == origin))
    }

    /// What pages show of the org, customers' too.
    pub fn business(&self) -> Option<Business> {
        self.settings.as_ref().map(|settings| Business {
            name: settings.name.clone(),
            color: settings.color.clone(),
        })
    }

    pub(super) fn team(&self) -> Result<(), Refusal> {
        if self.is_team() {
            return Ok(());
        }
        Err(forbidden())
    }

    pub(super) fn only(&self, role: Role) -> Result<(), Refusal> {
        if self.identity.role == role {
            return Ok(());
        }
        Err(forbidden())
    }
}

pub(super) fn forbidden() -> Refusal {
    Refusal::new(Code::Forbidden, "your role may not do this")
}

fn unknown_here() -> Refusal {
    Refusal::new(Code::Forbidden, "the token names an org or a contact that is not here")
}

impl Hub {
    /// Lets in whoever a valid token speaks for, if org and contact exist and the token is not revoked.
    pub async fn admit(&self, identity: Identity) -> Result<Guest, Refusal> {
        let found = self
            .shared
            .ledger
            .admit(&identity.org, &identity.sub, identity.contact.as_ref())
            .await;
        let admission = found.map_err(|error| unreadable(&error))?;
        let revoked_before = admission.as_ref().and_then(|admission| admission.revoked_before);
        if revoked_before.is_some_and(|before| identity.iat <= before) {
            return Err(Refusal::new(
                Code::RevokedToken,
                "this token was revoked; sign in again",
            ));
        }
        if admission.is_none() && identity.role != Role::Service {
            return Err(unknown_here());
        }
        let (settings, contact, person_id) = match admission {
            Some(admission) => (Some(Arc::new(admission.settings)), admission.contact, admission.person),
            None => (None, None, None),
        };
        let person = match (identity.role, &identity.contact) {
            (Role::Customer, Some(id)) if contact.is_some() => Person::Customer { contact: id.clone() },
            (Role::Customer, _) => return Err(unknown_here()),
            (Role::Staff, _) => Person::Staff {
                sub: identity.sub.clone(),
                name: identity.name.clone(),
            },
            (Role::Service, _) => Person::Service {
                sub: identity.sub.clone(),
                name: identity.name.clone(),
            },
        };
        Ok(Guest {
            person,
            settings,
            thread: contact.as_ref().map(|contact| contact.thread.clone()),
            person_id: match &contact {
                Some(contact) => Some(contact.person.clone()),
                None => person_id,
            },
            contact_name: contact.map(|contact| contact.name),
            identity,
        })
    }

    /// A message, or a note. Queued in the order of the calls.
    pub fn say(&self, guest: &Guest, thread: Option<&str>, draft: Draft) -> Result<Pending, Refusal> {
        let thread = guest.thread(thread)?;
        if draft.internal {
            guest.team()?;
        }
        let via = if guest.is_team() { Via::Crm } else { Via::Portal };
        Ok(self.shared.ledger.submit(Command::Say {
            org: guest.identity.org.clone(),
            thread,
            by: guest.person.clone(),
            via,
            draft,
        }))
    }

    /// That everything up to a seq was delivered, or read. None if this node knows it already.
    pub fn mark(
        &self,
        guest: &Guest,
        thread: Option<&str>,
        mark: Mark,
        up_to: i64,
    ) -> Result<Option<impl Future<Output = Result<(), Refusal>> + use<>>, Refusal> {
        let thread = guest.thread(thread)?;
        if matches!(guest.person, Person::Service { .. }) {
            return Err(forbidden());
        }
        if up_to < 0 {
            return Err(Refusal::new(Code::BadField, "up_to: a seq is not negative"));
        }
        // Delivered is the side's, read is the person's.
        let reader = match mark {
            Mark::Delivered => format!("{:?}", guest.person.side()),
            Mark::Read => guest.person.submitter(),
        };
        let Some(room) = self.room(&guest.identity.org) else {
            return Ok(None);
        };
        if !room.advances(&thread, &reader, mark, up_to) {
            return Ok(None);
        }
        let pending = self.shared.ledger.submit(Command::Mark {
            org: guest.identity.org.clone(),
            thread: thread.clone(),
            by: guest.person.clone(),
            mark,
            up_to,
        });
        Ok(Some(async move {
            let outcome = pending.await;
            if outcome.is_err() {
                room.forget_mark(&thread, &reader, mark);
            }
            outcome.map(|_| ())
        }))
    }

    pub fn handled(&self, guest: &Guest, thread: &str, seen: i64) -> Result<Pending, Refusal> {
        guest.team()?;
        let thread = guest.thread(Some(thread))?;
        if seen < 0 {
            return Err(Refusal::new(Code::BadField, "seen: a seq is not negative"));
        }
        Ok(self.shared.ledger.submit(Command::Handle {
            org: guest.identity.org.clone(),
            thread,
            by: guest.person.clone(),
            seen,
        }))
    }

    /// A text that came in: whoever holds the phone is let in by the line's signature alone, and may do
    /// no more than say something.
    pub fn receive(&self, org: OrgId, text: Received) -> Pending {
        self.shared.ledger.submit(Command::Receive { org, text })
    }

    /// What was heard of a text that went out.
    pub fn report(&self, org: OrgId, attempt: AttemptId, report: Report) -> Pending {
        self.shared.ledger.submit(Command::Report { org, attempt, report })
    }

    /// A text that failed, or whose outcome is unknown, is sent once more because staff say so.
    pub fn resend(&self, guest: &Guest, thread: &str, attempt: &str) -> Result<Pending, Refusal> {
        guest.team()?;
        let attempt = AttemptId::parse(attempt).ok_or_else(Refusal::not_found)?;
        Ok(self.shared.ledger.submit(Command::Resend {
            org: guest.identity.org.clone(),
            thread: guest.thread(Some(thread))?,
            by: guest.person.clone(),
            attempt,
        }))
    }

    pub async fn put_org(&self, guest: &Guest, org: &OrgId, settings: OrgSettings) -> Result<(), Refusal> {
        self.service_of(guest, org)?;
        settings.check()?;
        let org = org.clone();
        self.shared.ledger.submit(Command::PutOrg { org, settings }).await?;
        self.shared.sites.changed();
        Ok(())
    }

    pub fn put_contact(
        &self,
        guest: &Guest,
        org: &OrgId,
        contact: ContactId,
        draft: ContactDraft,
    ) -> Result<Pending, Refusal> {
        self.service_of(guest, org)?;
        draft.check()?;
        Ok(self.shared.ledger.submit(Command::PutContact {
            org: org.clone(),
            contact,
            draft,
        }))
    }

    /// A conversation with somebody whom the CRM does not know yet.
    pub fn new_contact(&self, guest: &Guest, draft: ContactDraft) -> Result<Pending, Refusal> {
        guest.team()?;
        draft.check()?;
        Ok(self.shared.ledger.submit(Command::NewContact {
            org: guest.identity.org.clone(),
            by: guest.person.clone(),
            draft,
        }))
    }

    /// From when on the sub's older tokens are refused, in seconds.
    pub async fn revoke(&self, guest: &Guest, sub: Sub) -> Result<i64, Refusal> {
        guest.only(Role::Service)?;
        let org = guest.identity.org.clone();
        match self.shared.ledger.submit(Command::Revoke { org, sub }).await? {
            Outcome::Revoked { before } => Ok(before),
            other => unreachable!("a revocation's outcome is {other:?}"),
        }
    }

    /// Whether a token may be made for this person: a customer's contact must exist. Returns until when,
    /// in seconds, the sub's older tokens are revoked.
    pub async fn vouch(&self, guest: &Guest, identity: &Identity) -> Result<Option<i64>, Refusal> {
        guest.only(Role::Service)?;
        if identity.role == Role::Service {
            return Err(Refusal::new(
                Code::Forbidden,
                "service tokens are made with `crewline token`",
            ));
        }
        let found = self
            .shared
            .ledger
            .admit(&identity.org, &identity.sub, identity.contact.as_ref())
            .await;
        match found.map_err(|error| unreadable(&error))? {
            Some(admission) if identity.contact.is_none() || admission.contact.is_some() => {
                Ok(admission.revoked_before)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// A service acts in its own org alone; any other answers as if it were not there.
    fn service_of(&self, guest: &Guest, org: &OrgId) -> Result<(), Refusal> {
        if guest.identity.org != *org {
            return Err(Refusal::not_found());
        }
        guest.only(Role::Service)
    }
}
