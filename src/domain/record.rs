//! One entry of an org's log. Stored once, never changed.

mod chain;
mod kind;

use serde::{Deserialize, Serialize};

use super::consent::PublicConsent;
use super::copied::CopiedFrom;
use super::receipt::PublicReceipt;
use super::{
    Author, ConsentBody, ContactId, Counts, DeliveryBody, Handler, HandoffBody, MarkerBody, MediaBody, Medium, OrgId,
    OrgSettings, PersonId, Phone, Photo, PhotoId, ReceiptBody, Rule, Side, Sub, Text, ThreadId, UnroutedBody,
};

pub use chain::Chain;
pub use kind::Kind;

/// A record as it stands in the log, its columns in the order in which they are hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub org: OrgId,
    pub rev: i64,
    /// None for what concerns the whole org.
    pub thread: Option<ThreadId>,
    /// None if internal.
    pub seq: Option<i64>,
    pub kind: Kind,
    pub submitter: Option<String>,
    /// The client's id.
    pub id: Option<String>,
    /// JSON object: the kind's own fields, as they go on the wire.
    pub body_team: String,
    /// The same for the customer; none if internal.
    pub body_public: Option<String>,
    /// The thread's, cumulative, this record included; zero without a thread.
    pub counts: Counts,
    /// Milliseconds since 1970 by the database's clock.
    pub at: i64,
    pub hash: Chain,
}

