//! What Twilio answers, read.

use std::fmt;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::super::status::Status;
use super::super::webhook::is_message_sid;

/// A text that Twilio has taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// `SM…` or `MM…`
    pub sid: String,
    pub status: Status,
    /// What Twilio bills.
    pub segments: u32,
}

impl Accepted {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let message: Message = serde_json::from_slice(body).ok()?;
        is_message_sid(&message.sid).then(|| Self {
            status: Status::parse(&message.status),
            segments: count(message.num_segments),
            sid: message.sid,
        })
    }
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a phone to one of our numbers.
    Inbound,
    /// By a create call.
    OutboundApi,
    /// By an answer to a webhook, and what else there may be.
    Other,
}

/// A message as Twilio's books have it.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    pub sid: String,
    pub from: String,
    pub to: String,
    pub body: String,
    pub status: Status,
    pub direction: Direction,
    /// In ms since 1970, of whole seconds.
    pub date_created: i64,
    pub error_code: Option<u32>,
    pub num_media: u32,
}

impl Listed {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        Self::of(serde_json::from_slice(body).ok()?)
    }

    fn of(message: Message) -> Option<Self> {
        let created = OffsetDateTime::parse(message.date_created.as_deref()?, &Rfc2822).ok()?;
        is_message_sid(&message.sid).then(|| Self {
            sid: message.sid,
            from: message.from.unwrap_or_default(),
            to: message.to.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            status: Status::parse(&message.status),
            direction: match message.direction.as_deref() {
                Some("inbound") => Direction::Inbound,
                Some("outbound-api") => Direction::OutboundApi,
                _ => Direction::Other,
            },
            date_created: created.unix_timestamp() * 1_000,
            error_code: message.error_code,
            num_media: count(message.num_media),
        })
    }
}

impl fmt::Debug for Listed {
    /// Without numbers and text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Listed");
        shown.field("sid", &self.sid).field("status", &self.status);
        shown.field("direction", &self.direction).finish_non_exhaustive()
    }
}

pub(super) struct Page {
    pub messages: Vec<Listed>,
    pub next: Option<String>,
}

impl Page {
    /// A message in it that cannot be read is left out: it must not hide the others for ever.
    pub fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Page {
            messages: Vec<serde_json::Value>,
            next_page_uri: Option<String>,
        }
        let page: Page = serde_json::from_slice(body).ok()?;
        let read = |message| serde_json::from_value(message).ok().and_then(Listed::of);
        Some(Self {
            messages: page.messages.into_iter().filter_map(read).collect(),
            next: page.next_page_uri,
        })
    }
}

#[derive(Deserialize)]
struct Message {
    sid: String,
    status: String,
    from: Option<String>,
    to: Option<String>,
    body: Option<String>,
    direction: Option<String>,
    date_created: Option<String>,
    error_code: Option<u32>,
    /// Numbers are texts here.
    num_segments: Option<String>,
    num_media: Option<String>,
}

fn count(text: Option<String>) -> u32 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}
