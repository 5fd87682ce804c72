//! Which texts a message is carried on as, and under which tag.

use std::sync::Arc;

use anyhow::Result;

use super::{Clerk, Store};
use crate::domain::{
    Attempt, AttemptId, AttemptState, Brought, Entry, Fetched, Kind, Leg, MAX_PHOTOS, MAX_SMS_UNITS, MessageBody,
    OrgId, Phone, PhotoId, Record, Side, Text, ThreadId, parts, segments,
};
use crate::ledger::{copies, texting};

/// A tag names another thread only when it was not used for so long.
const TAG_RESTS_MS: i64 = 30 * 24 * 3_600_000;
/// The breaker: texts to one phone that nobody wrote to it, within a minute.
pub(super) const AUTOMATIC: usize = 10;
const MINUTE_MS: i64 = 60_000;
/// So long a text waits for what is fetched of the MMS that it carries on.
const MEDIA_WAITS_MS: i64 = 20_000;
/// Photos of one text: their renditions fit into 5 MB, which is what Twilio takes.
const ALONG: usize = MAX_PHOTOS;
/// Room for `(10 attachments)`.
const COUNT_UNITS: u32 = 20;

/// Why a leg is not even tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    OptedOut,
    TooMany,
}

impl Held {
    pub fn sentence(self) -> &'static str {
        match self {
            Held::OptedOut => "Not texted: texts are off for your number.",
            Held::TooMany => "Not texted: too many texts went to your number.",
        }
    }

    pub fn reason(self) -> &'static str {
        match self {
            Held::OptedOut => "Not texted: this phone has asked for no more texts. The message stands in the portal.",
            Held::TooMany => "Not copied: more than 10 texts went to this phone within a minute.",
        }
    }
}

pub(super) struct PlannedLeg {
    pub leg: Leg,
    pub to: Phone,
    pub parts: Vec<String>,
    /// Photos that go along with the last part.
    pub media: Vec<PhotoId>,
    /// Parts of an MMS, which are still to be fetched: the last part waits for them.
    pub awaited: u32,
    pub held: Option<Held>,
}

#[derive(Default)]
pub(super) struct Plan {
    pub tag: Option<i64>,
    pub legs: Vec<PlannedLeg>,
}

impl Plan {
    pub fn texts(&self) -> Vec<Text> {
        self.legs
            .iter()
            .filter(|leg| leg.held.is_none())
            .map(|leg| Text::of(leg.leg, leg.to.clone(), &leg.parts))
            .collect()
    }
}

