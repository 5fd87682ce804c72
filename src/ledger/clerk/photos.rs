//! Photos of messages, and parts of MMS as they are fetched.

use anyhow::Result;

use super::{Clerk, Slip, Store, appended};
use crate::domain::{Entry, Fetched, MediaBody, Missing, OrgId, Photo, PhotoId, Place, Record, Refusal};
use crate::ledger::writer::Answer;
use crate::ledger::{Outcome, photos};

impl<S: Store> Clerk<'_, S> {
    /// The photos that a draft names, if each of them is its sender's and was not sent before. All else
    /// is refused alike.
    pub(super) async fn photos(
        &mut self,
        org: &OrgId,
        submitter: &str,
        ids: &[PhotoId],
    ) -> Result<Result<Vec<Photo>, Refusal>> {
        let mut photos = Vec::new();
        for id in ids {
            let is_sent = self.orgs[org].entered.photos.contains_key(id);
            let upload = self.store.photo(org, id).await?;
            let upload = upload.filter(|one| !is_sent && one.place.is_none() && one.uploader == submitter);
            match upload.and_then(|one| one.size.map(|size| (size, one.sha256))) {
                Some(((width, height), sha256)) => photos.push(Photo {
                    id: id.clone(),
                    width,
                    height,
                    sha256,
                }),
                None => return Ok(Err(Refusal::unknown_photo())),
            }
        }
        Ok(Ok(photos))
    }

    /// Appends what became of a part of an MMS, once.
    pub(super) async fn fetched(&mut self, org: &OrgId, source: &str, fetched: &Fetched) -> Result<Answer> {
        let entered = self.orgs[org].entered.missing.get(source).cloned();
        let missing = match entered {
            Some(missing) => missing,
            None => photos::missing_of(self.store.connection(), org, source).await?,
        };
        let Some(missing) = missing else {
            return Ok(Ok(Outcome::Unchanged));
        };
        if !self.load_thread(org, &missing.thread).await? {
            anyhow::bail!("thread {} of a part of an MMS is not there", missing.thread);
        }
        let body = MediaBody {
            of: missing.of,
            index: missing.index,
            fetched: fetched.clone(),
            source: missing.source,
            content_type: missing.content_type,
        };
        let slip = Slip {
            public: true,
            ..Slip::internal(&missing.thread, None)
        };
        let record = self.enter(org, &Entry::Media(body), slip);
        self.bring(org, &missing.thread, missing.of).await?;
        Ok(Ok(appended(&record)))
    }

    /// What a record says of where photos stand, and of what is to be fetched.
    pub(super) fn place_photos(&mut self, entry: &Entry, record: &Record) {
        let Some(thread) = &record.thread else { return };
        let entered = &mut self.open_mut(&record.org).entered;
        for id in entry.kept() {
            let place = Place {
                thread: thread.clone(),
                seq: record.seq,
            };
            entered.photos.insert(id.clone(), place);
        }
        match entry {
            Entry::Message(body) => {
                for (index, medium) in (0..).zip(&body.media) {
                    let Some(message) = medium.message.clone().or(body.id.clone()) else {
                        continue;
                    };
                    let missing = Missing {
                        org: record.org.clone(),
                        source: medium.source.clone(),
                        message,
                        thread: thread.clone(),
                        of: record.seq.unwrap_or_default(),
                        index,
                        content_type: medium.content_type.clone(),
                        tries: 0,
                    };
                    entered.missing.insert(medium.source.clone(), Some(missing));
                }
            }
            Entry::Media(body) => {
                entered.missing.insert(body.source.clone(), None);
            }
            _ => {}
        }
    }
}
