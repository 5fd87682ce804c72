//! Subscribe before you read: how a connection gets in without missing anything.

use std::sync::Arc;
use std::time::Duration;

use super::roster::{Member, Room, Step, TooMany};
use super::{Guest, Hub, lane, unreadable};
use crate::auth::Identity;
use crate::bus::BusError;
use crate::domain::{Code, OrgId, Refusal, View};
use crate::ledger::{LedgerError, ViewHead};

/// How long a joining connection waits for the bus before it goes on without.
const SUBSCRIBE_WITHIN: Duration = Duration::from_millis(250);
/// Team cursors further behind than this load afresh.
const TOO_FAR: i64 = 20_000;

/// A connection that is in the roster, gated. Dropping it leaves.
pub struct Seated {
    pub(super) hub: Hub,
    pub(super) room: Arc<Room>,
    pub member: Arc<Member>,
    pub welcome: Welcome,
}

/// Where a connection starts.
#[derive(Debug, Clone)]
pub struct Welcome {
    pub cursor: i64,
    /// Everything of the view up to this rev is in the client's hands.
    pub have_rev: i64,
    /// Why the client's cursor could not be used.
    pub reset: Option<&'static str>,
    pub log: String,
}

impl Hub {
    /// Puts a connection into the roster, gated: it misses nothing from here on.
    pub async fn join(&self, guest: &Guest, cursor: Option<i64>, log: Option<&str>) -> Result<Seated, Refusal> {
        if self.is_draining() {
            return Err(Refusal::new(
                Code::Busy,
                "this node is restarting; come back in a moment",
            ));
        }
        let view = guest.view()?;
        let serving = self.log();
        let room = self.started_room(view.org()).await?;
        let member = Arc::new(Member {
            view: view.clone(),
            identity: parking_lot::Mutex::new(guest.identity.clone()),
            who: guest.who(),
            person: guest.person.submitter(),
            lane: lane::Lane::default(),
        });
        let settings = &self.shared.settings;
        let came = room
            .join(
                Arc::clone(&member),
                settings.connections_per_user,
                settings.connections_per_org,
            )
            .map_err(|TooMany| {
                Refusal::new(
                    Code::TooManyConnections,
                    "too many connections; close another one first",
                )
            })?;
        // From here on dropping it leaves the roster.
        let mut seated = Seated {
            hub: self.clone(),
            room,
            member,
            welcome: Welcome {
                cursor: 0,
                have_rev: 0,
                reset: None,
                log: self.log().to_string(),
            },
        };
        self.tell_here(view.org(), came, Vec::new());
        let head = self.view_head(&view).await?;
        seated.room.badge(&view, head.badge);
        let reset = match cursor {
            _ if log.is_some_and(|log| *log != *serving) => Some("log"),
            Some(cursor) if cursor > head.number => Some("ahead"),
            Some(cursor) if matches!(view, View::Team { .. }) && head.number - cursor > TOO_FAR => Some("too_far"),
            _ => None,
        };
        let welcome = &mut seated.welcome;
        welcome.reset = reset;
        match cursor.filter(|_| reset.is_none()) {
            None => (welcome.cursor, welcome.have_rev) = (head.number, head.rev),
            Some(cursor) if cursor == head.number => (welcome.cursor, welcome.have_rev) = (cursor, head.rev),
            Some(cursor) => {
                welcome.cursor = cursor;
                welcome.have_rev = match view {
                    View::Team { .. } => cursor,
                    // Where its seq stands among the revs is not known: the ledger is read.
                    View::Customer { .. } => -1,
                };
            }
        }
        // What was read above may be of two logs.
        if self.log() != serving {
            return Err(Refusal::new(
                Code::Busy,
                "the database has changed; come back in a moment",
            ));
        }
        Ok(seated)
    }

    pub(super) async fn view_head(&self, view: &View) -> Result<ViewHead, Refusal> {
        match self.shared.ledger.head(view).await {
            Ok(Some(head)) => Ok(head),
            Ok(None) => Err(Refusal::not_found()),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// The org's room with its sequencer running: subscribed first, the head read afterwards.
    pub(super) async fn started_room(&self, org: &OrgId) -> Result<Arc<Room>, Refusal> {
        let room = Arc::clone(
            &self
                .shared
                .rooms
                .entry(org.clone())
                .or_insert_with(|| Arc::new(Room::new(org.clone()))),
        );
        let start = room.started.get_or_try_init(|| async {
            let subscribed = tokio::time::timeout(SUBSCRIBE_WITHIN, self.shared.bus.subscribe(org));
            match subscribed.await.unwrap_or_else(|_| Err(BusError("no answer".into()))) {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "not subscribed; the sweep delivers"),
            }
            let heads = self.shared.ledger.heads(std::slice::from_ref(org)).await?;
            if let Some(hole) = room.start(heads.first().map_or(0, |(_, rev)| *rev)) {
                self.heal(Arc::clone(&room), hole);
            }
            Ok::<_, LedgerError>(())
        });
        start.await.map_err(|error| unreadable(&error))?;
        Ok(room)
    }
}

impl Seated {
    /// The view's head, as far as this node knows.
    pub fn head(&self) -> i64 {
        self.room.head(&self.member.view)
    }

    pub fn step(&self, cursor: i64, have_rev: i64) -> Step {
        self.room.step(&self.member, cursor, have_rev)
    }

    /// The next frames after a cursor, from the ledger.
    pub fn read(&self, cursor: i64) -> impl Future<Output = Result<Arc<super::Batch>, Refusal>> + Send + use<> {
        let (hub, view) = (self.hub.clone(), self.member.view.clone());
        async move {
            let batch = hub.shared.catching_up.after(&view, cursor).await;
            batch.map_err(|error| unreadable(&error))
        }
    }

    /// A token for the same person, to go on with.
    pub fn refresh(&self, identity: Identity) -> Result<(), Refusal> {
        let mut mine = self.member.identity.lock();
        let same = (&identity.sub, &identity.org, identity.role, &identity.contact)
            == (&mine.sub, &mine.org, mine.role, &mine.contact);
        if !same {
            return Err(Refusal::new(
                Code::Forbidden,
                "a new token must be for the same sub, org, role and contact",
            ));
        }
        *mine = identity;
        Ok(())
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let went = self.room.leave(&self.member);
        self.hub.tell_here(&self.room.org, Vec::new(), went);
    }
}
