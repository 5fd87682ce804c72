//! Where pictures are kept: a folder, or a bucket of S3. Their keys are made here, of ids made here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, RetryConfig};

use super::Rendered;
use crate::domain::PhotoId;

/// Which of the pictures that are made of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendition {
    /// For a list.
    Thumb,
    /// For an MMS.
    Sms,
    /// As large as it came; of a file, the file.
    Full,
}

impl Rendition {
    pub const ALL: [Rendition; 3] = [Rendition::Thumb, Rendition::Sms, Rendition::Full];

    pub fn as_str(self) -> &'static str {
        match self {
            Rendition::Thumb => "thumb",
            Rendition::Sms => "sms",
            Rendition::Full => "full",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rendition| rendition.as_str() == text)
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<dyn ObjectStore>);

/// An object that is being read.
pub struct Found {
    pub bytes: u64,
    pub stream: BoxStream<'static, object_store::Result<Bytes>>,
}

impl Store {
    /// A folder, made if it is not there, or `s3://BUCKET/PREFIX` with the usual `AWS_…` variables.
    pub fn open(place: &str) -> anyhow::Result<Self> {
        if let Some(place) = place.strip_prefix("s3://") {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            let s3 = AmazonS3Builder::from_env()
                .with_bucket_name(bucket)
                .with_retry(patience())
                .build();
            let s3 = s3.context("the bucket for photos cannot be used")?;
            return Ok(Self(Arc::new(PrefixStore::new(s3, prefix))));
        }
        let cannot = || format!("photos cannot be kept in {place}");
        std::fs::create_dir_all(Path::new(place)).with_context(cannot)?;
        let folder = LocalFileSystem::new_with_prefix(place).with_context(cannot)?;
        // What was acknowledged is on the disk.
        Ok(Self(Arc::new(folder.with_fsync(true))))
    }

    /// Whether something can be kept: an empty object, the same each time.
    pub async fn check(&self) -> anyhow::Result<()> {
        self.0.put(&Key::from("check"), Bytes::new().into()).await?;
        Ok(())
    }

    /// All that was made of a picture.
    pub async fn put(&self, id: &PhotoId, rendered: Rendered) -> anyhow::Result<()> {
        let Rendered { full, sms, thumb, .. } = rendered;
        for (rendition, bytes) in [
            (Rendition::Full, full),
            (Rendition::Sms, sms),
            (Rendition::Thumb, thumb),
        ] {
            self.0.put(&key(id, rendition), bytes.into()).await?;
        }
        Ok(())
    }

    /// A file as it is.
    pub async fn put_file(&self, id: &PhotoId, bytes: Vec<u8>) -> anyhow::Result<()> {
        self.0.put(&key(id, Rendition::Full), bytes.into()).await?;
        Ok(())
    }

    /// None if it is not there.
    pub async fn get(&self, id: &PhotoId, rendition: Rendition) -> anyhow::Result<Option<Found>> {
        match self.0.get(&key(id, rendition)).await {
            Ok(found) => Ok(Some(Found {
                bytes: found.meta.size,
                stream: found.into_stream(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes all of it; what is not there is removed already.
    pub async fn remove(&self, id: &PhotoId) -> anyhow::Result<()> {
        for rendition in Rendition::ALL {
            match self.0.delete(&key(id, rendition)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A person waits for the upload; whoever else asks tries again.
fn patience() -> RetryConfig {
    RetryConfig {
        max_retries: 3,
        retry_timeout: Duration::from_secs(10),
        ..RetryConfig::default()
    }
}

/// In 256 folders, so that none grows without end.
fn key(id: &PhotoId, rendition: Rendition) -> Key {
    let id = id.as_str();
    Key::from_iter([&id[..2], id, rendition.as_str()])
}
