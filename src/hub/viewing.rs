//! Which thread somebody of the team has open: told to colleagues, stored nowhere. It holds for a while
//! unless it is repeated, so that nobody looks for ever.

use super::post::forbidden;
use super::roster::Room;
use super::{Guest, Hub, Seated};
use crate::bus::Whisper;
use crate::domain::{Refusal, ThreadId};
use crate::protocol::{self, Text, Who};

impl Seated {
    /// Somebody of the team looks at this thread now, or at none.
    pub async fn viewing(&self, guest: &Guest, thread: Option<&str>) -> Result<(), Refusal> {
        guest.team()?;
        let who = guest.who().ok_or_else(forbidden)?;
        let thread = match thread {
            Some(thread) => Some(guest.thread(Some(thread))?),
            None => None,
        };
        if let Some(thread) = &thread {
            self.hub.thread_exists(&guest.identity.org, thread).await?;
        }
        self.hub.deliver_viewing(&self.room, thread.as_ref(), &who);
        self.hub.whisper(&self.room.org, Whisper::Viewing { thread, who });
        Ok(())
    }
}

impl Hub {
    pub(super) fn deliver_viewing(&self, room: &Room, thread: Option<&ThreadId>, who: &Who) {
        room.pass_team(&Text::from(protocol::viewing(thread, who)));
    }
}
