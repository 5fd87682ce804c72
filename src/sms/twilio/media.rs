//! Parts of incoming MMS, fetched from where they must be: never from a URL that a webhook brought.
//!
//! <https://www.twilio.com/docs/messaging/api/media-resource>

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::{Response, Url, header, redirect, retry};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{CONNECT_WITHIN, ReadError, Twilio};
use crate::domain::Medium;
use crate::sms::webhook::{is_media_sid, is_message_sid};

/// For all hops together.
const WITHIN: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 3;

/// Why a part of an MMS was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// It may be there later.
    #[error("{0}")]
    Later(String),
    /// It will never be fetched.
    #[error("{0}")]
    Never(String),
}

impl Twilio {
    /// What parts a message has, for one whose webhook got lost.
    pub async fn media_of(&self, message: &str) -> Result<Vec<Medium>, ReadError> {
        #[derive(Deserialize)]
        struct List {
            media_list: Vec<Part>,
        }
        #[derive(Deserialize)]
        struct Part {
            sid: String,
            content_type: String,
        }
        let body = self
            .read(self.resource(&format!("Messages/{message}/Media.json")))
            .await?;
        let list: Result<List, _> = serde_json::from_slice(&body);
        let list = list.map_err(|_| ReadError::Unreadable("that is no list of media".into()))?;
        let parts = list.media_list.into_iter().filter(|part| is_media_sid(&part.sid));
        let medium = |part: Part| Medium {
            source: part.sid,
            message: Some(message.to_owned()),
            content_type: part.content_type,
        };
        Ok(parts.map(medium).collect())
    }

    /// Opens a part of an MMS. The credentials go to the API alone; from there it follows at most three
    /// redirects, each to a host that is on the list and not in a private network. The caller reads it,
    /// and stops where there is too much of it.
    pub async fn media(&self, message: &str, source: &str) -> Result<Response, MediaError> {
        if !is_message_sid(message) || !is_media_sid(source) {
            return Err(MediaError::Never("its ids are not Twilio's".into()));
        }
        let open = self.follow(self.resource(&format!("Messages/{message}/Media/{source}")));
        let opened = tokio::time::timeout(WITHIN, open).await;
        opened.map_err(|_| MediaError::Later("it took too long".into()))?
    }

    async fn follow(&self, mut url: Url) -> Result<Response, MediaError> {
        let request = self.http.get(url.clone());
        let request = request.basic_auth(&self.user, Some(self.password.expose_secret()));
        // The client's own time-out would end large ones.
        let mut response = request.timeout(WITHIN).send().await.map_err(unreachable)?;
        for _ in 0..=MOST_REDIRECTS {
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            if !status.is_redirection() {
                let said = format!("the host answered {}", status.as_u16());
                // Media may be a little late; that it is too early, or busy, passes as well.
                let passes = status.is_server_error() || matches!(status.as_u16(), 404 | 408 | 425 | 429);
                return Err(if passes {
                    MediaError::Later(said)
                } else {
                    MediaError::Never(said)
                });
            }
            let location = response
                .headers()
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| url.join(location).ok());
            url = next.ok_or_else(|| MediaError::Never("a redirect leads nowhere".into()))?;
            response = self.hop(&url).await?;
        }
        Err(MediaError::Never("there were too many redirects".into()))
    }

    /// One hop without credentials, to addresses that were looked at before.
    async fn hop(&self, url: &Url) -> Result<Response, MediaError> {
        let mut client = reqwest::Client::builder()
            .timeout(WITHIN)
            .connect_timeout(CONNECT_WITHIN)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy();
        if !self.is_own_loopback(url) {
            let host =
                allowed_host(url).ok_or_else(|| MediaError::Never("a redirect leads to a strange host".into()))?;
            let addresses = tokio::net::lookup_host((host, 443)).await;
            let addresses: Vec<SocketAddr> = addresses
                .map_err(|error| MediaError::Later(error.to_string()))?
                .collect();
            if addresses.is_empty() || addresses.iter().any(|address| !is_public(address.ip())) {
                return Err(MediaError::Never("a redirect leads into a private network".into()));
            }
            // What was looked at is what is connected to.
            client = client.resolve_to_addrs(host, &addresses);
        }
        let client = client.build().map_err(unreachable)?;
        client.get(url.clone()).send().await.map_err(unreachable)
    }

    /// A simulator's media are at the simulator.
    fn is_own_loopback(&self, url: &Url) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        let loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        loopback && url.origin() == self.base.origin()
    }
}

/// Where Twilio keeps media.
fn allowed_host(url: &Url) -> Option<&str> {
    let plain = url.scheme() == "https"
        && url.port_or_known_default() == Some(443)
        && url.username().is_empty()
        && url.password().is_none();
    let host = url.host_str().filter(|_| plain)?;
    let own = ["twiliocdn.com", "twilio.com"]
        .iter()
        .any(|domain| host == *domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.')));
    // An older place, shared with everybody else's buckets.
    let bucket = host == "s3-external-1.amazonaws.com" && url.path().starts_with("/media.twiliocdn.com/");
    (own || bucket).then_some(host)
}

/// Neither this machine, nor its network, nor what only looks like an address.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19))
                || (a == 192 && b == 0 && c == 0))
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4() {
                return is_public(IpAddr::V4(v4));
            }
            let [first, second, ..] = v6.segments();
            // Only 2000::/3 is given out; 2001:db8 is for documents, 2002 and 64:ff9b hold IPv4 addresses.
            first & 0xe000 == 0x2000 && !(first == 0x2001 && second == 0xdb8) && first != 0x2002
        }
    }
}

fn unreachable(error: reqwest::Error) -> MediaError {
    MediaError::Later(error.without_url().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_twilio_are_followed_to() {
        for (url, allowed) in [
            ("https://media.twiliocdn.com/AC1/x", true),
            ("https://mms.twiliocdn.com/x?y=z", true),
            ("https://api.twilio.com/x", true),
            ("https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC1/x", true),
            ("https://s3-external-1.amazonaws.com/somebody/x", false),
            ("http://media.twiliocdn.com/x", false),
            ("https://media.twiliocdn.com:8443/x", false),
            ("https://user@media.twiliocdn.com/x", false),
            ("https://eviltwiliocdn.com/x", false),
            ("https://twiliocdn.com.evil.example/x", false),
            ("https://169.254.169.254/latest/meta-data/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(allowed_host(&Url::parse(url).unwrap()).is_some(), allowed, "{url}");
        }
    }

    #[test]
    fn a_private_address_is_none_to_fetch_from() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["54.172.60.0", "2606:4700::1111"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
