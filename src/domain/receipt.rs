//! That one side has got, or has read, everything up to a seq.

use serde::{Deserialize, Serialize};

use super::{Author, Side};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Delivered,
    Read,
}

/// The team's body of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptBody {
    pub side: Side,
    pub mark: Mark,
    pub up_to: i64,
    pub by: Author,
}

/// The customer is told the side, never who.
#[derive(Serialize)]
pub(super) struct PublicReceipt {
    pub side: Side,
    pub mark: Mark,
    pub up_to: i64,
}
