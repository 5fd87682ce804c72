//! A call that the AI receptionist took, handed to the team.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::copied::CopiedFrom;
use super::draft::check_label;
use super::{Author, Code, ContactId, MAX_TEXT_CHARS, MessageId, Phone, Refusal, Text, clean};

/// What both sides read over the card.
pub const HANDOFF_TAG: &str = "AI hand-off";
/// Turns in one transcript.
const MAX_TURNS: usize = 2_000;
/// Of reason and open question, in characters.
const MAX_LINE_CHARS: usize = 1_000;
/// Of a record's team body, in bytes: with its frame around it, it stays below the 32 KiB of the wire.
const MAX_BODY: usize = 30 * 1024;

/// Who answers in a thread: the AI may, or it is a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handler {
    Ai,
    #[default]
    Human,
}

impl Handler {
    pub fn as_str(self) -> &'static str {
        match self {
            Handler::Ai => "ai",
            Handler::Human => "human",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Handler::Ai, Handler::Human]
            .into_iter()
            .find(|handler| handler.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    Caller,
    Ai,
}

/// One turn of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Milliseconds since 1970, by the receptionist's clock.
    pub at: i64,
    pub speaker: Speaker,
    pub text: String,
}

/// The body of `POST /v1/handoffs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoffDraft {
    pub id: String,
    /// Whose call it was: a contact, or the phone that called.
    #[serde(default)]
    pub contact: Option<ContactId>,
    #[serde(default)]
    pub phone: Option<Phone>,
    /// What the caller said their name is; for a contact that is made.
    #[serde(default)]
    pub name: Option<String>,
    pub reason: String,
    pub summary: String,
    #[serde(default)]
    pub open_question: Option<String>,
    /// In ms since 1970: when somebody was promised to call back.
    #[serde(default)]
    pub call_back_at: Option<i64>,
    pub transcript: Vec<Turn>,
    /// Whether the AI may still answer in the thread, until a person does.
    #[serde(default = "still_answers")]
    pub handler: Handler,
}

fn still_answers() -> Handler {
    Handler::Ai
}

impl HandoffDraft {
    /// Replaces control characters, then checks the limits.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        MessageId::parse(&self.id)?;
        if self.contact.is_some() == self.phone.is_some() {
            return Err(Refusal::new(
                Code::BadField,
                "name the contact or the phone, one of them",
            ));
        }
        if let Some(name) = &self.name {
            check_label("name", name)?;
        }
        for (field, text, most) in [
            ("reason", Some(&mut self.reason), MAX_LINE_CHARS),
            ("summary", Some(&mut self.summary), MAX_TEXT_CHARS),
            ("open_question", self.open_question.as_mut(), MAX_LINE_CHARS),
        ] {
            let Some(text) = text else { continue };
            *text = clean(text);
            if text.trim().is_empty() {
                return Err(Refusal::new(Code::EmptyText, format!("{field}: it is empty")));
            }
            within(field, text, most)?;
        }
        if self.call_back_at.is_some_and(|at| at < 0) {
            return Err(Refusal::new(Code::BadField, "call_back_at: milliseconds since 1970"));
        }
        if self.transcript.len() > MAX_TURNS {
            return Err(Refusal::new(
                Code::TextTooLong,
                format!("transcript: at most {MAX_TURNS} turns"),
            ));
        }
        for turn in &mut self.transcript {
            turn.text = clean(&turn.text);
            within("transcript", &turn.text, MAX_TEXT_CHARS)?;
        }
        Ok(self)
    }

    /// Tells whether an id is used again for something else: SHA-256 over the draft as JSON, in hex.
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("plain structs serialise");
        Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn within(field: &str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.chars().count() <= most {
        return Ok(());
    }
    Err(Refusal::new(
        Code::TextTooLong,
        format!("{field}: at most {most} characters"),
    ))
}

/// What the team alone is told, in the first record of a hand-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub by: Author,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    pub reason: String,
    pub summary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_question: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_back_at: Option<i64>,
    /// Who answers from now on.
    pub handler: Handler,
    /// Of the draft: see [`HandoffDraft::digest`].
    pub digest: String,
    /// The thread's tag in the copies on business phones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_tag: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Text>,
}

/// The team's body of a `handoff`. A long transcript is several records: the first has the id and the
/// brief, the others go on with the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffBody {
    /// None of the second and later records, and of copies.
    pub id: Option<String>,
    pub tag: String,
    /// 0 for the first record.
    pub index: u32,
    /// How many records the transcript has.
    pub parts: u32,
    /// The seq of the first, in the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<i64>,
    pub transcript: Vec<Turn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<Brief>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopiedFrom>,
}

