//! The outbox on SQLite. Its statements wait for the writer, and it for them, a few milliseconds at most.

use std::time::Duration;

use super::Sqlite;
use crate::domain::{Attempt, AttemptId, AttemptState, OrgId, Phone};
use crate::ledger::outbox::{Outbox, outbox};
use crate::ledger::{Result, texting};

outbox!(Sqlite, "CAST(unixepoch('subsec') * 1000 AS INTEGER)", "");
