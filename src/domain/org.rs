//! A contractor's account, as its CRM describes it.

use serde::{Deserialize, Serialize};

use super::draft::check_label;
use super::{Phone, Refusal};

/// Each customer's message is a text to every one of them.
const MAX_BUSINESS_PHONES: usize = 20;

/// What the customer is told about who wrote. Frozen into each message when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShowStaff {
    /// "Sam Ortiz"
    #[default]
    Name,
    /// "Sam"
    First,
    /// the business's name
    Business,
}

/// The body of `PUT /v1/orgs/{org}` and of an `org` record: replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgSettings {
    pub name: String,
    /// The provisioned number that customers see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Phone>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_phones: Vec<Phone>,
    /// Whether business phones get what the team answers, too, and not only what customers write.
    #[serde(default)]
    pub copy_answers: bool,
    /// IANA name, for the times in texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(default)]
    pub show_staff: ShowStaff,
    /// Sites that embed the portal or the CRM: `https://crm.example`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
}

impl OrgSettings {
    /// What the types do not already say.
    pub fn check(&self) -> Result<(), Refusal> {
        check_label("name", &self.name)?;
        if let Some(zone) = &self.time_zone {
            check_label("time_zone", zone)?;
        }
        self.check_phones()?;
        for origin in &self.origins {
            let host = origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"))
                .unwrap_or_default();
            if host.is_empty() || host.contains(['/', '*', ' ']) || origin.to_ascii_lowercase() != *origin {
                return Err(Refusal::new(
                    super::Code::BadField,
                    "origins must look like https://crm.example: scheme and host in lower case, no path, no wildcard",
                ));
            }
        }
        Ok(())
    }

    /// A text to a business phone must never come back as one from it.
    fn check_phones(&self) -> Result<(), Refusal> {
        let phones = &self.business_phones;
        let bad = |what: &str| Err(Refusal::new(super::Code::BadField, format!("business_phones: {what}")));
        if phones.len() > MAX_BUSINESS_PHONES {
            return bad(&format!("at most {MAX_BUSINESS_PHONES}"));
        }
        if self.number.as_ref().is_some_and(|number| phones.contains(number)) {
            return bad("the provisioned number cannot be one of them: its copies would come back to it");
        }
        if (1..phones.len()).any(|n| phones[..n].contains(&phones[n])) {
            return bad("one is there twice");
        }
        Ok(())
    }

    /// The name under which customers see a staff member.
    pub fn shown(&self, true_name: &str) -> String {
        match self.show_staff {
            ShowStaff::Name => true_name.to_owned(),
            ShowStaff::First => true_name.split_whitespace().next().unwrap_or(true_name).to_owned(),
            ShowStaff::Business => self.name.clone(),
        }
    }
}
