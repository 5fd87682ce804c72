//! Parts of MMS, fetched after their message and outside of its webhook. What is missing stands in the
//! database, so a restart forgets none of it.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use reqwest::Response;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Again, Courier, POLL};
use crate::domain::{Code, Fetched, KeptFile, Missing, Photo, Refusal};
use crate::ledger::Command;
use crate::photos::{Accept, Spool, Spooled};
use crate::sms::twilio::MediaError;

/// Fetched at once.
const AT_ONCE: usize = 8;
/// Renewed while a part is fetched; when it has run out the courier is gone. Short, because texts wait for
/// the part.
const LEASE: Duration = Duration::from_secs(10);
/// For a part's bytes.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// After so many tries, over some hours, it is given up.
const TRIES: u32 = 16;
const LONGEST_PAUSE: Duration = Duration::from_secs(1_800);

impl Courier {
    pub(super) async fn fetch_forever(self: Arc<Self>, stop: CancellationToken) {
        let mut rounds = interval(POLL);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fetches = JoinSet::new();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = rounds.tick() => {}
            }
            while fetches.try_join_next().is_some() {}
            let room = AT_ONCE - fetches.len();
            if room == 0 {
                continue;
            }
            match self.gallery.rows.missing(room as u32, LEASE).await {
                Ok(missing) => {
                    for one in missing {
                        fetches.spawn(Arc::clone(&self).fetch_leased(one));
                    }
                }
                Err(error) => tracing::warn!(%error, "what is to be fetched of MMS cannot be read"),
            }
        }
        fetches.join_all().await;
    }

    async fn fetch_leased(self: Arc<Self>, missing: Missing) {
        let renew = async {
            loop {
                tokio::time::sleep(LEASE / 3).await;
                if let Err(error) = self.gallery.rows.postpone_missing(&missing, LEASE).await {
                    tracing::warn!(%error, "a part of an MMS may be fetched twice");
                }
            }
        };
        tokio::select! {
            () = self.fetch_one(&missing) => {}
            () = renew => {}
        }
    }

    async fn fetch_one(&self, missing: &Missing) {
        let fetched = match self.fetch_part(missing).await {
            Ok(fetched) => fetched,
            Err(MediaError::Later(reason)) if missing.tries < TRIES => {
                tracing::info!(source = %missing.source, %reason, tries = missing.tries, "a part of an MMS is tried again");
                let pause = Duration::from_millis(500 << missing.tries.min(12)).min(LONGEST_PAUSE);
                if let Err(error) = self.gallery.rows.postpone_missing(missing, pause).await {
                    // Then it is due when its lease has run out.
                    tracing::warn!(%error, "a part of an MMS could not be postponed");
                }
                return;
            }
            Err(MediaError::Later(reason) | MediaError::Never(reason)) => {
                counter!("crewline_media_failed_total").increment(1);
                tracing::warn!(source = %missing.source, %reason, "a part of an MMS is given up");
                Fetched::Failed {
                    sentence: "This part of the message could not be fetched. Please send it again.".into(),
                    reason,
                }
            }
        };
        self.tell_fetched(missing, fetched).await;
    }

    async fn fetch_part(&self, missing: &Missing) -> Result<Fetched, MediaError> {
        let response = self.twilio.media(&missing.message, &missing.source).await?;
        let spooled = tokio::time::timeout(READ_WITHIN, spool(response)).await;
        let spooled = Arc::new(spooled.map_err(|_| MediaError::Later("it took too long".into()))??);
        let uploader = format!("sms:{}", self.account);
        let photo = self
            .gallery
            .take_in(&missing.org, &uploader, Arc::clone(&spooled), Accept::Mms)
            .await;
        let sha256 = spooled.sha256.clone();
        match photo {
            Ok(photo) => {
                let (width, height) = photo.size.unwrap_or_default();
                Ok(Fetched::Photo(Photo {
                    id: photo.id,
                    width,
                    height,
                    sha256,
                }))
            }
            Err(refusal) if refusal.code == Code::Busy => Err(later(&refusal)),
            // Whatever else it is: nothing is lost, and nothing of it is ever shown.
            Err(_) => {
                let file = self
                    .gallery
                    .take_file(&missing.org, &uploader, spooled, &missing.content_type)
                    .await
                    .map_err(|refusal| later(&refusal))?;
                Ok(Fetched::File(KeptFile {
                    id: file.id,
                    bytes: file.bytes,
                    sha256,
                }))
            }
        }
    }

    async fn tell_fetched(&self, missing: &Missing, fetched: Fetched) {
        let mut again = Again::for_(LEASE);
        loop {
            let command = Command::Fetch {
                org: missing.org.clone(),
                source: missing.source.clone(),
                fetched: fetched.clone(),
            };
            match self.ledger.submit(command).await {
                Ok(_) => return,
                Err(refusal) if refusal.code.retry() && again.pause().await => {}
                Err(refusal) => {
                    // It is fetched again; what was kept of it this time is swept.
                    tracing::error!(source = %missing.source, %refusal, "a part of an MMS could not be appended");
                    return;
                }
            }
        }
    }
}

async fn spool(mut response: Response) -> Result<Spooled, MediaError> {
    let mut spool = Spool::new().map_err(|error| MediaError::Later(error.to_string()))?;
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| MediaError::Later(error.without_url().to_string()))?;
        let Some(chunk) = chunk else { break };
        spool.push(&chunk).await.map_err(|refusal| match refusal.code {
            Code::PhotoTooLarge => MediaError::Never("it has more than 10 MB".into()),
            _ => later(&refusal),
        })?;
    }
    spool.finish().await.map_err(|refusal| later(&refusal))
}

fn later(refusal: &Refusal) -> MediaError {
    MediaError::Later(refusal.message.clone())
}
