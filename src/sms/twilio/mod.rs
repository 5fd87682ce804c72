//! The client of Twilio's Messages API: create, fetch, list. It never tries again by itself: there is
//! no idempotency key, so whether a create may be repeated is the caller's question.
//!
//! <https://www.twilio.com/docs/messaging/api/message-resource>

mod answer;
mod error;
mod media;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};

pub use answer::{Accepted, Direction, Listed};
pub use error::{CreateError, ReadError, Unusable};
pub use media::MediaError;

use answer::Page;
use error::Failure;

use super::webhook::is_message_sid;

/// How long one call may take.
pub const TIME_OUT: Duration = Duration::from_secs(10);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const IDLE_CONNECTIONS: usize = 64;
/// A page of 1,000 messages of 1,600 characters, and room.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
const MOST_PAGES: usize = 50;

/// Whose account, and where.
#[derive(Debug, Clone)]
pub struct TwilioSettings {
    /// `https://api.twilio.com`, or where a simulator listens.
    pub url: String,
    /// `AC…`
    pub account: String,
    /// The account again, or the SID of an API key.
    pub user: String,
    /// The Auth Token, or the API key's secret.
    pub password: SecretString,
    pub time_out: Duration,
}

/// One account at Twilio. Cheap to clone.
#[derive(Clone)]
pub struct Twilio {
    http: reqwest::Client,
    base: Url,
    account: String,
    user: String,
    password: SecretString,
}

/// A text to send.
pub struct Outgoing<'a> {
    pub to: &'a str,
    pub from: &'a str,
    /// At most 1,600 characters: [`crate::domain::parts`] cuts longer ones.
    pub body: &'a str,
    /// URLs that Twilio can fetch; at most 10, of 5 MB together.
    pub media: &'a [String],
    /// Where Twilio tells how it goes; its host holds no underscore.
    pub status_callback: &'a str,
}

/// Which messages to list.
pub struct Query<'a> {
    pub to: Option<&'a str>,
    pub from: Option<&'a str>,
    /// None that were created before (ms since 1970; Twilio's clock knows seconds).
    pub since: Option<i64>,
    /// 1 to 1,000 messages a request.
    pub page_size: u32,
}

impl Default for Query<'_> {
    fn default() -> Self {
        Self {
            to: None,
            from: None,
            since: None,
            page_size: 100,
        }
    }
}

impl Twilio {
    /// Fails on a URL that is none, or without certificates to trust.
    pub fn new(settings: TwilioSettings) -> Result<Self, Unusable> {
        let base = Url::parse(&settings.url).map_err(|_| Unusable("its URL is none"))?;
        let http = reqwest::Client::builder()
            .timeout(settings.time_out)
            .connect_timeout(CONNECT_WITHIN.min(settings.time_out))
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            // Credentials go nowhere else, and a create is made once.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .build()
            .map_err(|_| Unusable("no TLS: are the system's certificates installed?"))?;
        Ok(Self {
            http,
            base,
            account: settings.account,
            user: settings.user,
            password: settings.password,
        })
    }

    /// Asks Twilio to send a text. Only [`CreateError::Uncertain`] leaves open whether it will.
    pub async fn create(&self, text: &Outgoing<'_>) -> Result<Accepted, CreateError> {
        let mut form = vec![("To", text.to), ("From", text.from)];
        if !text.body.is_empty() {
            form.push(("Body", text.body));
        }
        form.extend(text.media.iter().map(|url| ("MediaUrl", url.as_str())));
        form.push(("StatusCallback", text.status_callback));
        let request = self.request(Method::POST, self.resource("Messages.json")).form(&form);
        let response = request.send().await.map_err(CreateError::unsent)?;
        let status = response.status();
        if status.is_success() {
            let body = body(response).await;
            let accepted = body.ok().and_then(|body| Accepted::read(&body));
            return accepted.ok_or(CreateError::Uncertain("it answered, but not what became of the text"));
        }
        if !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Err(CreateError::Uncertain(
                "it answered that something went wrong on its side",
            ));
        }
        Err(Failure::read(response).await.into())
    }

    /// One message, by its SID.
    pub async fn fetch(&self, sid: &str) -> Result<Listed, ReadError> {
        if !is_message_sid(sid) {
            return Err(ReadError::NotFound);
        }
        let url = self.resource(&format!("Messages/{sid}.json"));
        let body = self.read(url).await?;
        Listed::read(&body).ok_or_else(|| ReadError::Unreadable("that is no message".into()))
    }

    /// Messages, the newest first, from as many pages as it takes (at most 50).
    pub async fn list(&self, query: &Query<'_>) -> Result<Vec<Listed>, ReadError> {
        let since = query.since.map(|ms| ms - ms.rem_euclid(1_000));
        let is_wanted = |message: &Listed| since.is_none_or(|since| message.date_created >= since);
        let mut url = self.resource("Messages.json");
        for (name, value) in [("To", query.to), ("From", query.from)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        url.query_pairs_mut()
            .append_pair("PageSize", &query.page_size.to_string());
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = Page::read(&self.read(url).await?);
            let page = page.ok_or_else(|| ReadError::Unreadable("that is no list of messages".into()))?;
            // Behind a page of messages that are all too old, there are only older ones.
            let past = !page.messages.is_empty() && !page.messages.iter().any(is_wanted);
            found.extend(page.messages.into_iter().filter(is_wanted));
            match page.next {
                Some(next) if !past => url = self.here(&next)?,
                _ => return Ok(found),
            }
        }
        tracing::warn!(
            pages = MOST_PAGES,
            "a list of messages was too long; the oldest are missing"
        );
        Ok(found)
    }

    fn resource(&self, name: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/2010-04-01/Accounts/{}/{name}", self.account));
        url
    }

    /// The next page, which must be at the same place: the credentials go along.
    fn here(&self, uri: &str) -> Result<Url, ReadError> {
        let url = self
            .base
            .join(uri)
            .ok()
            .filter(|url| url.origin() == self.base.origin());
        url.ok_or_else(|| ReadError::Unreadable("its next page is elsewhere".into()))
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        request.basic_auth(&self.user, Some(self.password.expose_secret()))
    }

    async fn read(&self, url: Url) -> Result<Vec<u8>, ReadError> {
        let request = self.request(Method::GET, url);
        let response = request.send().await.map_err(ReadError::unreachable)?;
        if response.status().is_success() {
            return body(response).await;
        }
        Err(Failure::read(response).await.into())
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadError::unreachable)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(ReadError::Unreadable("its answer has no end".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
