//! What the words mean. Pure: nothing here waits, reads or writes.

mod consent;
mod contact;
mod copied;
mod delivery;
mod draft;
mod handoff;
mod id;
mod inbound;
mod marker;
mod org;
mod page;
mod person;
mod phone;
mod photo;
mod receipt;
mod record;
mod refusal;
mod search;
mod text;
mod thread;
mod view;

pub use consent::{ConsentBody, Texts};
pub use contact::{Contact, ContactDraft};
pub use copied::CopiedFrom;
pub use delivery::{
    Attempt, AttemptId, AttemptState, Brought, DeliveryBody, Failure, Leg, Report, SmsState, Text, leg_state,
};
pub use draft::{Draft, MAX_PHOTOS, MAX_TEXT_BYTES, MAX_TEXT_CHARS, check_label};
pub use handoff::{Brief, HANDOFF_TAG, Handler, HandoffBody, HandoffDraft, Speaker, Turn};
pub use id::{ContactId, MessageId, OrgId, PersonId, Sub, ThreadId};
pub use inbound::{Candidate, Medium, Received, Rule, Unroutable, UnroutedBody, Word, clean, tagged};
pub use marker::{MarkerBody, MarkerDraft};
pub use org::{OrgSettings, ShowStaff, is_origin};
pub use page::{Page, Seek};
pub use person::{Author, AuthorKind, Person, Side};
pub use phone::Phone;
pub use photo::{Fetched, KeptFile, MediaBody, Missing, Photo, PhotoId, Place, Upload};
pub use receipt::{Mark, ReceiptBody};
pub use record::{Chain, Entry, Kind, MessageBody, NoteBody, Record, RevokedBody, ThreadEvent, Via};
pub use refusal::{Code, Refusal};
pub use search::{Piece, Query, Searchable, Term, words};
pub use text::{Encoding, MAX_SMS_UNITS, Segments, parts, segments};
pub use thread::{Counts, Marks, ThreadHead};
pub use view::View;
