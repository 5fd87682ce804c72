//! Photos: what a message says of them, and what is known of an upload.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{OrgId, ThreadId};

/// Made here, random: whoever does not know it cannot guess it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PhotoId(String);

impl PhotoId {
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// None for what was never given out.
    pub fn parse(text: &str) -> Option<Self> {
        let is_ours = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_ours.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PhotoId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a photo's id is 32 hex digits")
    }
}

impl fmt::Debug for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A photo of a message, frozen into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    pub id: PhotoId,
    /// In pixels, as it is shown.
    pub width: u32,
    pub height: u32,
    /// Of the original, in hex.
    pub sha256: String,
}

/// The same for the customer.
#[derive(Serialize)]
pub(super) struct PublicPhoto<'a> {
    id: &'a PhotoId,
    width: u32,
    height: u32,
}

impl Photo {
    pub(super) fn public(&self) -> PublicPhoto<'_> {
        PublicPhoto {
            id: &self.id,
            width: self.width,
            height: self.height,
        }
    }
}

/// What was kept as it is: part of an MMS that is no photo. It is only ever downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    pub id: PhotoId,
    pub bytes: u64,
    /// In hex.
    pub sha256: String,
}

#[derive(Serialize)]
pub(super) struct PublicFile<'a> {
    id: &'a PhotoId,
    bytes: u64,
}

/// The team's body of a `media`: what became of a part of an MMS, which is fetched after its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaBody {
    /// The message's seq.
    pub of: i64,
    /// Which of its parts, from 0.
    pub index: u32,
    #[serde(flatten)]
    pub fetched: Fetched,
    /// Twilio's id of it.
    pub source: String,
    /// As the sender claims.
    pub content_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetched {
    Photo(Photo),
    File(KeptFile),
    Failed {
        /// For the customer, and for the team.
        sentence: String,
        reason: String,
    },
}

#[derive(Serialize)]
pub(super) struct PublicMedia<'a> {
    of: i64,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<PublicPhoto<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PublicFile<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<PublicFailure<'a>>,
}

#[derive(Serialize)]
struct PublicFailure<'a> {
    sentence: &'a str,
}

impl MediaBody {
    pub(super) fn public(&self) -> PublicMedia<'_> {
        let mut public = PublicMedia {
            of: self.of,
            index: self.index,
            photo: None,
            file: None,
            failed: None,
        };
        match &self.fetched {
            Fetched::Photo(photo) => public.photo = Some(photo.public()),
            Fetched::File(file) => {
                public.file = Some(PublicFile {
                    id: &file.id,
                    bytes: file.bytes,
                });
            }
            Fetched::Failed { sentence, .. } => public.failed = Some(PublicFailure { sentence }),
        }
        public
    }

    /// What is kept of it.
    pub fn kept(&self) -> Option<&PhotoId> {
        match &self.fetched {
            Fetched::Photo(photo) => Some(&photo.id),
            Fetched::File(file) => Some(&file.id),
            Fetched::Failed { .. } => None,
        }
    }
}

/// What was uploaded, or fetched of an MMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub org: OrgId,
    pub id: PhotoId,
    /// Whose it is until it is sent: a submitter.
    pub uploader: String,
    /// None of a file that is no photo.
    pub size: Option<(u32, u32)>,
    /// Of the original.
    pub bytes: u64,
    pub sha256: String,
    pub content_type: String,
    /// None until it is sent.
    pub place: Option<Place>,
}

/// Where a photo stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub thread: ThreadId,
    /// None if internal.
    pub seq: Option<i64>,
}

/// A part of an MMS that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub org: OrgId,
    /// Twilio's ids of it and of its message.
    pub source: String,
    pub message: String,
    pub thread: ThreadId,
    pub of: i64,
    pub index: u32,
    pub content_type: String,
    /// How often it was tried.
    pub tries: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_ours_or_nobodys() {
        let id = PhotoId::random();
        assert_eq!(PhotoId::parse(id.as_str()), Some(id));
        for bad in [
            "",
            "..",
            "../../etc/passwd",
            &"A".repeat(32),
            &"0".repeat(33),
            &"g".repeat(32),
        ] {
            assert_eq!(PhotoId::parse(bad), None, "{bad}");
        }
    }
}
