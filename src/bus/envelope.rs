//! A payload of the bus: which log and which node it comes from, then a commit or a whisper.
//!
//! Binary, with every length before its bytes. Bodies are carried as they are stored: a node parses
//! none that nobody on it needs.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::domain::{Chain, Counts, Kind, OrgId, Record, ThreadId};
use crate::ledger::{Commit, CustomerBadge, TeamBadge};
use crate::protocol::Who;

const VERSION: u8 = 1;
const COMMIT: u8 = 1;
const WHISPER: u8 = 2;

/// A payload that is not of this version, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bus payload that this version cannot read")]
pub struct Unreadable;

#[derive(Debug, Clone)]
pub struct Envelope {
    /// Numbers of another log mean nothing here.
    pub log: Arc<str>,
    pub node: String,
    pub message: Message,
}

#[derive(Debug, Clone)]
pub enum Message {
    Commit(Commit),
    Whisper(Whisper),
}

/// A node's beat: that it is alive and can publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    pub log: String,
    pub node: String,
    /// The last one: the node leaves, and has published all that it committed.
    #[serde(default)]
    pub goodbye: bool,
}

impl Beat {
    pub fn encode(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).expect("plain structs serialise"))
    }

    pub fn decode(payload: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(payload).map_err(|_| Unreadable)
    }
}

/// What is worth knowing now and nothing later: never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "whisper", rename_all = "snake_case")]
pub enum Whisper {
    Typing {
        thread: ThreadId,
        /// For the team.
        who: Who,
        /// For the customer; none if it is not for the customer.
        shown: Option<Who>,
        on: bool,
    },
    /// Which thread somebody of the team has open; none any more.
    Viewing { thread: Option<ThreadId>, who: Who },
    /// Who is here at the sender's node. Forgotten unless it is repeated.
    Here { online: Vec<Who>, offline: Vec<Who> },
}

impl Envelope {
    pub fn encode(&self, org: &OrgId) -> Bytes {
        let mut out = BytesMut::with_capacity(512);
        out.put_u8(VERSION);
        put(&mut out, Some(&self.log));
        put(&mut out, Some(&self.node));
        put(&mut out, Some(org.as_str()));
        match &self.message {
            Message::Commit(commit) => {
                out.put_u8(COMMIT);
                put_commit(&mut out, commit);
            }
            Message::Whisper(whisper) => {
                out.put_u8(WHISPER);
                let json = serde_json::to_string(whisper).expect("plain enums serialise");
                put(&mut out, Some(&json));
            }
        }
        out.freeze()
    }

    pub fn decode(mut payload: Bytes) -> Result<(OrgId, Self), Unreadable> {
        let bytes = &mut payload;
        if bytes.try_get_u8().map_err(|_| Unreadable)? != VERSION {
            return Err(Unreadable);
        }
        let log: Arc<str> = text(bytes)?.into();
        let node = text(bytes)?;
        let org = OrgId::parse(&text(bytes)?).map_err(|_| Unreadable)?;
        let message = match bytes.try_get_u8().map_err(|_| Unreadable)? {
            COMMIT => Message::Commit(take_commit(bytes, &log, &org)?),
            WHISPER => Message::Whisper(serde_json::from_str(&text(bytes)?).map_err(|_| Unreadable)?),
            _ => return Err(Unreadable),
        };
        Ok((org, Self { log, node, message }))
    }
}

fn put_commit(out: &mut BytesMut, commit: &Commit) {
    out.put_i64(commit.badge.new);
    out.put_i64(commit.badge.waiting);
    out.put_i64(commit.badge.as_of);
    out.put_u32(commit.badges.len() as u32);
    for (thread, badge) in &commit.badges {
        put(out, Some(thread.as_str()));
        out.put_i64(badge.unread);
        out.put_i64(badge.as_of);
    }
    out.put_u32(commit.records.len() as u32);
    for record in &commit.records {
        out.put_i64(record.rev);
        out.put_i64(record.seq.unwrap_or(0));
        put(out, record.thread.as_ref().map(ThreadId::as_str));
        put(out, Some(record.kind.as_str()));
        out.put_i64(record.at);
        out.put_i64(record.counts.customer);
        out.put_i64(record.counts.team);
        out.put_slice(&record.hash.0);
        put(out, record.submitter.as_deref());
        put(out, record.id.as_deref());
        put(out, Some(&record.body_team));
        put(out, record.body_public.as_deref());
    }
}

fn take_commit(bytes: &mut Bytes, log: &Arc<str>, org: &OrgId) -> Result<Commit, Unreadable> {
    let badge = TeamBadge {
        new: int(bytes)?,
        waiting: int(bytes)?,
        as_of: int(bytes)?,
    };
    let badges = (0..count(bytes)?)
        .map(|_| {
            let thread = thread(bytes)?.ok_or(Unreadable)?;
            Ok((
                thread,
                CustomerBadge {
                    unread: int(bytes)?,
                    as_of: int(bytes)?,
                },
            ))
        })
        .collect::<Result<_, Unreadable>>()?;
    let records = (0..count(bytes)?)
        .map(|_| take_record(bytes, org).map(Arc::new))
        .collect::<Result<_, Unreadable>>()?;
    Ok(Commit {
        log: Arc::clone(log),
        org: org.clone(),
        records,
        badge,
        badges,
    })
}

