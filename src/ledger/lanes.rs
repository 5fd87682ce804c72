//! The two lanes to a writer. What somebody waits for goes before what has time: reports of texts come by
//! the thousand, and nobody's message is to stand behind them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::pending::Queued;
use super::writer::BATCH;

/// Commands that may wait in a lane. Beyond it callers hear `busy`: bounded memory, and an honest answer.
const AWAITED: usize = 16_384;
const BACKGROUND: usize = 4_096;
/// Of the background in one transaction: whoever comes meanwhile waits for no more.
const BITE: usize = 32;
/// After its turn the background rests so many times as long as that took, so it has a fifth of the writer's
/// time at most. What comes meanwhile shares the next turn.
const REST: u32 = 4;
const LONGEST_REST: Duration = Duration::from_millis(100);

/// Where commands are put in.
pub(super) struct Entrance {
    awaited: mpsc::Sender<Queued>,
    background: mpsc::Sender<Queued>,
}

impl Entrance {
    /// False if there is no room.
    pub fn put(&self, queued: Queued) -> bool {
        let lane = match queued.command.is_awaited() {
            true => &self.awaited,
            false => &self.background,
        };
        lane.try_send(queued).is_ok()
    }
}

/// Where a writer takes them out.
pub(super) struct Lanes {
    awaited: mpsc::Receiver<Queued>,
    background: mpsc::Receiver<Queued>,
    turns: Turns,
}

/// Whose turn it is.
pub(super) struct Turns {
    last: Turn,
    rests_until: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Awaited,
    /// Since when.
    Background(Instant),
}

impl Turns {
    pub fn new(now: Instant) -> Self {
        Self {
            last: Turn::Awaited,
            rests_until: now,
        }
    }

    /// The last turn is over. Whether the background goes before the others: it waits for one batch of
    /// theirs, not for the day when nothing comes any more.
    fn is_over(&mut self, now: Instant) -> bool {
        match self.last {
            Turn::Awaited => now >= self.rests_until,
            Turn::Background(since) => {
                self.rests_until = now + ((now - since) * REST).min(LONGEST_REST);
                false
            }
        }
    }

    /// How much of a lane is taken, whose turn begins.
    fn begin(&mut self, is_awaited: bool) -> usize {
        let (turn, most) = match is_awaited {
            true => (Turn::Awaited, BATCH),
            false => (Turn::Background(Instant::now()), BITE),
        };
        self.last = turn;
        most
    }

    /// Of what waits already, in the same turns: only where nobody else waits the background does not rest.
    pub fn take(&mut self, awaited: &mut VecDeque<Queued>, background: &mut VecDeque<Queued>) -> Vec<Queued> {
        let is_due = self.is_over(Instant::now()) && !background.is_empty();
        let is_awaited = !awaited.is_empty() && !is_due;
        let lane = if is_awaited { awaited } else { background };
        let most = self.begin(is_awaited).min(lane.len());
        lane.drain(..most).collect()
    }
}

pub(super) fn lanes() -> (Entrance, Lanes) {
    let (awaited, awaited_receiver) = mpsc::channel(AWAITED);
    let (background, background_receiver) = mpsc::channel(BACKGROUND);
    let lanes = Lanes {
        awaited: awaited_receiver,
        background: background_receiver,
        turns: Turns::new(Instant::now()),
    };
    (Entrance { awaited, background }, lanes)
}

