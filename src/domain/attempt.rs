//! Attempts at a text: rows of the outbox, and what is heard of them.

use std::fmt;

use serde::Serialize;

use super::{Leg, MAX_SMS_UNITS, OrgId, Phone, PhotoId, ThreadId, segments};

/// One attempt at one part of a text: at most one call that creates it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct AttemptId(String);

impl AttemptId {
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// None for what was never given out: it travels through Twilio and back.
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::try_parse(text).ok().map(|id| Self(id.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptState {
    /// Waits for its time.
    Due,
    /// Claimed by a courier, who may be calling.
    Calling,
    /// The call was not answered: Twilio may have it or not.
    Uncertain,
    /// Nothing was found of an uncertain one.
    Unknown,
    Accepted,
    Delivered,
    Failed,
}

impl AttemptState {
    pub const ALL: [AttemptState; 7] = [
        AttemptState::Due,
        AttemptState::Calling,
        AttemptState::Uncertain,
        AttemptState::Unknown,
        AttemptState::Accepted,
        AttemptState::Delivered,
        AttemptState::Failed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            AttemptState::Due => "due",
            AttemptState::Calling => "calling",
            AttemptState::Uncertain => "uncertain",
            AttemptState::Unknown => "unknown",
            AttemptState::Accepted => "accepted",
            AttemptState::Delivered => "delivered",
            AttemptState::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Where a `delivery` of this status says that its attempt stands.
    pub fn told(status: &str) -> Self {
        match status {
            "uncertain" => AttemptState::Uncertain,
            "unknown" => AttemptState::Unknown,
            "delivered" => AttemptState::Delivered,
            "refused" | "expired" | "undelivered" | "failed" | "canceled" => AttemptState::Failed,
            _ => AttemptState::Accepted,
        }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub id: AttemptId,
    pub org: OrgId,
    /// The thread and seq of the message; none of an answer.
    pub message: Option<(ThreadId, i64)>,
    pub leg: Leg,
    /// The rev of the record that asked for it: what is older goes first.
    pub rev: i64,
    pub part: u32,
    pub parts: u32,
    /// 1 for the first attempt at this part.
    pub nth: u32,
    pub from: Phone,
    pub to: Phone,
    pub body: String,
    /// Photos that go along.
    pub media: Vec<PhotoId>,
    /// Attachments that do not: the text says how many.
    pub counted: u32,
    /// Its photos were at fault, so the text links to where they are seen.
    pub linked: bool,
    pub state: AttemptState,
    /// When it may be called, in ms; while it is called, until when the courier has it; later, when a
    /// courier looked after it last.
    pub due_at: i64,
    pub queued_at: i64,
    /// When it was called last.
    pub called_at: Option<i64>,
    /// Twilio's id of it.
    pub sid: Option<String>,
}

impl Attempt {
    /// What is texted. `hub` is the public URL, below which people see what does not go along.
    pub fn text(&self, hub: &str) -> String {
        let counted = match self.counted {
            0 => return self.body.clone(),
            1 => "(1 attachment)".to_owned(),
            n => format!("({n} attachments)"),
        };
        let said = self.body.trim_end();
        let link = self.page().map(|page| format!("{hub}/{page}")).unwrap_or_default();
        let with = |parts: &[&str]| {
            let parts = [&[said], parts].concat();
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            parts.join(" ")
        };
        // What was said is all there; the rest as far as there is room.
        let texts = [with(&[&counted, &link]), with(&[&counted])];
        let mut fitting = texts.into_iter().filter(|text| segments(text).units <= MAX_SMS_UNITS);
        fitting.next().unwrap_or_else(|| self.body.clone())
    }

    /// Where whoever is texted sees what it links to.
    fn page(&self) -> Option<String> {
        let (thread, seq) = self.message.as_ref().filter(|_| self.linked)?;
        match self.leg {
            Leg::Customer => Some(format!("portal#message={seq}")),
            Leg::Copy => Some(format!("crm#thread={}", thread.as_str())),
            Leg::Answer => None,
        }
    }

    /// The photos stay out: the text counts them, and links to them.
    pub fn without_media(self) -> Self {
        Self {
            counted: self.counted + self.media.len() as u32,
            media: Vec::new(),
            linked: true,
            ..self
        }
    }

    /// Nobody has tried it, because what its message brought is not all here yet.
    pub fn awaits_media(&self) -> bool {
        self.counted > 0 && self.state == AttemptState::Due && self.called_at.is_none() && self.nth == 1
    }

    /// Moves it on. False if it knew that already, or more.
    pub fn hear(&mut self, report: &Report) -> bool {
        if let (Some(known), Some(sid)) = (&self.sid, report.sid())
            && known != sid
        {
            return false;
        }
        let is_final = matches!(self.state, AttemptState::Delivered | AttemptState::Failed);
        self.state = match (report, self.state) {
            // A network may find out late that it did deliver; never the other way round.
            (Report::Delivered { .. }, state) if state != AttemptState::Delivered => AttemptState::Delivered,
            _ if is_final => return false,
            (Report::Accepted { .. }, state) if state != AttemptState::Accepted => AttemptState::Accepted,
            (Report::Failed { .. }, _) => AttemptState::Failed,
            (Report::Uncertain, AttemptState::Calling) => AttemptState::Uncertain,
            (Report::Missing, AttemptState::Uncertain) => AttemptState::Unknown,
            _ => return false,
        };
        if let Some(sid) = report.sid() {
            self.sid = Some(sid.to_owned());
        }
        // From then on it is counted how long nothing was heard.
        self.due_at = self.called_at.unwrap_or(self.due_at);
        true
    }
}

/// What was fetched of an MMS for a text that waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    pub media: Vec<PhotoId>,
    pub counted: u32,
    pub due_at: i64,
}

/// What was heard of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Twilio has it; whether it is queued there or on its way makes no difference to anybody.
    Accepted {
        sid: String,
        status: String,
    },
    Delivered {
        sid: String,
    },
    /// It failed for good: the call was refused (no sid), or the network gave up.
    Failed {
        sid: Option<String>,
        status: String,
        failure: Failure,
    },
    /// The call went out and was not answered.
    Uncertain,
    /// Nothing was found of an uncertain one.
    Missing,
}

impl Report {
    /// Twilio's id of the attempt, if it says.
    pub fn sid(&self) -> Option<&str> {
        match self {
            Report::Accepted { sid, .. } | Report::Delivered { sid } => Some(sid),
            Report::Failed { sid, .. } => sid.as_deref(),
            Report::Uncertain | Report::Missing => None,
        }
    }
}

/// Why a text failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Twilio's.
    pub code: Option<u32>,
    /// For the customer, and for the team.
    pub sentence: String,
    pub reason: String,
    /// How another attempt may do.
    pub retry: Option<Retry>,
    /// The customer's carrier says that texts to this number are off.
    pub opted_out: bool,
}

/// A new attempt after one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// So long after it.
    pub after_ms: i64,
    /// It goes without the photos, which were at fault.
    pub without_media: bool,
}
