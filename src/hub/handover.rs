//! The door for what is handed over: a call by the AI receptionist, an event by the CRM, and by the team
//! what no rule could put where it belongs.

use super::{Guest, Hub};
use crate::auth::Role;
use crate::domain::{Code, ContactId, Draft, HandoffDraft, MarkerDraft, Person, Refusal, Via};
use crate::ledger::{Command, Pending};

impl Hub {
    /// The AI receptionist hands a call over.
    pub fn hand_off(&self, guest: &Guest, draft: HandoffDraft) -> Result<Pending, Refusal> {
        Ok(self.shared.ledger.submit(Command::HandOff {
            org: guest.identity.org.clone(),
            by: receptionist(guest)?,
            draft: draft.checked()?,
        }))
    }

    /// A message of the AI receptionist, which says what it had seen.
    pub fn say_as_ai(&self, guest: &Guest, thread: &str, draft: Draft) -> Result<Pending, Refusal> {
        let by = receptionist(guest)?;
        if draft.internal || draft.seen.is_none() {
            return Err(Refusal::new(
                Code::BadField,
                "seen: the AI names the last seq that it has seen, and writes no notes",
            ));
        }
        Ok(self.shared.ledger.submit(Command::Say {
            org: guest.identity.org.clone(),
            thread: guest.thread(Some(thread))?,
            by,
            via: Via::Ai,
            draft,
        }))
    }

    pub fn marker(&self, guest: &Guest, thread: &str, draft: MarkerDraft) -> Result<Pending, Refusal> {
        guest.only(Role::Service)?;
        draft.check()?;
        Ok(self.shared.ledger.submit(Command::Marker {
            org: guest.identity.org.clone(),
            thread: guest.thread(Some(thread))?,
            by: guest.person.clone(),
            draft,
        }))
    }

    /// The thread of an unknown number is this contact's.
    pub fn attach(&self, guest: &Guest, thread: &str, contact: &str, seen: Option<i64>) -> Result<Pending, Refusal> {
        guest.team()?;
        if seen.is_some_and(|seen| seen < 0) {
            return Err(Refusal::new(Code::BadField, "seen: a seq is not negative"));
        }
        Ok(self.shared.ledger.submit(Command::Attach {
            org: guest.identity.org.clone(),
            thread: guest.thread(Some(thread))?,
            by: guest.person.clone(),
            contact: ContactId::parse(contact)?,
            seen,
        }))
    }

    /// The unrouted text of this rev belongs to this thread.
    pub fn route(&self, guest: &Guest, unrouted: i64, thread: &str) -> Result<Pending, Refusal> {
        guest.team()?;
        Ok(self.shared.ledger.submit(Command::Route {
            org: guest.identity.org.clone(),
            thread: guest.thread(Some(thread))?,
            by: guest.person.clone(),
            unrouted,
        }))
    }
}

/// For whom a service speaks here.
fn receptionist(guest: &Guest) -> Result<Person, Refusal> {
    guest.only(Role::Service)?;
    Ok(Person::Ai {
        sub: guest.identity.sub.clone(),
        name: guest.identity.name.clone(),
    })
}
