//! Photos from their upload on: taken in, known to the ledger, kept in the store; and removed again if
//! nobody sends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::domain::{Code, OrgId, PhotoId, Refusal, Upload};
use crate::ledger::Photos;
use crate::photos::store::{Found, Rendition};
use crate::photos::{Accept, Intake, Links, Rendered, Spooled, Store};

/// An upload that nobody sent for so long is removed.
pub const UNSENT: Duration = Duration::from_secs(24 * 3_600);
const SWEEP: Duration = Duration::from_secs(600);
/// Removed in one round.
const MOST: u32 = 200;
/// What somebody may have uploaded and not sent: a few messages' worth, by people who change their minds.
const MOST_UNSENT: u64 = 50;
const MOST_UNSENT_BYTES: u64 = 200 * 1024 * 1024;
/// How long a link for Twilio is good: texts may wait there for their turn.
pub const LINK_S: i64 = 24 * 3_600;

pub struct Gallery {
    pub rows: Arc<dyn Photos>,
    pub links: Links,
    intake: Intake,
    store: Store,
    /// Whether the store took what it was given last.
    well: AtomicBool,
}

impl Gallery {
    pub fn new(rows: Arc<dyn Photos>, store: Store, links: Links) -> Self {
        Self {
            rows,
            links,
            intake: Intake::default(),
            store,
            well: AtomicBool::new(true),
        }
    }

    /// Refuses somebody who has uploaded too much and sent none of it. What is under way meanwhile is not
    /// counted.
    pub async fn may_upload(&self, org: &OrgId, uploader: &str) -> Result<(), Refusal> {
        let (count, bytes) = self.rows.unsent(org, uploader).await.map_err(|error| {
            tracing::error!(%error, "unsent photos could not be counted");
            later()
        })?;
        if count < MOST_UNSENT && bytes < MOST_UNSENT_BYTES {
            return Ok(());
        }
        Err(Refusal::new(
            Code::TooManyUploads,
            "you have uploaded many photos and not sent them; send some, or wait until tomorrow",
        ))
    }

    /// Makes a photo of what was uploaded.
    pub async fn take_in(
        &self,
        org: &OrgId,
        uploader: &str,
        spooled: Arc<Spooled>,
        accept: Accept,
    ) -> Result<Upload, Refusal> {
        let rendered = self.intake.take_in(Arc::clone(&spooled), accept).await?;
        let upload = Upload {
            org: org.clone(),
            id: PhotoId::random(),
            uploader: uploader.to_owned(),
            size: Some((rendered.width, rendered.height)),
            bytes: spooled.bytes,
            sha256: spooled.sha256.clone(),
            content_type: rendered.content_type.to_owned(),
            place: None,
        };
        self.keep(&upload, Kept::Photo(rendered)).await?;
        counter!("crewline_photos_total").increment(1);
        Ok(upload)
    }

    /// Keeps a file as it is; `content_type` is what others claim.
    pub async fn take_file(
        &self,
        org: &OrgId,
        uploader: &str,
        spooled: Arc<Spooled>,
        content_type: &str,
    ) -> Result<Upload, Refusal> {
        let upload = Upload {
            org: org.clone(),
            id: PhotoId::random(),
            uploader: uploader.to_owned(),
            size: None,
            bytes: spooled.bytes,
            sha256: spooled.sha256.clone(),
            content_type: content_type.to_owned(),
            place: None,
        };
        let bytes = tokio::task::spawn_blocking(move || spooled.read()).await;
        let bytes = bytes.map_err(|_| later())?.map_err(|_| later())?;
        self.keep(&upload, Kept::File(bytes)).await?;
        Ok(upload)
    }

    /// The row first: files that nobody knows of would never be removed.
    async fn keep(&self, upload: &Upload, kept: Kept) -> Result<(), Refusal> {
        if let Err(error) = self.rows.keep(upload).await {
            tracing::error!(%error, "a photo could not be entered");
            return Err(later());
        }
        let put = match kept {
            Kept::Photo(rendered) => self.store.put(&upload.id, rendered).await,
            Kept::File(bytes) => self.store.put_file(&upload.id, bytes).await,
        };
        self.learn(put).map_err(|()| later())
    }

    /// Whether photos can be kept, as far as this node knows. Messages go on without.
    pub fn is_well(&self) -> bool {
        self.well.load(Ordering::Relaxed)
    }

    fn learn(&self, put: anyhow::Result<()>) -> Result<(), ()> {
        self.well.store(put.is_ok(), Ordering::Relaxed);
        gauge!("crewline_photos_degraded").set(f64::from(u8::from(put.is_err())));
        put.map_err(|error| {
            tracing::error!(error = %one_line(&error), "photos cannot be kept");
        })
    }

    /// None if it is not in the store.
    pub async fn read(&self, id: &PhotoId, rendition: Rendition) -> Result<Option<Found>, Refusal> {
        self.store.get(id, rendition).await.map_err(|error| {
            tracing::error!(error = %one_line(&error), "a photo could not be read");
            Refusal::new(Code::Busy, "the photo cannot be read at the moment; try again")
        })
    }

    pub async fn sweep_forever(self: Arc<Self>, stop: CancellationToken) {
        let mut rounds = interval(SWEEP);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rounds.tick() => {}
            }
            if self.learn(self.store.check().await).is_err() {
                continue;
            }
            if let Err(error) = self.sweep(UNSENT).await {
                tracing::warn!(error = %one_line(&error), "unsent photos could not be removed; they are tried again");
            }
        }
    }

    /// One round: removes what nobody sent within `age`. Returns how many. What a round before left
    /// half done is done now.
    pub async fn sweep(&self, age: Duration) -> anyhow::Result<usize> {
        let expired = self.rows.expire(age, MOST).await?;
        for id in &expired {
            self.store.remove(id).await?;
            self.rows.forget(id).await?;
            counter!("crewline_photos_expired_total").increment(1);
        }
        Ok(expired.len())
    }
}

enum Kept {
    Photo(Rendered),
    File(Vec<u8>),
}

fn later() -> Refusal {
    Refusal::new(
        Code::Busy,
        "photos cannot be kept at the moment; try again later, or send the message without",
    )
}

/// The store's errors say their causes themselves, and quote what a bucket answered.
fn one_line(error: &anyhow::Error) -> String {
    error.to_string().replace('\n', " ")
}
