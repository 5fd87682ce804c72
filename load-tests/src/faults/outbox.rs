//! What a client has said and nobody has acknowledged yet: sent again, with the same id, until it is.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::journal::Refusal;

/// At once: fewer than the hub lets a socket have under way, so that it goes on reading.
const IN_FLIGHT: usize = 8;
/// Before what was refused goes again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

#[derive(Default)]
pub struct Outbox(VecDeque<Entry>);

struct Entry {
    id: String,
    text: String,
    /// None while it waits to go.
    sent: Option<Instant>,
    due: Instant,
    tries: u64,
    /// A try had no answer, or one that left it open: it may be in the log already.
    doubtful: bool,
}

/// An answer that was waited for.
pub struct Answered {
    pub after: Duration,
    pub tries: u64,
}

impl Outbox {
    pub fn add(&mut self, id: String, text: String) {
        self.0.push_back(Entry {
            id,
            text,
            sent: None,
            due: Instant::now(),
            tries: 0,
            doubtful: false,
        });
    }

    /// What may go now, oldest first.
    pub fn take(&mut self, now: Instant) -> Vec<String> {
        let room = IN_FLIGHT.saturating_sub(self.0.iter().filter(|entry| entry.sent.is_some()).count());
        let due = self
            .0
            .iter_mut()
            .filter(|entry| entry.sent.is_none() && entry.due <= now);
        due.take(room)
            .map(|entry| {
                entry.sent = Some(now);
                entry.tries += 1;
                entry.text.clone()
            })
            .collect()
    }

    /// When `take` is worth calling again, if that is a matter of time.
    pub fn next_due(&self) -> Option<Instant> {
        self.0
            .iter()
            .filter(|entry| entry.sent.is_none())
            .map(|entry| entry.due)
            .min()
    }

    /// Since when the longest has been waiting for its answer.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.0.iter().filter_map(|entry| entry.sent).min()
    }

    /// Who stood still did not wait.
    pub fn woke_up(&mut self, now: Instant) {
        self.0
            .iter_mut()
            .filter_map(|entry| entry.sent.as_mut())
            .for_each(|sent| *sent = now);
    }

    /// The socket is gone, and with it the answers.
    pub fn lost(&mut self) {
        for entry in &mut self.0 {
            entry.doubtful |= entry.sent.is_some();
            (entry.sent, entry.due) = (None, Instant::now());
        }
    }

    /// Done with. A duplicate must be of something that may be there.
    pub fn acked(&mut self, id: &str, duplicate: bool) -> Result<Answered, String> {
        let at = self.0.iter().position(|entry| entry.id == id && entry.sent.is_some());
        let Some(entry) = at.and_then(|at| self.0.remove(at)) else {
            return Err(format!("{id} was acknowledged without having been asked"));
        };
        if duplicate && !entry.doubtful {
            return Err(format!(
                "{id} was kept before, although every earlier try was refused for sure"
            ));
        }
        Ok(entry.answered())
    }

    /// Goes again a little later.
    pub fn refused(&mut self, refusal: &Refusal, now: Instant) -> Option<Answered> {
        let entry = self.0.iter_mut().find(|entry| Some(&entry.id) == refusal.id.as_ref())?;
        let answered = entry.answered();
        entry.doubtful |= refusal.code == "unknown_outcome";
        (entry.sent, entry.due) = (None, now + AGAIN_AFTER);
        Some(answered)
    }
}

impl Entry {
    fn answered(&self) -> Answered {
        Answered {
            after: self.sent.map_or(Duration::ZERO, |sent| sent.elapsed()),
            tries: self.tries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Refusal {
        Refusal {
            id: Some("m1".into()),
            code: code.into(),
            retry: true,
        }
    }

    fn sent() -> Outbox {
        let mut outbox = Outbox::default();
        outbox.add("m1".into(), "one".into());
        assert_eq!(outbox.take(Instant::now()), ["one"]);
        outbox
    }

    #[test]
    fn what_was_refused_or_lost_goes_again_until_it_is_acknowledged() {
        let (mut outbox, now) = (sent(), Instant::now());
        assert!(outbox.take(now).is_empty());
        outbox.refused(&refusal("not_committed"), now);
        assert!(outbox.take(now).is_empty(), "not at once");
        assert_eq!(outbox.take(now + AGAIN_AFTER), ["one"]);
        outbox.lost();
        assert_eq!(outbox.take(Instant::now()), ["one"]);
        assert_eq!(outbox.acked("m1", true).unwrap().tries, 3);
        assert!(outbox.acked("m1", true).is_err(), "there was nothing to be answered");
    }

    #[test]
    fn a_duplicate_of_what_was_surely_not_kept_is_a_lie() {
        for (code, may_be_there) in [("not_committed", false), ("busy", false), ("unknown_outcome", true)] {
            let (mut outbox, now) = (sent(), Instant::now());
            outbox.refused(&refusal(code), now);
            outbox.take(now + AGAIN_AFTER);
            assert_eq!(outbox.acked("m1", true).is_ok(), may_be_there, "{code}");
        }
        assert!(sent().acked("m1", true).is_err());
    }

    #[test]
    fn no_more_are_under_way_than_the_hub_reads_on_with() {
        let mut outbox = Outbox::default();
        for n in 0..=IN_FLIGHT {
            outbox.add(format!("m{n}"), n.to_string());
        }
        assert_eq!(outbox.take(Instant::now()).len(), IN_FLIGHT);
        outbox.acked("m0", false).unwrap();
        assert_eq!(outbox.take(Instant::now()), [IN_FLIGHT.to_string()]);
    }
}
