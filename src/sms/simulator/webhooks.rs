//! The calls that Twilio makes: signed forms, tried again only as the URL's fragment says.
//!
//! <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>

use std::time::Duration;

use reqwest::{Client, Url, redirect, retry};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::sms::signature::{SIGNATURE, sign};

const AT_ONCE: usize = 64;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// For all tries together.
const IN_TOTAL: Duration = Duration::from_secs(15);

pub struct Webhooks {
    http: Client,
    auth_token: SecretString,
    permits: Semaphore,
}

/// How a webhook took it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Told {
    /// None if there was no answer.
    pub status: Option<u16>,
    pub content_type: String,
    pub body: String,
    pub tries: u32,
}

impl Told {
    /// Plain text is sent back to who wrote.
    pub fn plain_text(&self) -> Option<&str> {
        let is_plain = self.status == Some(200) && self.content_type.starts_with("text/plain") && !self.body.is_empty();
        is_plain.then_some(&self.body)
    }
}

impl Webhooks {
    pub fn new(auth_token: SecretString) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .redirect(redirect::Policy::none());
        Ok(Self {
            http: http.retry(retry::never()).build()?,
            auth_token,
            permits: Semaphore::new(AT_ONCE),
        })
    }

    pub async fn tell(&self, url: &str, params: &[(String, String)]) -> Told {
        let _permit = self.permits.acquire().await;
        // The fragment is for Twilio: it is neither sent nor signed.
        let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
        let overrides = Overrides::parse(fragment);
        // What is signed is what is sent, and our HTTP client escapes a few characters more.
        let Ok(url) = Url::parse(url) else {
            return Told::default();
        };
        let signature = sign(&self.auth_token, url.as_str(), params);
        let token = uuid::Uuid::new_v4().to_string();
        let by = Instant::now() + IN_TOTAL;
        let mut told = Told::default();
        loop {
            told.tries += 1;
            let left = by.saturating_duration_since(Instant::now());
            let request = self
                .http
                .post(url.clone())
                .header(SIGNATURE, &signature)
                .header("i-twilio-idempotency-token", &token)
                .header("user-agent", "TwilioProxy/1.1")
                .timeout(overrides.read_within.min(left))
                .form(params);
            let failed = match request.send().await {
                Ok(answer) => {
                    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
                    told.content_type = kind.unwrap_or_default().to_owned();
                    let status = answer.status().as_u16();
                    told.status = Some(status);
                    told.body = answer.text().await.unwrap_or_default();
                    match status {
                        400..500 => "4xx",
                        500.. => "5xx",
                        _ => return told,
                    }
                }
                Err(error) if error.is_connect() => "ct",
                Err(_) => "rt",
            };
            if told.tries > overrides.retries || !overrides.covers(failed) || Instant::now() >= by {
                return told;
            }
        }
    }
}

/// What `#ct=2000&rt=4000&rc=3&rp=ct,rt,5xx` asks for.
struct Overrides {
    read_within: Duration,
    retries: u32,
    policy: String,
}

impl Overrides {
    fn parse(fragment: &str) -> Self {
        let pairs = || fragment.split('&').filter_map(|pair| pair.split_once('='));
        let find = |name| pairs().find(|(key, _)| *key == name).map(|(_, value)| value);
        let number = |name| find(name).and_then(|value| value.parse::<u64>().ok());
        Self {
            read_within: Duration::from_millis(number("rt").unwrap_or(15_000)),
            retries: number("rc").unwrap_or(1).min(5) as u32,
            policy: find("rp").unwrap_or("ct").to_owned(),
        }
    }

    fn covers(&self, failed: &str) -> bool {
        self.policy.split(',').any(|one| one == failed || one == "all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_fragment_only_a_missing_connection_is_tried_again_and_once() {
        let default = Overrides::parse("");
        assert_eq!(
            (default.retries, default.covers("ct"), default.covers("5xx")),
            (1, true, false)
        );
        let asked = Overrides::parse("ct=2000&rt=4000&rc=3&rp=ct,rt,5xx");
        assert_eq!((asked.retries, asked.read_within), (3, Duration::from_secs(4)));
        assert!(asked.covers("5xx") && asked.covers("rt") && !asked.covers("4xx"));
    }
}
