//! Pictures from strangers. [`spool`] takes their bytes, [`sniff`] says what they are without decoding
//! a pixel, [`intake`] makes pictures of our own of them, [`store`] keeps those, and [`link`] signs URLs
//! to them.
//!
//! Nothing here knows orgs, threads or the log. No byte that a stranger sent as a picture is kept or
//! served: what is served was encoded here.

mod colour;
pub mod intake;
pub mod link;
mod png;
pub mod sniff;
pub mod spool;
pub mod store;

pub use intake::{Intake, Rendered};
pub use link::Links;
pub use sniff::Accept;
pub use spool::{Spool, Spooled};
pub use store::{Rendition, Store};

/// Of an upload, and of a part of an MMS.
pub const MAX_BYTES: u64 = 10 * 1024 * 1024;
/// By the header.
pub const MAX_PIXELS: u64 = 50_000_000;
/// In pixels: no JPEG is longer.
pub const MAX_SIDE: u32 = 65_535;
/// Of the rendition for MMS, so that five fit into the 5 MB of a message.
pub const MAX_SMS_BYTES: usize = 950_000;
