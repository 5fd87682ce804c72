//! The customer's record. Each has exactly one thread, made with it.

use serde::{Deserialize, Serialize};

use super::draft::check_label;
use super::{ContactId, PersonId, Phone, Refusal, ThreadId};

/// The body of `PUT /v1/orgs/{org}/contacts/{contact}`: replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactDraft {
    pub name: String,
    #[serde(default)]
    pub phone: Option<Phone>,
}

impl ContactDraft {
    pub fn check(&self) -> Result<(), Refusal> {
        check_label("name", &self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    pub id: ContactId,
    pub thread: ThreadId,
    pub person: PersonId,
    pub name: String,
    pub phone: Option<Phone>,
    /// Made for a number that is no contact's, until somebody says whose it is.
    pub unknown: bool,
}
