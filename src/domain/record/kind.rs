//! The kinds of records.

/// What a record tells. `Kind::ALL` is what the tests about privacy walk over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Message,
    Note,
    Receipt,
    Delivery,
    Media,
    Handoff,
    Marker,
    Consent,
    Unrouted,
    Thread,
    Revoked,
    Org,
}

impl Kind {
    pub const ALL: [Kind; 12] = [
        Kind::Message,
        Kind::Note,
        Kind::Receipt,
        Kind::Delivery,
        Kind::Media,
        Kind::Handoff,
        Kind::Marker,
        Kind::Consent,
        Kind::Unrouted,
        Kind::Thread,
        Kind::Revoked,
        Kind::Org,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Message => "message",
            Kind::Note => "note",
            Kind::Receipt => "receipt",
            Kind::Delivery => "delivery",
            Kind::Media => "media",
            Kind::Handoff => "handoff",
            Kind::Marker => "marker",
            Kind::Consent => "consent",
            Kind::Unrouted => "unrouted",
            Kind::Thread => "thread",
            Kind::Revoked => "revoked",
            Kind::Org => "org",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