impl Lanes {
    /// Whatever has queued in the lane whose turn it is. Empty when the entrance is gone and all is taken.
    pub async fn next(&mut self) -> Vec<Queued> {
        let due = match self.turns.is_over(Instant::now()) {
            true => self.background.try_recv().ok(),
            false => None,
        };
        let (first, is_awaited) = match due {
            Some(first) => (first, false),
            None => {
                let rested = async {
                    sleep_until(self.turns.rests_until).await;
                    self.background.recv().await
                };
                tokio::select! {
                    biased;
                    Some(first) = self.awaited.recv() => (first, true),
                    Some(first) = rested => (first, false),
                    else => return Vec::new(),
                }
            }
        };
        let most = self.turns.begin(is_awaited);
        let lane = match is_awaited {
            true => &mut self.awaited,
            false => &mut self.background,
        };
        let mut batch = vec![first];
        while batch.len() < most
            && let Ok(next) = lane.try_recv()
        {
            batch.push(next);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AttemptId, OrgId, Report, Sub};
    use crate::ledger::Command;

    fn put(entrance: &Entrance, many: usize, is_awaited: bool) {
        for _ in 0..many {
            let org = OrgId::parse("acme").unwrap();
            let command = match is_awaited {
                true => Command::Revoke {
                    org,
                    sub: Sub::parse("sam").unwrap(),
                },
                false => Command::Report {
                    org,
                    attempt: AttemptId::random(),
                    report: Report::Uncertain,
                },
            };
            assert!(entrance.put(Queued::new(command).0));
        }
    }

    /// How many of which lane come next.
    async fn next(lanes: &mut Lanes) -> (usize, bool) {
        let batch = lanes.next().await;
        let awaited = batch.iter().filter(|queued| queued.command.is_awaited()).count();
        assert!(awaited == 0 || awaited == batch.len(), "never both");
        (batch.len(), awaited > 0)
    }

    #[tokio::test]
    async fn whoever_waits_stands_behind_one_bite_of_the_background() {
        let (entrance, mut lanes) = lanes();
        put(&entrance, 100, false);
        assert_eq!(next(&mut lanes).await, (BITE, false));
        put(&entrance, 3, true);
        assert_eq!(next(&mut lanes).await, (3, true));
        put(&entrance, BATCH + 1, true);
        lanes.turns.rests_until = Instant::now();
        assert_eq!(next(&mut lanes).await, (BITE, false));
        assert_eq!(next(&mut lanes).await, (BATCH, true));
        lanes.turns.rests_until = Instant::now() + LONGEST_REST;
        assert_eq!(next(&mut lanes).await, (1, true));
    }

    #[test]
    fn the_background_has_a_fifth_of_the_time_and_no_less() {
        let start = Instant::now();
        let mut turns = Turns::new(start);
        let mut background = 0;
        // Both lanes are full, and every transaction takes 2 ms.
        for n in 0..500 {
            let now = start + Duration::from_millis(2) * n;
            turns.last = match turns.is_over(now) {
                true => Turn::Background(now),
                false => Turn::Awaited,
            };
            background += usize::from(turns.last != Turn::Awaited);
        }
        assert_eq!(background, 100);
    }

    #[test]
    fn a_turn_that_took_long_is_no_reason_to_rest_for_ever() {
        let start = Instant::now();
        let mut turns = Turns::new(start);
        turns.last = Turn::Background(start);
        let end = start + Duration::from_secs(5);
        assert!(!turns.is_over(end));
        assert_eq!(turns.rests_until, end + LONGEST_REST);
    }

    #[tokio::test]
    async fn all_that_has_queued_is_taken_before_the_end() {
        let (entrance, mut lanes) = lanes();
        put(&entrance, BITE + 1, false);
        put(&entrance, 1, true);
        drop(entrance);
        let mut taken = 0;
        loop {
            match lanes.next().await.len() {
                0 => break,
                many => taken += many,
            }
        }
        assert_eq!(taken, BITE + 2);
    }

    #[tokio::test]
    async fn a_full_lane_does_not_fill_the_other() {
        let (entrance, _lanes) = lanes();
        put(&entrance, BACKGROUND, false);
        let report = Command::Report {
            org: OrgId::parse("acme").unwrap(),
            attempt: AttemptId::random(),
            report: Report::Uncertain,
        };
        assert!(!entrance.put(Queued::new(report).0));
        put(&entrance, 1, true);
    }
}
