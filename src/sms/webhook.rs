//! What Twilio tells: a text that came in, or how one that went out is faring.
//!
//! The fields: <https://www.twilio.com/docs/messaging/guides/webhook-request> and
//! <https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>. New ones appear
//! without notice, so what is not known is left alone.

use std::fmt;

use thiserror::Error;

use super::keywords::{OptOut, opt_out};
use super::signature::Form;
use super::status::Status;
use crate::domain::{Medium, Phone};

/// Who sent or gets a text. Not everybody has a number: short codes, and senders that are a word.
#[derive(Clone, PartialEq, Eq)]
pub enum Party {
    Phone(Phone),
    Other(String),
}

impl Party {
    fn parse(text: &str) -> Self {
        Phone::parse(text).map_or_else(|_| Self::Other(text.to_owned()), Self::Phone)
    }

    pub fn phone(&self) -> Option<&Phone> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Other(_) => None,
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(phone) => phone.fmt(f),
            Self::Other(_) => f.write_str("…"),
        }
    }
}

/// A signed webhook that is not what it should be: Twilio has changed, or the URL is set for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a webhook without a proper {0}")]
pub struct Unreadable(&'static str);

/// A part of an incoming MMS. It has yet to be fetched, from a URL that is yet to be trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundMedia {
    pub url: String,
    /// As the sender claims.
    pub content_type: String,
}

impl InboundMedia {
    /// Twilio's id of it, by which it is asked for at the one place where it may be: never by its URL.
    pub fn source(&self, message: &str) -> Option<Medium> {
        let (_, source) = self.url.rsplit_once('/')?;
        is_media_sid(source).then(|| Medium {
            source: source.to_owned(),
            message: Some(message.to_owned()),
            content_type: self
                .content_type
                .chars()
                .filter(|c| !c.is_control())
                .take(100)
                .collect(),
        })
    }
}

/// A text that somebody sent to one of our numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// `SM…` or `MM…`: the same again is the same text again.
    pub sid: String,
    pub account: String,
    pub from: Party,
    pub to: Party,
    /// As it came: it may be empty, and hold any character.
    pub text: String,
    pub media: Vec<InboundMedia>,
    pub opt_out: Option<OptOut>,
}

impl Inbound {
    pub fn read(form: &Form) -> Result<Self, Unreadable> {
        let text = form.get("Body").unwrap_or_default().to_owned();
        Ok(Self {
            sid: sid(form)?,
            account: account(form)?,
            from: party(form, "From")?,
            to: party(form, "To")?,
            media: media(form),
            opt_out: opt_out(form.get("OptOutType"), &text),
            text,
        })
    }
}

/// How a text that we sent is faring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    pub sid: String,
    pub account: String,
    pub status: Status,
    /// Why it failed: [`super::disposition`] knows what to do about it.
    pub code: Option<u32>,
    pub to: Party,
    pub from: Party,
}

impl StatusUpdate {
    pub fn read(form: &Form) -> Result<Self, Unreadable> {
        let status = form.get("MessageStatus").or_else(|| form.get("SmsStatus"));
        Ok(Self {
            sid: sid(form)?,
            account: account(form)?,
            status: Status::parse(status.ok_or(Unreadable("MessageStatus"))?),
            code: form.get("ErrorCode").and_then(|code| code.trim().parse().ok()),
            to: party(form, "To")?,
            from: party(form, "From")?,
        })
    }
}

/// Twilio's id of a message: `^(SM|MM)[0-9a-fA-F]{32}$`.
pub(super) fn is_message_sid(text: &str) -> bool {
    let hex = text.strip_prefix("SM").or_else(|| text.strip_prefix("MM"));
    hex.is_some_and(is_32_hex)
}

pub(super) fn is_media_sid(text: &str) -> bool {
    text.strip_prefix("ME").is_some_and(is_32_hex)
}

pub(super) fn is_account_sid(text: &str) -> bool {
    text.strip_prefix("AC").is_some_and(is_32_hex)
}

