//! Takes in bytes without keeping them in memory: many may upload at once, and slowly.

use std::io::{Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::MAX_BYTES;
use crate::domain::{Code, Refusal};

/// A nameless file that grows; it is gone when this is.
pub struct Spool {
    file: tokio::fs::File,
    bytes: u64,
    hash: Sha256,
}

/// All of it.
pub struct Spooled {
    file: std::fs::File,
    pub bytes: u64,
    /// In hex.
    pub sha256: String,
}

impl Spool {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            file: tokio::fs::File::from_std(tempfile::tempfile()?),
            bytes: 0,
            hash: Sha256::new(),
        })
    }

    /// Refuses what is more than a photo may have, at the first byte too many.
    pub async fn push(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.bytes += chunk.len() as u64;
        if self.bytes > MAX_BYTES {
            return Err(too_large());
        }
        self.hash.update(chunk);
        self.file.write_all(chunk).await.map_err(|error| disk(&error))
    }

    pub async fn finish(mut self) -> Result<Spooled, Refusal> {
        self.file.flush().await.map_err(|error| disk(&error))?;
        let digest = self.hash.finalize();
        Ok(Spooled {
            file: self.file.into_std().await,
            bytes: self.bytes,
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

impl Spooled {
    /// Blocks.
    pub fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::with_capacity(self.bytes as usize);
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

pub fn too_large() -> Refusal {
    let most = MAX_BYTES / (1024 * 1024);
    Refusal::new(
        Code::PhotoTooLarge,
        format!("a photo has at most {most} MB; send a smaller one"),
    )
}

fn disk(error: &std::io::Error) -> Refusal {
    tracing::error!(%error, "an upload could not be written down");
    Refusal::new(Code::Busy, "the photo could not be taken in; try again")
}
