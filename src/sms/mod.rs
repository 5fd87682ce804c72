//! Twilio, as far as it can be known without our own ledger.
//!
//! Out: [`twilio`], the client. In: [`signature`] believes a webhook, [`webhook`] reads it, [`keywords`] sees STOP and START, [`status`]
//! puts callbacks in order. [`simulator`] is a Twilio of our own, for the demo and for tests. About failures, [`dispositions`] knows what to do and to say.
//!
//! Nothing here knows orgs, threads or the log.

pub mod dispositions;
pub mod keywords;
pub mod outcome;
pub mod signature;
pub mod simulator;
pub mod status;
pub mod twilio;
pub mod webhook;

pub use dispositions::{Class, Disposition, disposition};
pub use keywords::OptOut;
pub use outcome::{failure, report};
pub use signature::{Form, Refused, Validator};
pub use simulator::{Simulator, SimulatorSettings};
pub use status::Status;
pub use twilio::{Accepted, CreateError, Direction, Listed, Outgoing, Query, ReadError, Twilio, TwilioSettings};
pub use webhook::{Inbound, InboundMedia, Party, StatusUpdate, Unreadable};