fn is_32_hex(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn sid(form: &Form) -> Result<String, Unreadable> {
    let sid = form.get("MessageSid").or_else(|| form.get("SmsSid"));
    sid.filter(|sid| is_message_sid(sid))
        .map(str::to_owned)
        .ok_or(Unreadable("MessageSid"))
}

fn account(form: &Form) -> Result<String, Unreadable> {
    let account = form.get("AccountSid").filter(|account| is_account_sid(account));
    account.map(str::to_owned).ok_or(Unreadable("AccountSid"))
}

fn party(form: &Form, name: &'static str) -> Result<Party, Unreadable> {
    let party = form.get(name).filter(|text| !text.is_empty());
    party.map(Party::parse).ok_or(Unreadable(name))
}

fn media(form: &Form) -> Vec<InboundMedia> {
    let one = |n: usize| {
        Some(InboundMedia {
            url: form.get(&format!("MediaUrl{n}"))?.to_owned(),
            content_type: form.get(&format!("MediaContentType{n}")).unwrap_or_default().to_owned(),
        })
    };
    (0..).map_while(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The parameters of a fixture, as the validator gives them out.
    fn fixture(name: &str) -> Form {
        let fixtures: Value =
            serde_json::from_str(include_str!("../../tests/data/twilio/webhook_fixtures.json")).unwrap();
        let requests = fixtures["requests"].as_array().unwrap();
        let request = requests.iter().find(|request| request["name"] == name).unwrap();
        let body = request["raw_body"].as_str().unwrap().as_bytes();
        form_urlencoded::parse(body).into_owned().collect()
    }

    fn form(pairs: &[(&str, &str)]) -> Form {
        pairs
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    const SID: (&str, &str) = ("MessageSid", "SM00000000000000000000000000000001");
    const ACCOUNT: (&str, &str) = ("AccountSid", "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    #[test]
    fn a_text_is_read_with_all_its_characters() {
        let text = Inbound::read(&fixture("inbound_customer_text")).unwrap();
        assert_eq!(text.sid, "SM00000000000000000000000000000001");
        assert_eq!(text.account, "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(text.from, Party::Phone(Phone::parse("+15558675310").unwrap()));
        assert_eq!(text.to.as_str(), "+15005550006");
        assert_eq!(
            text.text,
            "Hi, can you come Tuesday? 👍🏽 100% ok & “thanks” + more\nline 2"
        );
        assert!(text.media.is_empty() && text.opt_out.is_none());
        assert_eq!(
            Inbound::read(&fixture("inbound_whitespace_body")).unwrap().text,
            "  leading and trailing  "
        );
    }

    #[test]
    fn every_picture_counts_and_none_is_trusted_yet() {
        let two = Inbound::read(&fixture("inbound_customer_mms_2_images")).unwrap();
        let kinds: Vec<_> = two.media.iter().map(|media| &*media.content_type).collect();
        assert_eq!(kinds, ["image/jpeg", "image/png"]);
        assert!(two.media[1].url.ends_with("/Media/ME00000000000000000000000000000002"));
        assert_eq!(two.text, "");
        let hostile = Inbound::read(&fixture("inbound_mms_hostile_media_url")).unwrap();
        assert_eq!(hostile.media[0].url, "http://169.254.169.254/latest/meta-data/");
    }

    #[test]
    fn keywords_are_told_from_texts() {
        for (name, asks) in [
            ("inbound_stop_default", Some(OptOut::Stop)),
            ("inbound_stop_advanced_optout", Some(OptOut::Stop)),
            ("inbound_stop_please_is_not_optout", None),
            ("inbound_start", Some(OptOut::Start)),
            ("inbound_help", Some(OptOut::Help)),
            ("inbound_staff_stop", Some(OptOut::Stop)),
        ] {
            assert_eq!(Inbound::read(&fixture(name)).unwrap().opt_out, asks, "{name}");
        }
    }

    #[test]
    fn a_sender_need_not_have_a_number_and_a_text_no_body() {
        for from in ["72404", "MyBank", "whatsapp:+15558675310", "+1", "Ünïcode", "\0"] {
            let text = Inbound::read(&form(&[SID, ACCOUNT, ("From", from), ("To", "+15005550006")])).unwrap();
            assert_eq!((text.from.as_str(), text.from.phone()), (from, None));
            assert_eq!(text.text, "");
        }
    }

    #[test]
    fn what_names_no_message_is_refused() {
        for (pairs, lacks) in [
            (vec![ACCOUNT, ("From", "1"), ("To", "2")], "MessageSid"),
            (
                vec![("MessageSid", "SM1"), ACCOUNT, ("From", "1"), ("To", "2")],
                "MessageSid",
            ),
            (vec![SID, ("From", "1"), ("To", "2")], "AccountSid"),
            (vec![SID, ACCOUNT, ("From", ""), ("To", "2")], "From"),
            (vec![SID, ACCOUNT, ("From", "1")], "To"),
        ] {
            assert_eq!(Inbound::read(&form(&pairs)).err(), Some(Unreadable(lacks)));
        }
    }

    #[test]
    fn a_status_is_read_with_its_error() {
        for (name, status, code) in [
            ("status_sent", Status::Sent, None),
            ("status_delivered", Status::Delivered, None),
            ("status_unknown_new_field", Status::Delivered, None),
            ("status_undelivered_30003", Status::Undelivered, Some(30003)),
            ("status_undelivered_30007", Status::Undelivered, Some(30007)),
            ("status_failed_30034", Status::Failed, Some(30034)),
            ("status_failed_21610", Status::Failed, Some(21610)),
        ] {
            let update = StatusUpdate::read(&fixture(name)).unwrap();
            assert_eq!((update.status, update.code), (status, code), "{name}");
            assert_eq!(update.to.as_str(), "+15558675310");
            assert_eq!(update.from.as_str(), "+15005550006");
        }
        assert_eq!(
            StatusUpdate::read(&form(&[SID, ACCOUNT])).err(),
            Some(Unreadable("MessageStatus"))
        );
    }

    #[test]
    fn what_is_printed_holds_no_number() {
        let update = StatusUpdate::read(&fixture("status_sent")).unwrap();
        assert!(!format!("{update:?}").contains("5558675310"));
        assert!(!format!("{:?}", Party::Other("whatsapp:+15558675310".into())).contains("555"));
    }
}
