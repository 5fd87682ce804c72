//! Somebody is writing: told to the others in the thread, stored nowhere.

use std::sync::Arc;

use super::post::forbidden;
use super::roster::{Member, Room};
use super::{Guest, Hub, Seated};
use crate::bus::Whisper;
use crate::domain::{Refusal, ThreadId};
use crate::protocol::{self, Text, Who};

impl Seated {
    /// Somebody is writing. Told to the others in the thread, stored nowhere.
    pub async fn typing(&self, guest: &Guest, thread: Option<&str>, on: bool, internal: bool) -> Result<(), Refusal> {
        let thread = guest.thread(thread)?;
        let who = guest.who().ok_or_else(forbidden)?;
        if internal {
            guest.team()?;
        }
        if guest.is_team() {
            self.hub.thread_exists(&guest.identity.org, &thread).await?;
        }
        let shown = if internal { None } else { guest.shown() };
        self.hub
            .deliver_typing(&self.room, &thread, &who, shown.as_ref(), on, Some(&self.member));
        self.hub
            .whisper(&self.room.org, Whisper::Typing { thread, who, shown, on });
        Ok(())
    }
}

impl Hub {
    pub(super) fn deliver_typing(
        &self,
        room: &Room,
        thread: &ThreadId,
        who: &Who,
        shown: Option<&Who>,
        on: bool,
        except: Option<&Arc<Member>>,
    ) {
        let team = Text::from(protocol::typing(thread, who, on));
        let public = shown.map(|who| Text::from(protocol::typing(thread, who, on)));
        room.pass(thread, Some(&team), public.as_ref(), except);
    }
}
