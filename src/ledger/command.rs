//! What the ledger is asked to append.

use crate::domain::{
    AttemptId, ContactDraft, ContactId, Draft, Fetched, HandoffDraft, Mark, MarkerDraft, OrgId, OrgSettings, Person,
    Received, Report, Sub, ThreadId, Via,
};

/// Something to append. Whoever makes one has checked that the person may; the ledger checks, under
/// the org's lock, all that depends on what is already there.
#[derive(Debug, Clone)]
pub enum Command {
    Say {
        org: OrgId,
        thread: ThreadId,
        by: Person,
        via: Via,
        draft: Draft,
    },
    Mark {
        org: OrgId,
        thread: ThreadId,
        by: Person,
        mark: Mark,
        up_to: i64,
    },
    Handle {
        org: OrgId,
        thread: ThreadId,
        by: Person,
        seen: i64,
    },
    /// A text that came in.
    Receive {
        org: OrgId,
        text: Received,
    },
    /// What was heard of a text that went out.
    Report {
        org: OrgId,
        attempt: AttemptId,
        report: Report,
    },
    /// What became of a part of an MMS.
    Fetch {
        org: OrgId,
        /// Twilio's id of it.
        source: String,
        fetched: Fetched,
    },
    /// Staff have a text sent once more.
    Resend {
        org: OrgId,
        thread: ThreadId,
        by: Person,
        attempt: AttemptId,
    },
    /// The AI receptionist hands a call over.
    HandOff {
        org: OrgId,
        by: Person,
        draft: HandoffDraft,
    },
    Marker {
        org: OrgId,
        thread: ThreadId,
        by: Person,
        draft: MarkerDraft,
    },
    /// Somebody says whose the thread of an unknown number is.
    Attach {
        org: OrgId,
        thread: ThreadId,
        by: Person,
        contact: ContactId,
        seen: Option<i64>,
    },
    /// Somebody says where the unrouted text of this rev belongs.
    Route {
        org: OrgId,
        thread: ThreadId,
        by: Person,
        unrouted: i64,
    },
    PutOrg {
        org: OrgId,
        settings: OrgSettings,
    },
    PutContact {
        org: OrgId,
        contact: ContactId,
        draft: ContactDraft,
    },
    /// Somebody of the team begins a conversation with a person whom the CRM does not know yet.
    NewContact {
        org: OrgId,
        by: Person,
        draft: ContactDraft,
    },
    Revoke {
        org: OrgId,
        sub: Sub,
    },
}

impl Command {
    /// Whether a person waits for it, or who texted one. What is heard of texts and fetched of MMS has time.
    pub fn is_awaited(&self) -> bool {
        !matches!(self, Command::Report { .. } | Command::Fetch { .. })
    }

    pub fn org(&self) -> &OrgId {
        match self {
            Command::Say { org, .. }
            | Command::Mark { org, .. }
            | Command::Handle { org, .. }
            | Command::Receive { org, .. }
            | Command::Report { org, .. }
            | Command::Fetch { org, .. }
            | Command::Resend { org, .. }
            | Command::HandOff { org, .. }
            | Command::Marker { org, .. }
            | Command::Attach { org, .. }
            | Command::Route { org, .. }
            | Command::PutOrg { org, .. }
            | Command::PutContact { org, .. }
            | Command::NewContact { org, .. }
            | Command::Revoke { org, .. } => org,
        }
    }
}
