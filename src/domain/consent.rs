//! Whether a phone takes texts from the org's number. Append-only: the last word counts.

use serde::{Deserialize, Serialize};

use super::Phone;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texts {
    On,
    Off,
}

/// The team's body of a `consent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentBody {
    pub texts: Texts,
    pub phone: Phone,
    /// The provisioned number that it is about.
    pub number: Phone,
    /// What was texted, or Twilio's code that says so.
    pub word: String,
}

/// The customer knows which phone is theirs.
#[derive(Serialize)]
pub(super) struct PublicConsent {
    pub texts: Texts,
}