impl HandoffBody {
    /// The first record and those that follow it, each within the limit of the wire. `of` is still to
    /// be filled in.
    pub fn parts(id: &str, brief: Brief, transcript: Vec<Turn>) -> Vec<HandoffBody> {
        let part = |index, brief| HandoffBody {
            id: (index == 0).then(|| id.to_owned()),
            tag: HANDOFF_TAG.to_owned(),
            index,
            parts: u32::MAX,
            of: (index > 0).then_some(i64::MAX),
            transcript: Vec::new(),
            brief,
            copied_from: None,
        };
        let mut parts = vec![part(0, Some(brief))];
        let mut bytes = size(&parts[0]);
        for turn in transcript {
            let more = size(&turn) + 1;
            if bytes + more > MAX_BODY {
                let next = part(parts.len() as u32, None);
                bytes = size(&next);
                parts.push(next);
            }
            bytes += more;
            parts.last_mut().expect("there is a first").transcript.push(turn);
        }
        let count = parts.len() as u32;
        parts.iter_mut().for_each(|part| part.parts = count);
        parts
    }

    pub(super) fn public(&self) -> PublicHandoff<'_> {
        PublicHandoff {
            id: self.id.as_deref(),
            tag: &self.tag,
            index: self.index,
            parts: self.parts,
            of: self.of,
            transcript: &self.transcript,
            said_at: self.copied_from.as_ref().map(|from| from.at),
        }
    }
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_string(value).expect("plain structs serialise").len()
}

#[derive(Serialize)]
pub(super) struct PublicHandoff<'a> {
    id: Option<&'a str>,
    tag: &'a str,
    index: u32,
    parts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<i64>,
    transcript: &'a [Turn],
    #[serde(skip_serializing_if = "Option::is_none")]
    said_at: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthorKind, PersonId};

    fn turn(at: i64, text: String) -> Turn {
        Turn {
            at,
            speaker: Speaker::Caller,
            text,
        }
    }

    #[test]
    fn a_long_transcript_is_several_records_and_nothing_of_it_is_lost() {
        let brief = Brief {
            by: Author {
                kind: AuthorKind::Ai,
                name: "Receptionist".into(),
                id: PersonId::parse("p_1").unwrap(),
                shown: None,
                sub: None,
                contact: None,
            },
            phone: None,
            reason: "r".repeat(1_000),
            summary: "🔧".repeat(MAX_TEXT_CHARS),
            open_question: None,
            call_back_at: None,
            handler: Handler::Ai,
            digest: "0".repeat(64),
            copy_tag: None,
            texts: Vec::new(),
        };
        let said: Vec<_> = (0..40).map(|n| turn(n, "\"\n漏".repeat(1_000))).collect();
        let parts = HandoffBody::parts("h1", brief, said.clone());
        assert!(parts.len() > 3);
        for (n, part) in parts.iter().enumerate() {
            assert_eq!((part.index, part.parts), (n as u32, parts.len() as u32));
            assert_eq!(part.id.is_some(), n == 0);
            assert_eq!(part.brief.is_some(), n == 0);
            assert!(size(part) <= MAX_BODY, "{} bytes", size(part));
        }
        let back: Vec<_> = parts.into_iter().flat_map(|part| part.transcript).collect();
        assert_eq!(back, said);
    }

    #[test]
    fn a_handoff_is_checked_and_cleaned_before_anything_is_looked_up() {
        let draft = |json: serde_json::Value| serde_json::from_value::<HandoffDraft>(json).unwrap().checked();
        let whole = serde_json::json!({"id": "h1", "phone": "+14155550134", "reason": "leak", "summary": "It\r\ndrips\u{7}",
            "transcript": [{"at": 1, "speaker": "caller", "text": "hi\r\nthere"}]});
        let checked = draft(whole.clone()).unwrap();
        assert_eq!(checked.summary, "It\ndrips\u{fffd}");
        assert_eq!(checked.transcript[0].text, "hi\nthere");
        assert_eq!(checked.handler, Handler::Ai);
        for (field, value, code) in [
            ("id", serde_json::json!("a b"), Code::BadId),
            ("contact", "ana".into(), Code::BadField),
            ("phone", serde_json::Value::Null, Code::BadField),
            ("summary", " ".into(), Code::EmptyText),
            ("reason", "r".repeat(1_001).into(), Code::TextTooLong),
        ] {
            let mut bad = whole.clone();
            bad[field] = value;
            assert_eq!(draft(bad).unwrap_err().code, code, "{field}");
        }
    }
}
