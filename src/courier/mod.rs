//! Sends what the outbox holds. An attempt is claimed with a lease, called outside any transaction, and
//! what became of it is told to the ledger. Any number of nodes may run couriers.

mod look_after;
mod media;
mod pace;
mod recover;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::counter;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::pace::Pace;
use crate::domain::{Attempt, AttemptId, Failure, Report};
use crate::gallery::{Gallery, LINK_S};
use crate::ledger::{Command, Ledger, Outbox};
use crate::photos::store::Rendition;
use crate::sms::twilio::{CreateError, Outgoing, TIME_OUT, Twilio};
use crate::sms::{failure, report};

/// Calls under way at once.
const IN_FLIGHT: usize = 50;
/// Claimed at once, and how far apart claims are: 250 texts a second, more than any account may send. The
/// calls of a claim start evenly from one claim to the next, so that a backlog of thousands comes neither in
/// one heap nor in heaps of 25, and leaves room for whoever chats meanwhile.
const CLAIM: usize = 25;
const APART: Duration = Duration::from_millis(100);
/// How often an idle courier looks into the outbox.
const POLL: Duration = Duration::from_millis(200);
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// A call ends well within it, so when it has run out the courier is gone.
const LEASE: Duration = TIME_OUT.saturating_add(Duration::from_secs(5));
/// How long an outcome is told again to a ledger that does not answer.
const TELL_FOR: Duration = Duration::from_secs(600);
/// A text that nobody sent for so long would only confuse its reader.
const TOO_OLD: Duration = Duration::from_secs(48 * 3_600);
/// Longest wait of what was not processed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct CourierSettings {
    /// Where Twilio tells how texts fare, and people see what a text links to.
    pub public_url: String,
    /// From one number, of this node.
    pub texts_per_second: u32,
    /// An uncertain attempt is looked for so long after its call, when it surely stands in Twilio's list.
    pub reconcile_after: Duration,
    /// An accepted text of which nothing more was heard is asked about after so long.
    pub ask_after: Duration,
    /// How often Twilio's list is searched for texts whose webhook got lost.
    pub recover_every: Duration,
}

pub struct Courier {
    ledger: Arc<dyn Ledger>,
    outbox: Arc<dyn Outbox>,
    gallery: Arc<Gallery>,
    twilio: Twilio,
    account: String,
    pace: Pace,
    settings: CourierSettings,
}

