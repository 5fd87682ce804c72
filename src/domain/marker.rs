//! What happened in the CRM, told in the thread: "Invoice #2041 sent".

use serde::{Deserialize, Serialize};

use super::copied::CopiedFrom;
use super::draft::check_label;
use super::{Author, Code, MessageId, Refusal};

const MAX_LINK: usize = 2_000;

/// The body of `POST /v1/threads/{thread}/markers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkerDraft {
    pub id: String,
    pub text: String,
    #[serde(default)]
    pub link: Option<String>,
    /// Whether the customer is told, too. It has no default: the CRM says which.
    pub public: bool,
}

impl MarkerDraft {
    pub fn check(&self) -> Result<(), Refusal> {
        MessageId::parse(&self.id)?;
        check_label("text", &self.text)?;
        match &self.link {
            Some(link) if !is_web(link) => Err(Refusal::new(
                Code::BadField,
                format!("link: a whole http or https address of at most {MAX_LINK} characters"),
            )),
            _ => Ok(()),
        }
    }
}

/// A link that a page may offer to click: nothing that runs, and nothing relative to it.
fn is_web(link: &str) -> bool {
    let host = link
        .strip_prefix("https://")
        .or_else(|| link.strip_prefix("http://"))
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"<>\\^`{|}".contains(c);
    host.is_some_and(|host| !host.is_empty()) && link.len() <= MAX_LINK && link.chars().all(plain)
}

/// The team's body of a `marker`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkerBody {
    pub id: Option<String>,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    pub public: bool,
    pub by: Author,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopiedFrom>,
}

#[derive(Serialize)]
pub(super) struct PublicMarker<'a> {
    id: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said_at: Option<i64>,
}

impl MarkerBody {
    pub(super) fn public(&self) -> Option<PublicMarker<'_>> {
        self.public.then(|| PublicMarker {
            id: self.id.as_deref(),
            text: &self.text,
            link: self.link.as_deref(),
            said_at: self.copied_from.as_ref().map(|from| from.at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_web_address_is_a_link() {
        for good in [
            "https://crm.example/i/2041",
            "http://crm.example?x=1#y",
            "https://crm.example:8443",
        ] {
            assert!(is_web(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "/invoices/1",
            "crm.example",
            "https://crm.example/a b",
            "https://crm.example/\"x",
            "data:text/html,x",
            "HTTPS//x",
            &format!("https://x/{}", "a".repeat(MAX_LINK)),
        ] {
            assert!(!is_web(bad), "{bad}");
        }
    }
}