impl<S: Store> Clerk<'_, S> {
    /// What is written by the customer goes to the business phones; what the team writes to the
    /// customer's, and where the org wants it to the business phones that did not write it.
    pub(super) async fn plan(&mut self, org: &OrgId, thread: &ThreadId, body: &MessageBody) -> Result<Plan> {
        let settings = self.orgs[org].settings.as_ref();
        let Some((settings, number)) = settings.and_then(|settings| Some((settings, settings.number.clone()?))) else {
            return Ok(Plan::default());
        };
        let settings = settings.clone();
        let contact = self.orgs[org].threads[thread].contact.clone();
        let mut plan = Plan::default();
        let is_team = body.from.side() == Side::Team;
        let media: Vec<_> = body.photos.iter().map(|photo| photo.id.clone()).collect();
        let awaited = body.media.len() as u32;
        let said = body.text.as_str();
        if is_team
            && !(said.is_empty() && media.is_empty() && awaited == 0)
            && let Some(phone) = &contact.phone
        {
            let off = self.is_off(org, &number, phone).await?;
            plan.legs.push(PlannedLeg {
                leg: Leg::Customer,
                to: phone.clone(),
                parts: parts_of(said, awaited),
                media: media.clone(),
                awaited,
                held: off.then_some(Held::OptedOut),
            });
        }
        if is_team && !settings.copy_answers {
            return Ok(plan);
        }
        let who = match (is_team, &body.from.name) {
            (true, name) => format!("{name} to {}", contact.name),
            (false, _) => contact.name.clone(),
        };
        let said = format!("{who}: {said}");
        let copies = self
            .copies(org, thread, body.phone.as_ref(), &said, &media, awaited)
            .await?;
        plan.tag = copies.tag;
        plan.legs.extend(copies.legs);
        Ok(plan)
    }

    /// What the business phones are told, all but the one that said it, with the thread's tag before it.
    pub(super) async fn copies(
        &mut self,
        org: &OrgId,
        thread: &ThreadId,
        writer: Option<&Phone>,
        said: &str,
        media: &[PhotoId],
        awaited: u32,
    ) -> Result<Plan> {
        let mut plan = Plan::default();
        let Some(settings) = self.orgs[org].settings.clone() else {
            return Ok(plan);
        };
        let Some(number) = settings.number else {
            return Ok(plan);
        };
        let mut copies = Vec::new();
        for phone in &settings.business_phones {
            // Its own words would come back to it; and one that wants no texts gets none.
            if writer == Some(phone) || self.is_off(org, &number, phone).await? {
                continue;
            }
            let recent = self.automatic(org, phone).await?;
            copies.push((phone.clone(), (recent.len() >= AUTOMATIC).then_some(Held::TooMany)));
        }
        if copies.iter().any(|(_, held)| held.is_none()) {
            plan.tag = Some(self.tag_for(org, thread).await?);
        }
        let tag = plan.tag.map(|tag| format!("#{tag} ")).unwrap_or_default();
        for (to, held) in copies {
            plan.legs.push(PlannedLeg {
                leg: Leg::Copy,
                to,
                parts: parts_of(&format!("{tag}{said}"), awaited),
                media: media.to_vec(),
                awaited,
                held,
            });
        }
        Ok(plan)
    }

    /// What was fetched of an MMS goes along with the texts that wait for it, and with the last of it they
    /// wait no longer. What is no photo, or one too many, is counted.
    pub(super) async fn bring(&mut self, org: &OrgId, thread: &ThreadId, of: i64) -> Result<()> {
        let mut waiting = texting::attempts_of(self.store.connection(), org, thread, of).await?;
        // A copy has no texts: what waits carries the original on.
        if waiting.is_empty()
            && let Some((thread, of)) = self.original(org, thread, of).await?
        {
            waiting = texting::attempts_of(self.store.connection(), org, &thread, of).await?;
        }
        waiting.retain(Attempt::awaits_media);
        let Some(one) = waiting.first() else {
            return Ok(());
        };
        let all = one.media.len() + one.counted as usize;
        let stored = copies::media_of(self.store.connection(), org, thread, of).await?;
        let entered = self.orgs[org].entered.records.iter();
        let entered = entered.filter(|r| r.kind == Kind::Media && r.thread.as_ref() == Some(thread));
        let mut fetched = Vec::new();
        for record in stored.iter().chain(entered.map(Arc::as_ref)) {
            if let Entry::Media(body) = Entry::parse(record.kind, &record.body_team)?
                && body.of == of
            {
                fetched.push(body);
            }
        }
        fetched.sort_by_key(|body| body.index);
        let photos = fetched.iter().filter_map(|body| match &body.fetched {
            Fetched::Photo(photo) => Some(photo.id.clone()),
            _ => None,
        });
        let media: Vec<_> = photos.take(ALONG).collect();
        for attempt in &waiting {
            let brought = Brought {
                media: media.clone(),
                counted: (all - media.len()) as u32,
                due_at: if fetched.len() < all { attempt.due_at } else { self.now },
            };
            self.open_mut(org).entered.brought.insert(attempt.id.clone(), brought);
        }
        Ok(())
    }

    /// Where a message was said, if this is a copy of it.
    async fn original(&mut self, org: &OrgId, thread: &ThreadId, seq: i64) -> Result<Option<(ThreadId, i64)>> {
        let entered = self.orgs[org].entered.records.iter();
        let mut entered = entered.filter(|r| r.thread.as_ref() == Some(thread) && r.seq == Some(seq));
        let copy = match entered.next() {
            Some(record) => Some(Record::clone(record)),
            None => copies::at_seq(self.store.connection(), org, thread, seq).await?,
        };
        let Some(copy) = copy else { return Ok(None) };
        let Some(from) = Entry::parse(copy.kind, &copy.body_team)?.copied_from().cloned() else {
            return Ok(None);
        };
        let said = copies::at_rev(self.store.connection(), org, from.rev).await?;
        Ok(said.and_then(|said| Some((from.thread, said.seq?))))
    }

    /// Puts a message's leg into the outbox.
    pub(super) fn queue_message(&mut self, org: &OrgId, thread: &ThreadId, record: &Arc<Record>, leg: PlannedLeg) {
        if leg.leg == Leg::Copy {
            self.open_mut(org)
                .entered
                .copied
                .insert((leg.to.clone(), thread.clone()), record.at);
        }
        let of = record.seq.unwrap_or_default();
        self.queue(org, Some((thread.clone(), of)), record, leg);
    }

    pub(super) fn queue(&mut self, org: &OrgId, message: Option<(ThreadId, i64)>, record: &Record, leg: PlannedLeg) {
        let Some(number) = self.orgs[org].settings.as_ref().and_then(|s| s.number.clone()) else {
            return;
        };
        let parts = leg.parts.len() as u32;
        for (part, body) in (1..).zip(leg.parts) {
            let is_last = part == parts;
            let counted = if is_last { leg.awaited } else { 0 };
            let attempt = Attempt {
                id: AttemptId::random(),
                org: org.clone(),
                message: message.clone(),
                leg: leg.leg,
                rev: record.rev,
                part,
                parts,
                nth: 1,
                from: number.clone(),
                to: leg.to.clone(),
                body,
                media: if is_last { leg.media.clone() } else { Vec::new() },
                counted,
                linked: false,
                state: AttemptState::Due,
                due_at: record.at + if counted > 0 { MEDIA_WAITS_MS } else { 0 },
                queued_at: record.at,
                called_at: None,
                sid: None,
            };
            self.open_mut(org).entered.attempts.insert(attempt.id.clone(), attempt);
        }
    }

    pub(super) async fn is_off(&mut self, org: &OrgId, number: &Phone, phone: &Phone) -> Result<bool> {
        let key = (number.clone(), phone.clone());
        match self.orgs[org].entered.consents.get(&key) {
            Some(off) => Ok(*off),
            None => self.store.is_off(org, number, phone).await,
        }
    }

    /// What went to a phone within a minute that nobody wrote to it.
    pub(super) async fn automatic(&mut self, org: &OrgId, phone: &Phone) -> Result<Vec<Leg>> {
        let since = self.now - MINUTE_MS;
        let mut recent = texting::automatic_since(self.store.connection(), org, phone, since).await?;
        for attempt in self.orgs[org].entered.attempts.values() {
            let counts = attempt.leg.is_automatic() && (attempt.part, attempt.nth) == (1, 1);
            if counts && attempt.to == *phone && attempt.queued_at > since {
                recent.insert(attempt.id.clone(), attempt.leg);
            }
        }
        Ok(recent.into_values().collect())
    }

    /// The thread's own tag while it is its own, else the lowest that rests.
    pub(super) async fn tag_for(&mut self, org: &OrgId, thread: &ThreadId) -> Result<i64> {
        let tags = &self.orgs[org].entered.tags;
        if let Some((tag, _)) = tags.iter().find(|(_, (of, _))| of == thread) {
            return Ok(*tag);
        }
        if let Some((tag, _)) = texting::tag_of(self.store.connection(), org, thread).await?
            && !self.orgs[org].entered.tags.contains_key(&tag)
        {
            return Ok(tag);
        }
        let since = self.now - TAG_RESTS_MS;
        let mut tag = texting::free_tag(self.store.connection(), org, since).await?;
        while self.orgs[org].entered.tags.contains_key(&tag) || self.is_in_use(org, tag, since).await? {
            tag += 1;
        }
        Ok(tag)
    }

    async fn is_in_use(&mut self, org: &OrgId, tag: i64, since: i64) -> Result<bool> {
        let found = texting::tagged(self.store.connection(), org, tag).await?;
        Ok(found.is_some_and(|(_, at)| at >= since))
    }

    /// The thread that a tag names.
    pub(super) async fn tagged(&mut self, org: &OrgId, tag: i64) -> Result<Option<ThreadId>> {
        if let Some((thread, _)) = self.orgs[org].entered.tags.get(&tag) {
            return Ok(Some(thread.clone()));
        }
        let found = texting::tagged(self.store.connection(), org, tag).await?;
        Ok(found.map(|(thread, _)| thread))
    }
}

/// Attachments are counted at the end of the last part; where there is no room, that is one of its own.
fn parts_of(said: &str, awaited: u32) -> Vec<String> {
    let mut parts = parts(said);
    let is_full = |last: &String| segments(last).units + COUNT_UNITS > MAX_SMS_UNITS;
    if awaited > 0 && parts.last().is_some_and(is_full) {
        parts.push(String::new());
    }
    parts
}
