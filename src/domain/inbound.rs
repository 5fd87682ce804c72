//! A text that came in, and where it was routed.

use serde::{Deserialize, Serialize};

use super::{MessageId, Phone, ThreadId};

/// A text as Twilio handed it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Twilio's MessageSid: the message's id.
    pub id: MessageId,
    /// The account that received it: the submitter.
    pub account: String,
    /// E.164, or whatever else a network lets texts come from: a short code, a name.
    pub from: String,
    pub to: Phone,
    /// Control characters replaced, so that nothing is lost. May be empty.
    pub text: String,
    pub media: Vec<Medium>,
    pub word: Option<Word>,
}

impl Received {
    /// Under whom its id is unique.
    pub fn submitter(&self) -> String {
        format!("sms:{}", self.account)
    }
}

/// A picture or file of an MMS, still at Twilio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// Twilio's id of it.
    pub source: String,
    /// And of its message, which may have another id here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub content_type: String,
}

/// A word that the network itself acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Stop,
    Start,
    Help,
}

/// Which rule led a text to its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Its phone is one contact's.
    Contact,
    /// Its phone is nobody's: the thread of that number.
    UnknownNumber,
    /// A business phone named the thread.
    Tag,
    /// Only one thread was copied to that business phone lately.
    Single,
    /// No rule did: somebody of the team said where it belongs.
    ByHand,
}

/// Why a text reached no thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unroutable {
    /// Several contacts share its phone.
    SharedPhone,
    /// A business phone named no thread, and several, or none, could be meant.
    NoTag,
    /// A business phone named a thread that is not there.
    UnknownTag,
    /// A tag, and nothing behind it.
    Empty,
    /// It did not come from a phone.
    NoPhone,
}

/// A thread that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub thread: ThreadId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<i64>,
    pub name: String,
}

/// The body of an `unrouted`: kept for the team, who can tell where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnroutedBody {
    pub id: String,
    pub from: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Medium>,
    pub reason: Unroutable,
    pub candidates: Vec<Candidate>,
    /// What its phone was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// What a network lets through and a socket does not: line ends become newlines, other control
/// characters U+FFFD, so that nothing is lost and nothing is done by it.
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let visible = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(visible).collect()
}

/// Reads `#12 on my way` and `12: on my way` as a tag and the rest. A longer number is a phone's or a
/// price, and never names a thread.
pub fn tagged(text: &str) -> Option<(i64, &str)> {
    let text = text.trim();
    let (digits, rest) = match text.strip_prefix('#') {
        Some(after) => {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (digits, rest) = after.split_at(end);
            (digits, rest.strip_prefix(':').unwrap_or(rest))
        }
        None => text.split_once(':')?,
    };
    let starts_apart = rest.is_empty() || rest.starts_with(char::is_whitespace) || !text.starts_with('#');
    let is_number = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number || !(starts_apart || text[digits.len() + 1..].starts_with(':')) {
        return None;
    }
    Some((digits.parse().ok()?, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced_and_nothing_is_lost() {
        assert_eq!(clean("a\r\nb\rc\td\u{0}e\u{85}"), "a\nb\nc\td\u{fffd}e\u{fffd}");
    }

    #[test]
    fn a_tag_is_read_only_where_it_surely_is_one() {
        for (text, expected) in [
            ("#12 on my way", Some((12, "on my way"))),
            ("  #12   on\nmy way ", Some((12, "on\nmy way"))),
            ("#12: on my way", Some((12, "on my way"))),
            ("12: on my way", Some((12, "on my way"))),
            ("12:on my way", Some((12, "on my way"))),
            ("#12:on my way", Some((12, "on my way"))),
            ("#12", Some((12, ""))),
            ("#12 ", Some((12, ""))),
            ("12 on my way", None),
            ("12 pm: I am there", None),
            ("#12th street", None),
            ("# 12 x", None),
            ("#", None),
            ("+14155550123: hi", None),
            ("14155550123: hi", None),
            ("#1415555 hi", None),
            ("on my way #12", None),
            ("", None),
        ] {
            assert_eq!(tagged(text), expected, "{text:?}");
        }
    }
}
