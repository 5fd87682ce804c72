//! The settings of an account at Twilio.

use anyhow::{Context, bail, ensure};
use clap::Args;
use secrecy::SecretString;
use serde::Serialize;

use super::Settings;
use crate::sms::{TwilioSettings, twilio};

pub const API: &str = "https://api.twilio.com";

#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct TwilioFlags {
    /// The account at Twilio that sends and gets the texts, AC… [default: none, no SMS]
    #[arg(long, env = "TWILIO_ACCOUNT_SID", value_name = "SID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_account: Option<String>,

    /// Its primary Auth Token: webhooks are signed with it, and calls, unless an API key is set
    #[arg(long, env = "TWILIO_AUTH_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_auth_token: Option<String>,

    /// An API key of the account, SK…, for calls; it can be withdrawn by itself
    #[arg(long, env = "TWILIO_API_KEY", value_name = "SID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_api_key: Option<String>,

    /// The API key's secret
    #[arg(long, env = "TWILIO_API_SECRET", value_name = "SECRET", hide_env_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_api_secret: Option<String>,

    /// Where Twilio's API is: for a simulator [default: https://api.twilio.com]
    #[arg(long, env = "CREWLINE_TWILIO_URL", value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_url: Option<String>,
}

impl Settings {
    /// The account, if there is one; a sentence that says what is missing, if only a part of it is set.
    pub fn twilio(&self) -> anyhow::Result<Option<Account>> {
        let Some(account) = &self.twilio_account else {
            let rest = [&self.twilio_auth_token, &self.twilio_api_secret];
            ensure!(
                rest.iter().all(|secret| secret.is_none()) && self.twilio_api_key.is_none(),
                "twilio_account is missing: the other settings of Twilio mean nothing without it"
            );
            return Ok(None);
        };
        ensure!(
            account.len() == 34 && account.starts_with("AC") && account[2..].bytes().all(|b| b.is_ascii_hexdigit()),
            "twilio_account must be an Account SID: AC and 32 hexadecimal digits"
        );
        let auth_token = self.twilio_auth_token.clone();
        let auth_token = auth_token.context("twilio_auth_token is missing: webhooks are signed with it")?;
        ensure!(
            self.public_url.is_some(),
            "public_url is missing: Twilio calls back there, and signs that very URL"
        );
        ensure!(
            self.twilio_url.starts_with("https://") || self.twilio_url.starts_with("http://"),
            "twilio_url must be like {API}"
        );
        let (user, password) = match (&self.twilio_api_key, &self.twilio_api_secret) {
            (Some(key), Some(secret)) => (key.clone(), secret.clone()),
            (None, None) => (account.clone(), auth_token.clone()),
            _ => bail!("twilio_api_key and twilio_api_secret belong together: one of them is missing"),
        };
        let client = TwilioSettings {
            url: self.twilio_url.clone(),
            account: account.clone(),
            user,
            password,
            time_out: twilio::TIME_OUT,
        };
        Ok(Some(Account { client, auth_token }))
    }
}

/// An account at Twilio: how to call it, and what it signs with.
#[derive(Debug, Clone)]
pub struct Account {
    pub client: TwilioSettings,
    pub auth_token: SecretString,
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn account() -> Settings {
        Settings {
            twilio_account: Some(format!("AC{}", "a".repeat(32))),
            twilio_auth_token: Some("a-token".into()),
            public_url: Some("https://chat.example".into()),
            ..Settings::default()
        }
    }

    #[test]
    fn half_an_account_is_refused_with_what_is_missing() {
        for (settings, named) in [
            (
                Settings {
                    public_url: None,
                    ..account()
                },
                "public_url is missing",
            ),
            (
                Settings {
                    twilio_auth_token: None,
                    ..account()
                },
                "twilio_auth_token is missing",
            ),
            (
                Settings {
                    twilio_account: None,
                    ..account()
                },
                "twilio_account is missing",
            ),
            (
                Settings {
                    twilio_account: Some("acme".into()),
                    ..account()
                },
                "twilio_account must be",
            ),
            (
                Settings {
                    twilio_account: Some(format!("AC{}", "ä".repeat(16))),
                    ..account()
                },
                "twilio_account must be",
            ),
            (
                Settings {
                    twilio_api_key: Some("SK1".into()),
                    ..account()
                },
                "twilio_api_secret",
            ),
            (
                Settings {
                    twilio_url: "api.twilio.com".into(),
                    ..account()
                },
                "twilio_url",
            ),
        ] {
            let error = settings.twilio().unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains("a-token"));
        }
        assert!(Settings::default().twilio().unwrap().is_none());
    }

    #[test]
    fn an_api_key_calls_and_the_auth_token_signs() {
        let plain = account().twilio().unwrap().unwrap();
        assert_eq!(
            (&plain.client.user, plain.client.password.expose_secret()),
            (&plain.client.account, "a-token")
        );
        assert_eq!(plain.client.url, "https://api.twilio.com");
        let keyed = Settings {
            twilio_api_key: Some("SK1".into()),
            twilio_api_secret: Some("a-secret".into()),
            ..account()
        };
        let keyed = keyed.twilio().unwrap().unwrap();
        assert_eq!(
            (&*keyed.client.user, keyed.client.password.expose_secret()),
            ("SK1", "a-secret")
        );
        assert_eq!(keyed.auth_token.expose_secret(), "a-token");
    }
}
