//! Copies: what was said in the thread of an unknown number, appended to the thread of the contact whose
//! number it is.

use serde::{Deserialize, Serialize};

use super::{Author, AuthorKind, Entry, Side, ThreadHead, ThreadId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedFrom {
    pub thread: ThreadId,
    pub rev: i64,
    /// When it was said, in ms since 1970.
    pub at: i64,
    /// Whether somebody had answered it there.
    pub answered: bool,
}

impl Entry {
    /// As it is appended to the thread of `contact`, who turned out to be its customer. It has no id,
    /// and is texted to nobody. None for what is not copied.
    pub fn copy(self, from: CopiedFrom, contact: &Author) -> Option<Entry> {
        let copied_from = Some(from);
        let is_customers = |author: &Author| author.kind == AuthorKind::Customer;
        Some(match self {
            Entry::Message(mut body) => {
                if is_customers(&body.from) {
                    body.from = contact.clone();
                }
                body.id = None;
                body.seen = None;
                body.tag = None;
                body.texts = Vec::new();
                Entry::Message(super::MessageBody { copied_from, ..body })
            }
            Entry::Note(body) => Entry::Note(super::NoteBody {
                id: None,
                copied_from,
                ..body
            }),
            Entry::Handoff(mut body) => {
                body.id = None;
                if let Some(brief) = &mut body.brief {
                    brief.copy_tag = None;
                    brief.texts = Vec::new();
                }
                Entry::Handoff(super::HandoffBody { copied_from, ..body })
            }
            Entry::Marker(body) => Entry::Marker(super::MarkerBody {
                id: None,
                copied_from,
                ..body
            }),
            // Its message is another record here, which the caller names.
            Entry::Media(body) => Entry::Media(body),
            _ => return None,
        })
    }
}

impl ThreadHead {
    /// A copy was appended at the head's seq. It answers nothing here, and waits since when it was
    /// said, unless it was answered there.
    pub fn took_copy(&mut self, copy: &Entry, from: &CopiedFrom) {
        let side = match copy {
            Entry::Message(body) => body.from.side(),
            Entry::Handoff(body) if body.index == 0 => Side::Customer,
            _ => return,
        };
        match side {
            Side::Team => self.last_team = self.seq,
            Side::Customer => {
                self.last_customer = self.seq;
                if !from.answered {
                    self.waiting_since = Some(self.waiting_since.map_or(from.at, |since| since.min(from.at)));
                } else if self.waiting_since.is_none() {
                    self.answered = self.seq;
                }
            }
        }
        if matches!(copy, Entry::Handoff(_)) && !from.answered {
            self.handoff = self.seq;
        }
    }
}
