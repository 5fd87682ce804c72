//! What an error code of Twilio's means for a message: whether to try again, and what people are told.

use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

/// What an error is about, and so who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The same message to the same phone fails again.
    Permanent,
    /// Time may heal it.
    Transient,
    /// Every message fails until somebody changes the account's settings.
    Account,
    /// The photos are at fault; the text alone may pass.
    Media,
    /// Nobody says why.
    Unknown,
}

/// What to do about one code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    /// Twilio's: <https://www.twilio.com/docs/api/errors>.
    pub code: u32,
    pub class: Class,
    /// New attempts after a final failure, at most.
    #[serde(default)]
    pub retries: u32,
    #[serde(default)]
    wait_s: u64,
    /// A new attempt leaves the photos out, and links to the portal instead.
    #[serde(default)]
    pub without_media: bool,
    /// One sentence for the customer; empty where it is none of theirs.
    pub portal: String,
    /// One sentence for the team.
    pub staff: String,
}

impl Disposition {
    /// How long before the first new attempt.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_s)
    }
}

/// A carrier that gives no reason.
const UNKNOWN: u32 = 30008;

static ALL: LazyLock<Vec<Disposition>> = LazyLock::new(|| {
    let mut all: Vec<Disposition> =
        serde_json::from_str(include_str!("dispositions.json")).expect("a test reads the table that is compiled in");
    all.sort_by_key(|one| one.code);
    all
});

/// What to do about a failure. A code that is not in the table, or none, is an unknown failure.
pub fn disposition(code: Option<u32>) -> &'static Disposition {
    let find = |code| ALL.binary_search_by_key(&code, |one| one.code).ok();
    let at = code.and_then(find).or_else(|| find(UNKNOWN));
    &ALL[at.expect("a test finds the unknown failure")]
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_table_says_what_the_published_one_says() {
        let data: Value =
            serde_json::from_str(include_str!("../../tests/data/twilio/error_dispositions.json")).unwrap();
        let codes = data["codes"].as_array().unwrap();
        assert_eq!((codes.len(), ALL.len()), (44, 44));
        for row in codes {
            let code = row["code"].as_u64().unwrap() as u32;
            let ours = disposition(Some(code));
            assert_eq!(ours.code, code);
            assert_eq!(
                (&*ours.portal, &*ours.staff),
                (
                    row["customer_text"].as_str().unwrap(),
                    row["staff_text"].as_str().unwrap()
                )
            );
            let (class, retry) = (row["class"].as_str().unwrap(), row["retry"].as_str().unwrap());
            let expected = match class {
                _ if class.contains("media") || row["staff_text"].as_str().unwrap().contains("edia") => Class::Media,
                "transient/unknown" | "uncertain" => Class::Unknown,
                _ if class.starts_with("transient") => Class::Transient,
                _ if class.starts_with("account") => Class::Account,
                _ => Class::Permanent,
            };
            let webhook = row["seen_at"].as_str().unwrap().starts_with("webhook");
            assert!(webhook || ours.class == expected, "{row}");
            assert!(ours.retries <= 2);
            assert!(
                !retry.starts_with("no") && !retry.starts_with("never") || ours.retries == 0,
                "{row}"
            );
            assert_eq!(ours.without_media, retry.contains("without media"));
        }
    }

    #[test]
    fn a_code_of_tomorrow_is_an_unknown_failure() {
        for code in [None, Some(0), Some(99_999), Some(u32::MAX)] {
            assert_eq!(disposition(code).code, UNKNOWN);
        }
        let unknown = disposition(None);
        assert_eq!((unknown.class, unknown.retries), (Class::Unknown, 1));
        assert_eq!(unknown.wait(), Duration::from_secs(300));
    }
}
