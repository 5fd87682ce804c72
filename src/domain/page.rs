//! Neighbouring records of a view, and where they lie in its numbers.

use std::sync::Arc;

use super::{Code, Record, Refusal};

/// Newest first.
#[derive(Debug, Clone)]
pub struct Page {
    pub records: Vec<Arc<Record>>,
    /// Which of them was asked for; what has no room for all keeps those next to it.
    pub asked: usize,
    /// What is older lies before this number; none if there is nothing.
    pub before: Option<i64>,
    /// What is newer lies after this number; none if there is nothing.
    pub after: Option<i64>,
    /// The view's head when they were read.
    pub as_of: i64,
}

/// Where a page is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// The newest records.
    Newest,
    /// Those right below a number.
    Before(i64),
    /// Those right above a number.
    After(i64),
    /// A number and its neighbours on either side.
    Around(i64),
}

impl Seek {
    /// As it is asked for: by one of them, or by none for the newest.
    pub fn of(before: Option<i64>, after: Option<i64>, around: Option<i64>) -> Result<Self, Refusal> {
        match (before, after, around) {
            (None, None, None) => Ok(Self::Newest),
            (Some(number), None, None) => Ok(Self::Before(number)),
            (None, Some(number), None) => Ok(Self::After(number)),
            (None, None, Some(number)) => Ok(Self::Around(number)),
            _ => Err(Refusal::new(
                Code::BadField,
                "before, after, around: one of them at most",
            )),
        }
    }
}
