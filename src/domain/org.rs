//! A contractor's account, as its CRM describes it.

use serde::{Deserialize, Serialize};

use super::draft::check_label;
use super::{Code, Phone, Refusal};

/// Each customer's message is a text to every one of them.
const MAX_BUSINESS_PHONES: usize = 20;
/// All of them stand in one header of the pages that they embed.
const MAX_ORIGINS: usize = 20;
/// Of an origin, in bytes: the longest host there can be, its scheme and port.
const MAX_ORIGIN: usize = 270;

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
    /// The business's own, which pages take as their accent: `#1f6a73`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// Whether this is a site as browsers name it in `Origin`: scheme, host and maybe a port, in lower case.
pub fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let of_hosts = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._:[]".contains(c);
    text.len() <= MAX_ORIGIN && host.is_some_and(|host| !host.is_empty() && host.chars().all(of_hosts))
}

impl OrgSettings {
    /// What the types do not already say.
    pub fn check(&self) -> Result<(), Refusal> {
        check_label("name", &self.name)?;
        if let Some(zone) = &self.time_zone {
            check_label("time_zone", zone)?;
        }
        self.check_phones()?;
        if self.origins.len() > MAX_ORIGINS {
            return Err(Refusal::new(Code::BadField, format!("origins: at most {MAX_ORIGINS}")));
        }
        if !self.origins.iter().all(|origin| is_origin(origin)) {
            return Err(Refusal::new(
                Code::BadField,
                "origins must look like https://crm.example: scheme and host in lower case, no path, no wildcard",
            ));
        }
        if self.color.as_ref().is_some_and(|color| !is_color(color)) {
            return Err(Refusal::new(Code::BadField, "color must look like #1f6a73"));
        }
        Ok(())
    }

    /// A text to a business phone must never come back as one from it.
    fn check_phones(&self) -> Result<(), Refusal> {
        let phones = &self.business_phones;
        let bad = |what: &str| Err(Refusal::new(Code::BadField, format!("business_phones: {what}")));
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

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// None if a field with this value is taken.
    fn refused(field: &str, value: serde_json::Value) -> Option<Code> {
        let mut settings = json!({"name": "Acme Plumbing"});
        settings[field] = value;
        let settings: OrgSettings = serde_json::from_value(settings).unwrap();
        settings.check().err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_color_is_six_hex_digits_in_any_case() {
        for color in ["#1f6a73", "#1F6A73", "#000000"] {
            assert_eq!(refused("color", json!(color)), None, "{color}");
        }
        for color in [
            "", "#", "1f6a73", "#1f6a7", "#1f6a733", "#1f6a7g", "#fff", "#é1234", "red", " #1f6a73", "#1f6a73;",
        ] {
            assert_eq!(refused("color", json!(color)), Some(Code::BadField), "{color}");
        }
    }

    #[test]
    fn an_origin_is_what_a_browser_sends_and_nothing_that_a_header_would_read_otherwise() {
        for origin in [
            "https://crm.example",
            "http://localhost:8123",
            "https://xn--bcher-kva.example",
            "http://[::1]:8080",
        ] {
            assert_eq!(refused("origins", json!([origin])), None, "{origin}");
        }
        let long = format!("https://{}", "x".repeat(300));
        for origin in [
            "",
            "https://",
            "crm.example",
            "ftp://crm.example",
            "https://crm.example/",
            "https://*.example",
            "https://CRM.example",
            "https://bücher.example",
            "https://crm.example;script-src",
            "https://crm.example,https://other.example",
            "https://crm.example 'unsafe-inline'",
            "https://crm.example\r\nx: y",
            "https://sam@crm.example",
            &long,
        ] {
            assert_eq!(refused("origins", json!([origin])), Some(Code::BadField), "{origin:?}");
        }
        let many = |count: usize| json!((0..count).map(|n| format!("https://{n}.example")).collect::<Vec<_>>());
        assert_eq!(refused("origins", many(20)), None);
        assert_eq!(refused("origins", many(21)), Some(Code::BadField));
    }
}
