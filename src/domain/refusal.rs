//! Why something was not done: one code for machines, one sentence that says what to do.

use std::fmt;

use serde::Serialize;

use super::Record;

/// The codes of the wire. The list in `docs/DESIGN.md` is held against this one by a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    NotJson,
    UnknownFrame,
    BadField,
    HelloExpected,
    HelloRepeated,
    BadToken,
    ExpiredToken,
    RevokedToken,
    Forbidden,
    NotFound,
    BadId,
    EmptyText,
    TextTooLong,
    ControlCharacter,
    TooManyPhotos,
    TooManyUploads,
    UnknownPhoto,
    PhotoTooLarge,
    PhotoFormat,
    PhotoBroken,
    PastEnd,
    Stale,
    Closed,
    IdReused,
    TooFast,
    TooManyConnections,
    Busy,
    NotCommitted,
    UnknownOutcome,
}

impl Code {
    pub const ALL: [Code; 29] = [
        Code::NotJson,
        Code::UnknownFrame,
        Code::BadField,
        Code::HelloExpected,
        Code::HelloRepeated,
        Code::BadToken,
        Code::ExpiredToken,
        Code::RevokedToken,
        Code::Forbidden,
        Code::NotFound,
        Code::BadId,
        Code::EmptyText,
        Code::TextTooLong,
        Code::ControlCharacter,
        Code::TooManyPhotos,
        Code::TooManyUploads,
        Code::UnknownPhoto,
        Code::PhotoTooLarge,
        Code::PhotoFormat,
        Code::PhotoBroken,
        Code::PastEnd,
        Code::Stale,
        Code::Closed,
        Code::IdReused,
        Code::TooFast,
        Code::TooManyConnections,
        Code::Busy,
        Code::NotCommitted,
        Code::UnknownOutcome,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Code::NotJson => "not_json",
            Code::UnknownFrame => "unknown_frame",
            Code::BadField => "bad_field",
            Code::HelloExpected => "hello_expected",
            Code::HelloRepeated => "hello_repeated",
            Code::BadToken => "bad_token",
            Code::ExpiredToken => "expired_token",
            Code::RevokedToken => "revoked_token",
            Code::Forbidden => "forbidden",
            Code::NotFound => "not_found",
            Code::BadId => "bad_id",
            Code::EmptyText => "empty_text",
            Code::TextTooLong => "text_too_long",
            Code::ControlCharacter => "control_character",
            Code::TooManyPhotos => "too_many_photos",
            Code::TooManyUploads => "too_many_uploads",
            Code::UnknownPhoto => "unknown_photo",
            Code::PhotoTooLarge => "photo_too_large",
            Code::PhotoFormat => "photo_format",
            Code::PhotoBroken => "photo_broken",
            Code::PastEnd => "past_end",
            Code::Stale => "stale",
            Code::Closed => "closed",
            Code::IdReused => "id_reused",
            Code::TooFast => "too_fast",
            Code::TooManyConnections => "too_many_connections",
            Code::Busy => "busy",
            Code::NotCommitted => "not_committed",
            Code::UnknownOutcome => "unknown_outcome",
        }
    }

    /// Whether the same request may succeed later, unchanged.
    pub fn retry(self) -> bool {
        matches!(
            self,
            Code::TooManyUploads
                | Code::TooFast
                | Code::TooManyConnections
                | Code::Busy
                | Code::NotCommitted
                | Code::UnknownOutcome
        )
    }
}

/// A request that was refused. Nothing was changed, or (`unknown_outcome`) nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    /// `stale` only: what others said after `seen`, oldest first.
    pub records: Vec<Record>,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            records: Vec::new(),
        }
    }

    /// `message` names the field.
    pub fn bad_field(message: impl Into<String>) -> Self {
        Self::new(Code::BadField, message)
    }

    /// One for all: not there, somebody else's, sent already.
    pub fn unknown_photo() -> Self {
        Self::new(
            Code::UnknownPhoto,
            "there is no photo with that id to be sent; upload it first",
        )
    }

    /// The one answer for what does not exist and for what belongs to somebody else.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "there is no such thing here")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_design_names_every_code_and_no_other() {
        let design = include_str!("../../docs/DESIGN.md");
        let list = design
            .split_once("Codes: ")
            .and_then(|(_, rest)| rest.split_once("\n"))
            .map(|(line, _)| line)
            .unwrap();
        for code in Code::ALL {
            assert!(list.contains(&format!("`{}`", code.as_str())), "{code:?}");
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
