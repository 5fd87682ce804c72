//! One message, in Twilio's words and in those of the phone.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::domain::segments;
use crate::sms::status::Status;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a create call.
    Api,
    /// What Twilio sends of itself, and webhooks' answers.
    Reply,
    /// From a phone.
    In,
}

/// A picture, or whatever it is. `id` cannot be guessed: it is all that is needed to see it.
#[derive(Debug, Clone)]
pub struct Media {
    /// `ME…`
    pub sid: String,
    pub id: String,
    pub content_type: String,
}

#[derive(Debug, Clone)]
pub struct Message {
    /// The order in which they came to be.
    pub n: u64,
    pub sid: String,
    pub way: Way,
    pub from: String,
    pub to: String,
    pub body: String,
    pub media: Vec<Media>,
    /// How many media there are, also before they are fetched.
    pub num_media: usize,
    pub status: Status,
    pub code: Option<u32>,
    pub status_callback: Option<String>,
    pub created: OffsetDateTime,
    pub sent: Option<OffsetDateTime>,
    pub updated: OffsetDateTime,
    /// Twilio's own answers to keywords are in no list.
    pub is_listed: bool,
}

impl Message {
    pub fn new(n: u64, way: Way, from: &str, to: &str, body: &str, num_media: usize) -> Self {
        let kind = if num_media > 0 { "MM" } else { "SM" };
        let now = OffsetDateTime::now_utc();
        Self {
            n,
            sid: new_sid(kind),
            way,
            from: from.to_owned(),
            to: to.to_owned(),
            body: body.to_owned(),
            media: Vec::new(),
            num_media,
            status: Status::Queued,
            code: None,
            status_callback: None,
            created: now,
            sent: None,
            updated: now,
            is_listed: true,
        }
    }

    pub fn segments(&self) -> u32 {
        segments(&self.body).count
    }

    /// As the API answers.
    pub fn resource(&self, account: &str) -> Value {
        let path = format!("/2010-04-01/Accounts/{account}/Messages/{}", self.sid);
        let failed = self.code.map(|code| format!("Error {code}"));
        json!({
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": rfc2822(self.created),
            "date_sent": self.sent.map(rfc2822),
            "date_updated": rfc2822(self.updated),
            "direction": match self.way {
                Way::Api => "outbound-api",
                Way::Reply => "outbound-reply",
                Way::In => "inbound",
            },
            "error_code": self.code,
            "error_message": failed,
            "from": self.from,
            "messaging_service_sid": null,
            "num_media": self.num_media.to_string(),
            "num_segments": self.segments().to_string(),
            "price": null,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status.as_str(),
            "subresource_uris": { "media": format!("{path}/Media.json") },
            "to": self.to,
            "uri": format!("{path}.json"),
        })
    }

    pub fn media_resource(&self, account: &str, media: &Media) -> Value {
        let path = format!(
            "/2010-04-01/Accounts/{account}/Messages/{}/Media/{}.json",
            self.sid, media.sid
        );
        json!({
            "account_sid": account,
            "content_type": media.content_type,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "parent_sid": self.sid,
            "sid": media.sid,
            "uri": path,
        })
    }

    /// The phone's end.
    pub fn phone(&self) -> &str {
        if self.way == Way::In { &self.from } else { &self.to }
    }

    /// The account's end.
    pub fn number(&self) -> &str {
        if self.way == Way::In { &self.to } else { &self.from }
    }

    /// As the phone shows it; what was not delivered never got there.
    pub fn shown(&self) -> Value {
        let media = self
            .media
            .iter()
            .map(|media| json!({ "url": format!("/simulator/cdn/{}", media.id), "content_type": media.content_type }));
        json!({
            "n": self.n,
            "sid": self.sid,
            "by": if self.way == Way::In { "phone" } else { "number" },
            "number": self.number(),
            "text": self.body,
            "media": media.collect::<Vec<_>>(),
            "status": self.status.as_str(),
            "code": self.code,
            "at": self.created.unix_timestamp_nanos() / 1_000_000,
        })
    }
}

/// `SM`, `MM` or `ME` and 32 hexadecimal digits.
pub fn new_sid(kind: &str) -> String {
    format!("{kind}{}", uuid::Uuid::new_v4().simple())
}

fn rfc2822(time: OffsetDateTime) -> String {
    time.format(&Rfc2822).unwrap_or_default()
}
