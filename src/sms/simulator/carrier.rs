//! What becomes of a message once it is taken on, and how that is told.

use rand::seq::SliceRandom;
use time::OffsetDateTime;

use super::Simulator;
use super::behaviour::Order;
use super::message::Message;
use super::webhooks::Told;
use crate::sms::status::Status;

/// "Media failed to download".
const NO_MEDIA: u32 = 63019;

impl Simulator {
    /// Fetches its media and moves it through its statuses, each told to its callback.
    pub(super) async fn carry(self, message: Message, media: Vec<String>) {
        let behaviour = self.world(|world| world.behaviour.clone());
        let mut end = self.world(|world| world.switch(&message.to)).end();
        for url in media {
            match self.fetch_media(&url).await {
                Some(found) => self.world(|world| {
                    let media = world.store.put(found);
                    world.change(&message.sid, |message| message.media.push(media));
                }),
                None => end = (Status::Failed, Some(NO_MEDIA)),
            }
        }
        let mut steps = match end.0 {
            Status::Failed => vec![end],
            _ => vec![(Status::Sending, None), (Status::Sent, None), end],
        };
        match behaviour.order {
            Order::Forward => {}
            Order::Reverse => steps.reverse(),
            Order::Shuffled => steps.shuffle(&mut rand::rng()),
            Order::ByHand => return,
        }
        for (status, code) in steps {
            tokio::time::sleep(behaviour.step()).await;
            for _ in 0..behaviour.copies {
                self.tell_status(&message.sid, status, code).await;
            }
        }
    }

    /// Moves a message to a status, unless it is further already, and tells its callback that very status.
    pub(super) async fn tell_status(&self, sid: &str, status: Status, code: Option<u32>) -> Option<Told> {
        let message = self.world(|world| world.advance(sid, status, code))?;
        let Some(url) = &message.status_callback else {
            return Some(Told::default());
        };
        let params = self.callback(&message, status, code);
        Some(self.0.webhooks.tell(url, &params).await)
    }

    /// The fields of a status callback:
    /// <https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>.
    fn callback(&self, message: &Message, status: Status, code: Option<u32>) -> Vec<(String, String)> {
        let mut params = vec![
            ("SmsSid", message.sid.clone()),
            ("SmsStatus", status.as_str().into()),
            ("MessageStatus", status.as_str().into()),
            ("To", message.to.clone()),
            ("MessageSid", message.sid.clone()),
            ("AccountSid", self.0.account_sid.clone()),
            ("From", message.from.clone()),
            ("ApiVersion", "2010-04-01".into()),
        ];
        if let Some(code) = code {
            params.push(("ErrorCode", code.to_string()));
        }
        if status.is_final() {
            let now = OffsetDateTime::now_utc();
            let (year, month, day, hour, minute) = (
                now.year() % 100,
                u8::from(now.month()),
                now.day(),
                now.hour(),
                now.minute(),
            );
            params.push((
                "RawDlrDoneDate",
                format!("{year:02}{month:02}{day:02}{hour:02}{minute:02}"),
            ));
        }
        self.with_extra_fields(params)
    }

    pub(super) fn with_extra_fields(&self, params: Vec<(&str, String)>) -> Vec<(String, String)> {
        let extra = self.world(|world| world.behaviour.extra_fields.clone());
        params
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .chain(extra)
            .collect()
    }
}
