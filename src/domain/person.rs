//! Who does things, and how they are shown.

use serde::{Deserialize, Serialize};

use super::{Contact, ContactId, PersonId, Sub};

/// The two sides of a thread. Everything that is not the customer is the team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Customer,
    Team,
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Side::Customer => Side::Team,
            Side::Team => Side::Customer,
        }
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Person {
    Customer {
        contact: ContactId,
    },
    Staff {
        sub: Sub,
        name: String,
    },
    /// The CRM's own backend.
    Service {
        sub: Sub,
        name: String,
    },
    /// The AI receptionist, for which the CRM's backend speaks.
    Ai {
        sub: Sub,
        name: String,
    },
}

impl Person {
    pub fn side(&self) -> Side {
        match self {
            Person::Customer { .. } => Side::Customer,
            Person::Staff { .. } | Person::Service { .. } | Person::Ai { .. } => Side::Team,
        }
    }

    /// Within (org, submitter) a client's ids are unique for ever. The prefix keeps a contact and a
    /// staff member of the same name apart.
    pub fn submitter(&self) -> String {
        match self {
            Person::Customer { contact } => format!("contact:{contact}"),
            Person::Staff { sub, .. } | Person::Service { sub, .. } | Person::Ai { sub, .. } => format!("sub:{sub}"),
        }
    }
}

/// A person as frozen into a record. Customers get [`Author::public`] of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// `customer`, `staff`, `ai` or `system`.
    pub kind: AuthorKind,
    /// The true name.
    pub name: String,
    pub id: PersonId,
    /// What the customer sees instead of the true name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Sub>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    Customer,
    Staff,
    Ai,
    System,
}

/// An author as the customer sees them.
#[derive(Serialize)]
pub struct PublicAuthor<'a> {
    kind: AuthorKind,
    name: &'a str,
    id: &'a PersonId,
}

impl Author {
    pub fn customer(contact: &Contact) -> Self {
        Self {
            kind: AuthorKind::Customer,
            name: contact.name.clone(),
            id: contact.person.clone(),
            shown: None,
            sub: None,
            contact: Some(contact.id.clone()),
        }
    }

    pub fn side(&self) -> Side {
        match self.kind {
            AuthorKind::Customer => Side::Customer,
            AuthorKind::Staff | AuthorKind::Ai | AuthorKind::System => Side::Team,
        }
    }

    pub fn public(&self) -> PublicAuthor<'_> {
        PublicAuthor {
            kind: self.kind,
            name: self.shown.as_deref().unwrap_or(&self.name),
            id: &self.id,
        }
    }
}