/// By which way a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Portal,
    Crm,
    Sms,
    Ai,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageBody {
    /// None of a copy, and of what was routed by hand.
    pub id: Option<String>,
    pub from: Author,
    pub via: Via,
    pub text: String,
    pub photos: Vec<Photo>,
    /// Parts of an MMS that are fetched after its message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Medium>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<i64>,
    /// The phone it was texted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Which rule led a text here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The thread's tag in the copies on business phones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<i64>,
    /// The texts that carry it on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopiedFrom>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteBody {
    /// None of a copy.
    pub id: Option<String>,
    pub from: Author,
    pub text: String,
    pub photos: Vec<Photo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopiedFrom>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ThreadEvent {
    /// The contact was made (and its thread with it), renamed or given another number.
    Contact {
        contact: ContactId,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Phone>,
        id: PersonId,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unknown: bool,
        /// Who of the team made it; none if the CRM said so, or it came by a text or a call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Author>,
    },
    /// Everything up to `seen` needs no answer.
    Handled { seen: i64, by: Author },
    /// Another answers from now on.
    Handler { handler: Handler, by: Author },
    /// The thread of an unknown number was copied to that of the contact whose number it is, and is
    /// closed.
    Attached {
        contact: ContactId,
        /// The contact's thread.
        to: ThreadId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Phone>,
        copies: u32,
        by: Author,
    },
    /// Somebody said that the unrouted text of this rev belongs here.
    Routed { unrouted: i64, by: Author },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedBody {
    pub sub: Sub,
    /// Seconds since 1970: tokens issued then or earlier are refused.
    pub before: i64,
}

/// A record's meaning: what is appended, and what a stored body is read back into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Message(MessageBody),
    Note(NoteBody),
    Receipt(ReceiptBody),
    Delivery(DeliveryBody),
    Media(MediaBody),
    Handoff(HandoffBody),
    Marker(MarkerBody),
    Consent(ConsentBody),
    Unrouted(UnroutedBody),
    Thread(ThreadEvent),
    Revoked(RevokedBody),
    Org(OrgSettings),
}

#[derive(Serialize)]
struct PublicMessage<'a> {
    id: Option<&'a str>,
    from: super::person::PublicAuthor<'a>,
    via: Via,
    text: &'a str,
    photos: Vec<super::photo::PublicPhoto<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    media_expected: usize,
    /// When it was said, if this is a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    said_at: Option<i64>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Entry {
    pub fn kind(&self) -> Kind {
        match self {
            Entry::Message(_) => Kind::Message,
            Entry::Note(_) => Kind::Note,
            Entry::Receipt(_) => Kind::Receipt,
            Entry::Delivery(_) => Kind::Delivery,
            Entry::Media(_) => Kind::Media,
            Entry::Handoff(_) => Kind::Handoff,
            Entry::Marker(_) => Kind::Marker,
            Entry::Consent(_) => Kind::Consent,
            Entry::Unrouted(_) => Kind::Unrouted,
            Entry::Thread(_) => Kind::Thread,
            Entry::Revoked(_) => Kind::Revoked,
            Entry::Org(_) => Kind::Org,
        }
    }

    pub fn body_team(&self) -> String {
        match self {
            Entry::Message(body) => json(body),
            Entry::Note(body) => json(body),
            Entry::Receipt(body) => json(body),
            Entry::Delivery(body) => json(body),
            Entry::Media(body) => json(body),
            Entry::Handoff(body) => json(body),
            Entry::Marker(body) => json(body),
            Entry::Consent(body) => json(body),
            Entry::Unrouted(body) => json(body),
            Entry::Thread(body) => json(body),
            Entry::Revoked(body) => json(body),
            Entry::Org(body) => json(body),
        }
    }

    /// What the customer may see of it: the one place that decides. None for what is the team's
    /// alone, whoever appends it.
    pub fn body_public(&self) -> Option<String> {
        match self {
            Entry::Message(body) => Some(json(&PublicMessage {
                id: body.id.as_deref(),
                from: body.from.public(),
                via: body.via,
                text: &body.text,
                photos: body.photos.iter().map(Photo::public).collect(),
                media_expected: body.media.len(),
                said_at: body.copied_from.as_ref().map(|from| from.at),
            })),
            Entry::Receipt(body) => Some(json(&PublicReceipt {
                side: body.side,
                mark: body.mark,
                up_to: body.up_to,
            })),
            Entry::Delivery(body) => body.public().map(|public| json(&public)),
            Entry::Media(body) => Some(json(&body.public())),
            Entry::Handoff(body) => Some(json(&body.public())),
            Entry::Marker(body) => body.public().map(|public| json(&public)),
            Entry::Consent(body) => Some(json(&PublicConsent { texts: body.texts })),
            Entry::Note(_) | Entry::Unrouted(_) | Entry::Thread(_) | Entry::Revoked(_) | Entry::Org(_) => None,
        }
    }

    /// By how much it moves the thread's counts.
    pub fn counts(&self) -> Counts {
        match self {
            Entry::Message(body) => match body.from.side() {
                Side::Customer => Counts { customer: 1, team: 0 },
                Side::Team => Counts { customer: 0, team: 1 },
            },
            Entry::Handoff(body) if body.index == 0 => Counts { customer: 1, team: 0 },
            Entry::Note(_)
            | Entry::Receipt(_)
            | Entry::Delivery(_)
            | Entry::Media(_)
            | Entry::Handoff(_)
            | Entry::Marker(_)
            | Entry::Consent(_)
            | Entry::Unrouted(_)
            | Entry::Thread(_)
            | Entry::Revoked(_)
            | Entry::Org(_) => Counts::default(),
        }
    }

    /// Reads a stored `body_team` back.
    pub fn parse(kind: Kind, body_team: &str) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Message => Entry::Message(serde_json::from_str(body_team)?),
            Kind::Note => Entry::Note(serde_json::from_str(body_team)?),
            Kind::Receipt => Entry::Receipt(serde_json::from_str(body_team)?),
            Kind::Delivery => Entry::Delivery(serde_json::from_str(body_team)?),
            Kind::Media => Entry::Media(serde_json::from_str(body_team)?),
            Kind::Handoff => Entry::Handoff(serde_json::from_str(body_team)?),
            Kind::Marker => Entry::Marker(serde_json::from_str(body_team)?),
            Kind::Consent => Entry::Consent(serde_json::from_str(body_team)?),
            Kind::Unrouted => Entry::Unrouted(serde_json::from_str(body_team)?),
            Kind::Thread => Entry::Thread(serde_json::from_str(body_team)?),
            Kind::Revoked => Entry::Revoked(serde_json::from_str(body_team)?),
            Kind::Org => Entry::Org(serde_json::from_str(body_team)?),
        })
    }

    /// The photos and files that stand where it stands.
    pub fn kept(&self) -> Vec<&PhotoId> {
        match self {
            Entry::Message(MessageBody { photos, .. }) | Entry::Note(NoteBody { photos, .. }) => {
                photos.iter().map(|photo| &photo.id).collect()
            }
            Entry::Media(body) => body.kept().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the inbox shows it as the last thing that was said.
    pub fn is_said(&self) -> bool {
        match self {
            Entry::Message(_) | Entry::Note(_) => true,
            Entry::Handoff(body) => body.index == 0,
            _ => false,
        }
    }

    /// What it is a copy of.
    pub fn copied_from(&self) -> Option<&CopiedFrom> {
        match self {
            Entry::Message(body) => body.copied_from.as_ref(),
            Entry::Note(body) => body.copied_from.as_ref(),
            Entry::Handoff(body) => body.copied_from.as_ref(),
            Entry::Marker(body) => body.copied_from.as_ref(),
            _ => None,
        }
    }

    /// Whose doing it was, if a person's; their opaque id and name are kept by it.
    pub fn author(&self) -> Option<&Author> {
        match self {
            Entry::Message(MessageBody { from, .. }) | Entry::Note(NoteBody { from, .. }) => Some(from),
            Entry::Receipt(ReceiptBody { by, .. })
            | Entry::Marker(MarkerBody { by, .. })
            | Entry::Thread(
                ThreadEvent::Handled { by, .. }
                | ThreadEvent::Handler { by, .. }
                | ThreadEvent::Attached { by, .. }
                | ThreadEvent::Routed { by, .. },
            ) => Some(by),
            Entry::Thread(ThreadEvent::Contact { by, .. }) => by.as_ref(),
            Entry::Delivery(body) => body.by.as_ref(),
            Entry::Handoff(body) => body.brief.as_ref().map(|brief| &brief.by),
            Entry::Media(_) | Entry::Consent(_) | Entry::Unrouted(_) | Entry::Revoked(_) | Entry::Org(_) => None,
        }
    }
}

/// These types have string keys and no floats: they always serialise.
fn json<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("plain structs serialise")
}

#[cfg(test)]
mod tests;
