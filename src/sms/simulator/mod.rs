//! A Twilio to play and to test against: a server that speaks Twilio's API to whoever calls it, signs and
//! sends its webhooks, and has phones that people, or tests, write on. For loopback: its own side,
//! `/simulator`, asks nobody who they are. Only `crewline demo` and `crewline simulator` ever make one.
//!
//! | Twilio's side, HTTP Basic | |
//! |---|---|
//! | `POST /2010-04-01/Accounts/{AC}/Messages.json` | create |
//! | `GET  /2010-04-01/Accounts/{AC}/Messages.json` | list: `To`, `From`, `DateSent`, `DateSent<`, `DateSent>`, pages |
//! | `GET  /2010-04-01/Accounts/{AC}/Messages/{SID}.json` | fetch |
//! | `GET  …/Messages/{SID}/Media.json`, `…/Media/{ME}.json` | what media there are |
//! | `GET  …/Messages/{SID}/Media/{ME}` | 307 to where they are |
//!
//! | our side | |
//! |---|---|
//! | `GET  /simulator/phones` | the phones with what they got and sent |
//! | `POST /simulator/phones/{phone}/texts` `{to, body?, media?: [{content_type, base64}]}` | the phone sends a text |
//! | `PUT  /simulator/phones/{phone}` `{switch?, name?}` | `normal`, `unreachable`, `landline`, `blocked`, `invalid` |
//! | `GET  /simulator/events?after=&wait=` | what changed on the phones; holds the answer up to 25 s |
//! | `PUT  /simulator/numbers/{number}` `{webhook}` | a number of the account, and where its texts go |
//! | `GET, PUT /simulator/behaviour` | [`Behaviour`] |
//! | `POST, DELETE /simulator/faults` | what goes wrong with the next creates: [`Fault`] |
//! | `POST /simulator/messages/{SID}/callbacks` `{status, code?}` | one callback, by hand |
//! | `GET  /simulator/ledger?after=` | every create call there was, but the first so many |
//!
//! It forgets everything at its end, and the oldest before that.

mod api;
mod behaviour;
mod carrier;
mod check;
mod controls;
mod faults;
mod feed;
mod ledger;
mod list;
mod media;
mod message;
mod phones;
mod refusal;
mod webhooks;
mod world;

use std::sync::Arc;

use axum::Router;
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use behaviour::{Behaviour, Order};
pub use faults::{Fault, FaultKind};

use crate::domain::Phone;
use webhooks::Webhooks;
use world::World;

pub struct SimulatorSettings {
    /// `AC…`
    pub account_sid: String,
    pub auth_token: SecretString,
    /// How it is reached, `http://127.0.0.1:4010`: the URLs of media begin with it.
    pub url: String,
    /// The account's numbers, and where their incoming texts are told.
    pub numbers: Vec<(Phone, String)>,
    /// Phones that are there from the start, with whose they are.
    pub phones: Vec<(Phone, String)>,
    pub behaviour: Behaviour,
}

/// A handle; clones are the same simulator.
#[derive(Clone)]
pub struct Simulator(Arc<Shared>);

struct Shared {
    account_sid: String,
    auth_token: SecretString,
    url: String,
    world: Mutex<World>,
    /// The number of the last event.
    news: watch::Sender<u64>,
    webhooks: Webhooks,
    /// Fetches the media that are to be sent.
    http: reqwest::Client,
    stopped: CancellationToken,
}

impl Simulator {
    /// Fails where no HTTP client can be made.
    pub fn new(settings: SimulatorSettings) -> Result<Self, reqwest::Error> {
        let webhooks = Webhooks::new(settings.auth_token.clone())?;
        Ok(Self(Arc::new(Shared {
            account_sid: settings.account_sid,
            auth_token: settings.auth_token,
            url: settings.url.trim_end_matches('/').to_owned(),
            world: Mutex::new(World::new(settings.numbers, settings.phones, settings.behaviour)),
            news: watch::Sender::new(0),
            webhooks,
            http: media::client()?,
            stopped: CancellationToken::new(),
        })))
    }

    /// Both sides. It has no fallback, so that it can be merged.
    pub fn router(&self) -> Router {
        let sides = [api::router(), media::router(), phones::router(), controls::router()];
        sides
            .into_iter()
            .fold(Router::new(), Router::merge)
            .with_state(self.clone())
    }

    /// Lets go of whoever waits for an answer, so that the server can end.
    pub fn stop(&self) {
        self.0.stopped.cancel();
    }

    /// Looks at the world, or changes it, and tells who waits for news.
    fn world<T>(&self, turn: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.0.world.lock();
        let outcome = turn(&mut world);
        let last = world.feed.last();
        drop(world);
        self.0
            .news
            .send_if_modified(|known| std::mem::replace(known, last) != last);
        outcome
    }
}