impl Courier {
    pub fn new(
        ledger: Arc<dyn Ledger>,
        outbox: Arc<dyn Outbox>,
        gallery: Arc<Gallery>,
        twilio: Twilio,
        account: String,
        settings: CourierSettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            ledger,
            outbox,
            gallery,
            twilio,
            account,
            pace: Pace::new(settings.texts_per_second),
            settings,
        })
    }

    /// Works until it is told to stop; calls that are under way then still end.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let recovering = tokio::spawn(Arc::clone(&self).recover_forever(stop.clone()));
        let looking = tokio::spawn(Arc::clone(&self).look_after_forever(stop.clone()));
        let fetching = tokio::spawn(Arc::clone(&self).fetch_forever(stop.clone()));
        let mut calls = JoinSet::new();
        while !stop.is_cancelled() {
            let pause = self.start(&mut calls).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
            while calls.try_join_next().is_some() {}
        }
        while calls.join_next().await.is_some() {}
        let _ = tokio::join!(recovering, looking, fetching);
    }

    /// Calls for what may be sent now. Returns when to look again.
    async fn start(self: &Arc<Self>, calls: &mut JoinSet<()>) -> Duration {
        let room = CLAIM.min(IN_FLIGHT - calls.len());
        if room == 0 {
            return APART;
        }
        match self.claim(room, calls).await {
            Ok(0) => POLL,
            Ok(_) => APART,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                POLL
            }
        }
    }

    /// One round, for whoever drives it step by step: everything that is due now. Returns how many
    /// calls were made.
    pub async fn step(self: &Arc<Self>) -> crate::ledger::Result<u32> {
        let mut calls = JoinSet::new();
        let made = self.claim(IN_FLIGHT, &mut calls).await?;
        calls.join_all().await;
        Ok(made)
    }

    /// Claims what may be sent now, and calls; what its number's rate does not allow goes back until its
    /// turn, beside the calls, which are not to wait for it. Returns how many calls are made.
    async fn claim(self: &Arc<Self>, most: usize, calls: &mut JoinSet<()>) -> crate::ledger::Result<u32> {
        let claimed = self.outbox.claim(most as u32, LEASE).await?;
        let now = Instant::now();
        let (mut made, mut early) = (0, Vec::new());
        for attempt in claimed {
            match self.pace.turn(&attempt.from, now) {
                None => {
                    let (courier, turn) = (Arc::clone(self), now + APART / CLAIM as u32 * made);
                    calls.spawn(async move {
                        sleep_until(turn).await;
                        courier.carry(attempt).await;
                    });
                    made += 1;
                }
                Some(wait) => early.push((attempt, wait)),
            }
        }
        if !early.is_empty() {
            calls.spawn(Arc::clone(self).give_back(early));
        }
        Ok(made)
    }

    async fn carry(self: Arc<Self>, attempt: Attempt) {
        if waited(&attempt) > TOO_OLD {
            return self.tell(&attempt, expired()).await;
        }
        let callback = format!(
            "{}/twilio/status?attempt={}",
            self.settings.public_url,
            attempt.id.as_str()
        );
        // Five of these renditions fit into a message; a link is made for this call alone.
        let exp = now_ms() / 1_000 + LINK_S;
        let link = |id| self.gallery.links.sign(id, Rendition::Sms, exp);
        let media: Vec<_> = attempt.media.iter().map(link).collect();
        let body = attempt.text(&self.settings.public_url);
        let outgoing = Outgoing {
            to: attempt.to.as_str(),
            from: attempt.from.as_str(),
            body: &body,
            media: &media,
            status_callback: &callback,
        };
        counter!("crewline_sms_calls_total").increment(1);
        let heard = match self.twilio.create(&outgoing).await {
            // One that failed at once says why by its callback; that it was taken on is certain.
            Ok(accepted) => report(&accepted.sid, accepted.status, None, attempt.nth).unwrap_or(Report::Accepted {
                sid: accepted.sid,
                status: accepted.status.as_str().into(),
            }),
            Err(CreateError::Refused { code, status, .. }) => {
                tracing::warn!(attempt = attempt.id.as_str(), code, status, "a text was refused");
                Report::Failed {
                    sid: None,
                    status: "refused".into(),
                    failure: failure(code, attempt.nth),
                }
            }
            Err(CreateError::Throttled { retry_after }) => {
                return self.postpone(attempt, retry_after).await;
            }
            Err(error @ CreateError::NotSent(_)) => {
                tracing::warn!(%error, "Twilio cannot be reached");
                return self.postpone(attempt, None).await;
            }
            Err(error @ CreateError::Uncertain(_)) => {
                tracing::warn!(attempt = attempt.id.as_str(), %error, "a text's outcome is not known yet");
                counter!("crewline_sms_uncertain_total").increment(1);
                Report::Uncertain
            }
        };
        self.tell(&attempt, heard).await;
    }

    /// It surely created nothing, so the same attempt may be called again: later each time.
    async fn postpone(self: Arc<Self>, attempt: Attempt, wait: Option<Duration>) {
        let wait = wait.unwrap_or_else(|| waited(&attempt).max(Duration::from_secs(1)));
        let wait = wait.min(LONGEST_WAIT);
        counter!("crewline_sms_postponed_total").increment(1);
        self.give_back(vec![(attempt, wait)]).await;
    }

    /// Each to wait so long. If this is not kept, the lease runs out and nobody knows that nothing was created.
    async fn give_back(self: Arc<Self>, attempts: Vec<(Attempt, Duration)>) {
        let mut again = Again::for_(LEASE);
        while let Err(error) = self.outbox.postpone(&attempts).await {
            if !again.pause().await {
                tracing::error!(%error, attempts = attempts.len(), "attempts could not be postponed");
                return;
            }
        }
    }

    /// Tells the ledger what became of an attempt, again and again if it does not answer: nobody else
    /// knows it.
    async fn tell(&self, attempt: &Attempt, heard: Report) {
        let mut again = Again::for_(TELL_FOR);
        loop {
            let command = Command::Report {
                org: attempt.org.clone(),
                attempt: attempt.id.clone(),
                report: heard.clone(),
            };
            match self.ledger.submit(command).await {
                Ok(_) => return,
                Err(refusal) if refusal.code.retry() && again.pause().await => {}
                Err(refusal) => {
                    tracing::error!(attempt = ?AttemptId::clone(&attempt.id), %refusal, "an outcome could not be kept");
                    return;
                }
            }
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

fn waited(attempt: &Attempt) -> Duration {
    let waited = attempt.called_at.unwrap_or(attempt.queued_at) - attempt.queued_at;
    Duration::from_millis(waited.max(0) as u64)
}

fn expired() -> Report {
    Report::Failed {
        sid: None,
        status: "expired".into(),
        failure: Failure {
            code: None,
            sentence: "Not texted: it could not be sent in time.".into(),
            reason: "It waited for two days and was not sent any more.".into(),
            retry: None,
            opted_out: false,
        },
    }
}

/// Trying again, longer apart each time, until an end.
struct Again {
    until: Instant,
    pause: Duration,
}

impl Again {
    fn for_(how_long: Duration) -> Self {
        Self {
            until: Instant::now() + how_long,
            pause: Duration::from_millis(50),
        }
    }

    /// False if it is time to give up.
    async fn pause(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(2));
        true
    }
}
