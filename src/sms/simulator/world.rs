//! What there is: numbers, phones, messages, and who has stopped. All of it in memory and bounded; the
//! oldest goes first.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::behaviour::Behaviour;
use super::check::check;
use super::faults::Faults;
use super::feed::Feed;
use super::ledger::{Call, Ledger};
use super::media::Store;
use super::message::{Message, Way};
use crate::domain::Phone;
use crate::sms::keywords::{OptOut, opt_out};
use crate::sms::status::Status;

const MOST_MESSAGES: usize = 50_000;
const MOST_PHONES: usize = 20_000;
/// On the screen of one phone.
const MOST_SHOWN: usize = 200;

/// What a phone is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    #[default]
    Normal,
    /// Off, or out of reach: undelivered, 30003.
    Unreachable,
    /// Undelivered, 30006.
    Landline,
    /// It blocks these texts: undelivered, 30004.
    Blocked,
    /// No such number: creates are refused with 21211.
    Invalid,
}

impl Switch {
    /// How a message to it ends.
    pub fn end(self) -> (Status, Option<u32>) {
        match self {
            Self::Normal | Self::Invalid => (Status::Delivered, None),
            Self::Unreachable => (Status::Undelivered, Some(30003)),
            Self::Landline => (Status::Undelivered, Some(30006)),
            Self::Blocked => (Status::Undelivered, Some(30004)),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Handset {
    pub name: Option<String>,
    pub switch: Switch,
}

pub struct World {
    pub behaviour: Behaviour,
    numbers: BTreeMap<Phone, String>,
    phones: BTreeMap<String, Handset>,
    /// (number, phone): it sent STOP there.
    stopped: HashSet<(String, String)>,
    messages: BTreeMap<u64, Message>,
    by_sid: HashMap<String, u64>,
    next: u64,
    pub store: Store,
    pub feed: Feed,
    pub faults: Faults,
    pub ledger: Ledger,
}

impl World {
    pub fn new(numbers: Vec<(Phone, String)>, phones: Vec<(Phone, String)>, behaviour: Behaviour) -> Self {
        let named = |(phone, name): (Phone, String)| {
            let handset = Handset {
                name: Some(name),
                switch: Switch::Normal,
            };
            (phone.as_str().to_owned(), handset)
        };
        Self {
            behaviour,
            numbers: numbers.into_iter().collect(),
            phones: phones.into_iter().map(named).collect(),
            stopped: HashSet::new(),
            messages: BTreeMap::new(),
            by_sid: HashMap::new(),
            next: 1,
            store: Store::default(),
            feed: Feed::default(),
            faults: Faults::default(),
            ledger: Ledger::default(),
        }
    }

    /// A message that is to be sent, or the code of Twilio's refusal.
    pub fn create(&mut self, call: &Call) -> Result<Message, u32> {
        check(self, call)?;
        let mut message = self.make(Way::Api, &call.from, &call.to, &call.body, call.media.len());
        message.status_callback.clone_from(&call.status_callback);
        self.keep(message.clone());
        Ok(message)
    }

    /// A phone sends a text to one of the numbers. Twilio acts on keywords by itself.
    pub fn receive(
        &mut self,
        phone: &Phone,
        number: &Phone,
        body: &str,
        num_media: usize,
    ) -> (Message, Option<OptOut>) {
        let mut message = self.make(Way::In, phone.as_str(), number.as_str(), body, num_media);
        message.status = Status::Received;
        message.sent = Some(message.created);
        self.keep(message.clone());
        let pair = (number.as_str().to_owned(), phone.as_str().to_owned());
        let asks = opt_out(None, body);
        let told = match asks {
            Some(OptOut::Stop) if self.stopped.insert(pair.clone()) => {
                "You have successfully been unsubscribed. You will not receive any more messages from this number. \
                 Reply START to resubscribe."
            }
            Some(OptOut::Start) if self.stopped.remove(&pair) => {
                "You have successfully been re-subscribed to messages from this number. Reply HELP for help. \
                 Reply STOP to unsubscribe. Msg&Data Rates May Apply."
            }
            Some(OptOut::Help) => "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
            _ => return (message, asks),
        };
        let mut answer = self.make(Way::Reply, number.as_str(), phone.as_str(), told, 0);
        answer.is_listed = false;
        self.deliver(answer);
        (message, asks)
    }

    /// What a webhook answered in plain text goes back to the sender.
    pub fn reply(&mut self, to: &Message, body: &str) {
        if !self.has_stopped(&to.to, &to.from) {
            let answer = self.make(Way::Reply, &to.to, &to.from, body, 0);
            self.deliver(answer);
        }
    }

    fn deliver(&mut self, mut message: Message) {
        message.status = Status::Delivered;
        message.sent = Some(message.created);
        self.keep(message);
    }

    fn make(&mut self, way: Way, from: &str, to: &str, body: &str, num_media: usize) -> Message {
        self.next += 1;
        Message::new(self.next, way, from, to, body, num_media)
    }

    fn keep(&mut self, message: Message) {
        if self.phones.len() < MOST_PHONES {
            self.phones.entry(message.phone().to_owned()).or_default();
        }
        self.tell_of(&message);
        self.by_sid.insert(message.sid.clone(), message.n);
        self.messages.insert(message.n, message);
        if self.messages.len() > MOST_MESSAGES
            && let Some((_, oldest)) = self.messages.pop_first()
        {
            self.by_sid.remove(&oldest.sid);
        }
    }

    /// Changes a message, and tells who watches its phone.
    pub fn change(&mut self, sid: &str, change: impl FnOnce(&mut Message)) -> Option<Message> {
        let message = self.messages.get_mut(self.by_sid.get(sid)?)?;
        change(message);
        message.updated = OffsetDateTime::now_utc();
        let message = message.clone();
        self.tell_of(&message);
        Some(message)
    }

    /// Moves a message on, unless it is further already.
    pub fn advance(&mut self, sid: &str, status: Status, code: Option<u32>) -> Option<Message> {
        self.change(sid, |message| {
            if status.replaces(message.status) {
                (message.status, message.code) = (status, code);
                if message.sent.is_none() && status.rank() >= Status::Sent.rank() {
                    message.sent = Some(OffsetDateTime::now_utc());
                }
            }
        })
    }

    pub fn message(&self, sid: &str) -> Option<&Message> {
        self.messages.get(self.by_sid.get(sid)?)
    }

    /// The newest first.
    pub fn listed(&self) -> impl Iterator<Item = &Message> {
        self.messages.values().rev().filter(|message| message.is_listed)
    }

    pub fn webhook(&self, number: &Phone) -> Option<&str> {
        self.numbers.get(number).map(String::as_str)
    }

    pub fn put_number(&mut self, number: Phone, webhook: String) {
        self.numbers.insert(number, webhook);
    }

    pub fn put_phone(&mut self, phone: &Phone, change: impl FnOnce(&mut Handset)) {
        if self.phones.len() < MOST_PHONES || self.phones.contains_key(phone.as_str()) {
            change(self.phones.entry(phone.as_str().to_owned()).or_default());
            let news = json!({ "phone": self.handset(phone.as_str()) });
            self.feed.tell(news);
        }
    }

    pub fn switch(&self, phone: &str) -> Switch {
        self.phones.get(phone).map(|handset| handset.switch).unwrap_or_default()
    }

    pub fn has_stopped(&self, number: &str, phone: &str) -> bool {
        self.stopped.contains(&(number.to_owned(), phone.to_owned()))
    }

    /// A phone without its messages.
    fn handset(&self, phone: &str) -> Value {
        let handset = self.phones.get(phone).cloned().unwrap_or_default();
        let mut stopped: Vec<_> = self
            .stopped
            .iter()
            .filter(|(_, one)| one == phone)
            .map(|(number, _)| number)
            .collect();
        stopped.sort();
        json!({ "phone": phone, "name": handset.name, "switch": handset.switch, "stopped": stopped })
    }

    /// The numbers and the phones with what they show.
    pub fn shown(&self) -> Value {
        let numbers: Vec<_> = self.numbers.keys().map(|number| number.as_str()).collect();
        let mut messages: HashMap<&str, VecDeque<Value>> = HashMap::new();
        for message in self.messages.values().rev() {
            let shown = messages.entry(message.phone()).or_default();
            if shown.len() < MOST_SHOWN {
                shown.push_front(message.shown());
            }
        }
        let phones = self.phones.keys().map(|phone| {
            let mut shown = self.handset(phone);
            shown["messages"] = json!(messages.remove(phone.as_str()).unwrap_or_default());
            shown
        });
        json!({ "numbers": numbers, "phones": phones.collect::<Vec<_>>(), "last": self.feed.last() })
    }

    fn tell_of(&mut self, message: &Message) {
        let news = json!({ "phone": self.handset(message.phone()), "message": message.shown() });
        self.feed.tell(news);
    }
}
