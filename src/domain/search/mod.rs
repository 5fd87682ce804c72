//! Finding what was said. Words are made here, once for every engine: what is indexed, what is asked
//! for and what is highlighted go by the same ones, so none of them can differ from another.

mod piece;
mod query;
mod word;

pub use piece::Piece;
pub use query::{Query, Term};
pub use word::{Word, folded, words};

use super::Entry;

/// What of a record can be found, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searchable {
    pub team: String,
    /// None if it is internal.
    pub public: Option<String>,
}

impl Entry {
    /// None for what is no part of a conversation, or tells nothing in words. What is found here is
    /// shown: `public` holds nothing that [`Entry::body_public`] leaves out.
    pub fn searchable(&self) -> Option<Searchable> {
        match self {
            Entry::Message(body) => Some(Searchable {
                team: body.text.clone(),
                public: Some(body.text.clone()),
            }),
            Entry::Note(body) => Some(Searchable {
                team: body.text.clone(),
                public: None,
            }),
            Entry::Handoff(body) => {
                let brief = body.brief.iter().flat_map(|brief| {
                    let question = brief.open_question.as_deref();
                    [brief.reason.as_str(), brief.summary.as_str()]
                        .into_iter()
                        .chain(question)
                });
                let said: Vec<_> = body.transcript.iter().map(|turn| turn.text.as_str()).collect();
                Some(Searchable {
                    team: brief.chain(said.iter().copied()).collect::<Vec<_>>().join("\n"),
                    public: Some(said.join("\n")),
                })
            }
            Entry::Marker(body) => Some(Searchable {
                team: body.text.clone(),
                public: body.public.then(|| body.text.clone()),
            }),
            // Found as a message when it has been routed.
            Entry::Unrouted(_) => None,
            Entry::Receipt(_)
            | Entry::Delivery(_)
            | Entry::Media(_)
            | Entry::Consent(_)
            | Entry::Thread(_)
            | Entry::Revoked(_)
            | Entry::Org(_) => None,
        }
    }
}