fn take_record(bytes: &mut Bytes, org: &OrgId) -> Result<Record, Unreadable> {
    let rev = int(bytes)?;
    let seq = int(bytes)?;
    let thread = thread(bytes)?;
    let kind = Kind::parse(&text(bytes)?).ok_or(Unreadable)?;
    let at = int(bytes)?;
    let counts = Counts {
        customer: int(bytes)?,
        team: int(bytes)?,
    };
    if bytes.remaining() < 32 {
        return Err(Unreadable);
    }
    let mut hash = [0; 32];
    bytes.copy_to_slice(&mut hash);
    Ok(Record {
        org: org.clone(),
        rev,
        thread,
        seq: (seq > 0).then_some(seq),
        kind,
        submitter: take(bytes)?,
        id: take(bytes)?,
        body_team: text(bytes)?,
        body_public: take(bytes)?,
        counts,
        at,
        hash: Chain(hash),
    })
}

fn put(out: &mut BytesMut, text: Option<&str>) {
    match text {
        Some(text) => {
            out.put_u32(text.len() as u32);
            out.put_slice(text.as_bytes());
        }
        None => out.put_u32(u32::MAX),
    }
}

fn take(bytes: &mut Bytes) -> Result<Option<String>, Unreadable> {
    let length = bytes.try_get_u32().map_err(|_| Unreadable)?;
    if length == u32::MAX {
        return Ok(None);
    }
    if bytes.remaining() < length as usize {
        return Err(Unreadable);
    }
    let text = bytes.split_to(length as usize);
    std::str::from_utf8(&text)
        .map(|text| Some(text.to_owned()))
        .map_err(|_| Unreadable)
}

fn text(bytes: &mut Bytes) -> Result<String, Unreadable> {
    take(bytes)?.ok_or(Unreadable)
}

fn thread(bytes: &mut Bytes) -> Result<Option<ThreadId>, Unreadable> {
    take(bytes)?
        .map(|text| ThreadId::parse(&text).map_err(|_| Unreadable))
        .transpose()
}

fn int(bytes: &mut Bytes) -> Result<i64, Unreadable> {
    bytes.try_get_i64().map_err(|_| Unreadable)
}

/// How many things follow; each takes at least a byte, so more than are left is nonsense.
fn count(bytes: &mut Bytes) -> Result<u32, Unreadable> {
    let count = bytes.try_get_u32().map_err(|_| Unreadable)?;
    if count as usize > bytes.remaining() {
        return Err(Unreadable);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit() -> (OrgId, Envelope) {
        let org = OrgId::parse("acme").unwrap();
        let thread = ThreadId::random();
        let record = |rev, seq: Option<i64>| {
            Arc::new(Record {
                org: org.clone(),
                rev,
                thread: seq.map(|_| thread.clone()),
                seq,
                kind: Kind::Message,
                submitter: Some("contact:ana".into()),
                id: None,
                body_team: "{\"text\":\"漏れ\"}".into(),
                body_public: seq.map(|_| "{}".into()),
                counts: Counts { customer: 1, team: 2 },
                at: 3,
                hash: Chain([7; 32]),
            })
        };
        let commit = Commit {
            log: "log".into(),
            org: org.clone(),
            records: vec![record(4, Some(2)), record(5, None)],
            badge: TeamBadge {
                new: 1,
                waiting: 2,
                as_of: 5,
            },
            badges: vec![(thread.clone(), CustomerBadge { unread: 3, as_of: 2 })],
        };
        let envelope = Envelope {
            log: "log".into(),
            node: "node".into(),
            message: Message::Commit(commit),
        };
        (org, envelope)
    }

    #[test]
    fn a_commit_arrives_as_it_was() {
        let (org, sent) = commit();
        let (to, got) = Envelope::decode(sent.encode(&org)).unwrap();
        assert_eq!((to, &got.log, &got.node), (org, &sent.log, &sent.node));
        let (Message::Commit(sent), Message::Commit(got)) = (sent.message, got.message) else {
            panic!()
        };
        assert_eq!(
            (got.records, got.badge, got.badges),
            (sent.records, sent.badge, sent.badges)
        );
    }

    #[test]
    fn a_payload_cut_anywhere_is_unreadable_and_never_a_panic() {
        let (org, sent) = commit();
        let whole = sent.encode(&org);
        for cut in 0..whole.len() {
            assert_eq!(Envelope::decode(whole.slice(..cut)).unwrap_err(), Unreadable, "{cut}");
        }
    }
}
