//! The hashes that chain a thread's records, and an org's.

use sha2::{Digest, Sha256};

use super::Record;

/// SHA-256 over the previous hash and every other column: changing an old record breaks all later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain(pub [u8; 32]);

impl Chain {
    /// Where a thread's chain, and the org's chain of records without a thread, begin.
    pub const START: Chain = Chain([0; 32]);

    /// Each column as u32-BE length and bytes, integers as i64-BE, null as length 0xFFFFFFFF.
    pub fn next(self, record: &Record) -> Chain {
        let mut hash = Sha256::new();
        hash.update(self.0);
        let mut column = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => {
                hash.update((bytes.len() as u32).to_be_bytes());
                hash.update(bytes);
            }
            None => hash.update(u32::MAX.to_be_bytes()),
        };
        column(Some(record.org.as_str().as_bytes()));
        column(Some(&record.rev.to_be_bytes()));
        column(record.thread.as_ref().map(|thread| thread.as_str().as_bytes()));
        column(record.seq.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        column(Some(record.kind.as_str().as_bytes()));
        column(record.submitter.as_deref().map(str::as_bytes));
        column(record.id.as_deref().map(str::as_bytes));
        column(Some(record.body_team.as_bytes()));
        column(record.body_public.as_deref().map(str::as_bytes));
        column(Some(&record.counts.customer.to_be_bytes()));
        column(Some(&record.counts.team.to_be_bytes()));
        column(Some(&record.at.to_be_bytes()));
        Chain(hash.finalize().into())
    }
}
