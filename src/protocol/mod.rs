//! The wire: JSON text frames under the subprotocol `crewline.v1`. `docs/DESIGN.md` is its page.
//!
//! Stored bodies are spliced in as they are: sending a record parses nothing.

mod client;
mod server;

pub use client::*;
pub use server::*;

/// A text frame's payload, shared by every socket that it goes to.
pub use tokio_tungstenite::tungstenite::Utf8Bytes as Text;

pub const SUBPROTOCOL: &str = "crewline.v1";
/// Longest frame taken from a client, in bytes.
pub const MAX_FRAME_IN: usize = 64 * 1024;
/// A page's records stay within this many bytes, but there is at least one.
pub const PAGE_BYTES: usize = 8 * 1024;
/// Silence after which either side asks for a sign of life.
pub const HEARTBEAT_MS: u64 = 25_000;

/// RFC 6455, 7.4, and 4000-4999 for our own.
pub mod close {
    pub const PROTOCOL: u16 = 1002;
    pub const UNSUPPORTED: u16 = 1003;
    pub const NOT_UTF8: u16 = 1007;
    pub const POLICY: u16 = 1008;
    pub const TOO_LARGE: u16 = 1009;
    pub const RESTART: u16 = 1012;
    pub const FULL: u16 = 1013;
    pub const AUTH: u16 = 4401;
    pub const FORBIDDEN: u16 = 4403;
    pub const TIMEOUT: u16 = 4408;
    pub const TOO_MANY: u16 = 4429;
}
