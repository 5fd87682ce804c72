//! Is a webhook from Twilio? `X-Twilio-Signature` is base64(HMAC-SHA1(Auth Token, URL + Σ key + value)).
//!
//! The rules: <https://www.twilio.com/docs/usage/security#validating-requests>, and the official
//! libraries, `lib/webhooks/webhooks.js` of npm `twilio` and `request_validator.py` of PyPI's.

use std::cmp::Ordering;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub const SIGNATURE: &str = "x-twilio-signature";
/// Names key and algorithm of a webhook that was not signed with the Auth Token by HMAC-SHA1.
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

/// Decoded parameters, in the order in which they came.
#[derive(Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn urlencoded(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The texts, numbers and booleans of a JSON object.
    fn json(body: &[u8]) -> Option<Self> {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(_) | serde_json::Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        let pairs = object.into_iter().filter_map(|(key, value)| Some((key, text(value)?)));
        Some(Self(pairs.collect()))
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Why a webhook is not believed. All are answered with 403 and have no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("there is no signature")]
    Missing,
    #[error("it is signed by an algorithm that is not known here")]
    Algorithm,
    #[error("its body is of a type that Twilio does not send")]
    ContentType,
    #[error("the signature is not that of this URL, body and token")]
    Signature,
    #[error("the body is not the one whose hash was signed")]
    BodyHash,
    #[error("the body cannot be read")]
    Unreadable,
}

/// Believes what was signed with an Auth Token for URLs below one base.
pub struct Validator {
    auth_token: SecretString,
    /// Twilio is not consistent about ports, so a signature may be for either.
    bases: [String; 2],
}

impl Validator {
    /// `public_url` is how Twilio reaches this hub, exactly as configured there: scheme, host and port.
    /// The URL of a request is made of it, never of `Host` or `X-Forwarded-*`, which anybody can send.
    pub fn new(auth_token: SecretString, public_url: &str) -> Self {
        let (scheme, authority) = public_url.split_once("://").unwrap_or(("https", public_url));
        let host = without_port(authority);
        let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
        let with_port = match host.len() == authority.len() {
            true => format!("{scheme}://{host}:{default}"),
            false => format!("{scheme}://{authority}"),
        };
        Self {
            auth_token,
            bases: [format!("{scheme}://{host}"), with_port],
        }
    }

    /// The parameters of a request, if Twilio sent it. `target` is path and query, byte for byte as they
    /// came; the body likewise.
    pub fn check(&self, target: &str, headers: &HeaderMap, body: &[u8]) -> Result<Form, Refused> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let signature = text(SIGNATURE).ok_or(Refused::Missing)?;
        if !text(SETTINGS).is_none_or(is_hmac_sha1) {
            return Err(Refused::Algorithm);
        }
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .map(|value| value.to_str().unwrap_or("?"));
        let content_type = content_type.map(|kind| kind.split(';').next().unwrap_or_default().trim());
        match content_type {
            Some(kind) if kind.eq_ignore_ascii_case("application/json") => {
                self.signed(target, &Form::default(), signature)?;
                let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
                if signed_hash(target).as_deref() != Some(&*hash) {
                    return Err(Refused::BodyHash);
                }
                Form::json(body).ok_or(Refused::Unreadable)
            }
            Some(kind) if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") => Err(Refused::ContentType),
            _ => {
                let form = Form::urlencoded(body);
                self.signed(target, &form, signature)?;
                Ok(form)
            }
        }
    }

    fn signed(&self, target: &str, form: &Form, signature: &str) -> Result<(), Refused> {
        let signature = STANDARD.decode(signature).map_err(|_| Refused::Signature)?;
        let is_signed = |base: &String| {
            let mac = mac(&self.auth_token, &format!("{base}{target}"), &form.0);
            mac.verify_slice(&signature).is_ok()
        };
        match self.bases.iter().any(is_signed) {
            true => Ok(()),
            false => Err(Refused::Signature),
        }
    }
}

/// The signature of a webhook to `url`, which has no fragment: how the simulator signs.
pub fn sign(auth_token: &SecretString, url: &str, params: &[(String, String)]) -> String {
    STANDARD.encode(mac(auth_token, url, params).finalize().into_bytes())
}

fn mac(auth_token: &SecretString, url: &str, params: &[(String, String)]) -> Hmac<Sha1> {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort_by(|a, b| by_code_unit(&a.0, &b.0).then_with(|| by_code_unit(&a.1, &b.1)));
    sorted.dedup();
    let mut mac = Hmac::new_from_slice(auth_token.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    for (key, value) in sorted {
        mac.update(key.as_bytes());
        mac.update(value.as_bytes());
    }
    mac
}

/// As Java and JavaScript sort. It differs from UTF-8's order only beyond U+FFFF.
fn by_code_unit(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// The colon of a port comes after an IPv6 address's bracket and after a password's.
fn without_port(authority: &str) -> &str {
    let host = authority.rfind(['@', ']']).map_or(0, |at| at + 1);
    authority[host..]
        .find(':')
        .map_or(authority, |colon| &authority[..host + colon])
}

fn is_hmac_sha1(settings: &str) -> bool {
    let named = settings.split(',').filter_map(|part| part.split_once('='));
    let mut algorithms = named.filter(|(name, _)| name.trim() == "algorithm");
    algorithms.all(|(_, algorithm)| algorithm.trim().eq_ignore_ascii_case("HMAC_SHA1"))
}

fn signed_hash(target: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == "bodySHA256")
        .map(|(_, hash)| hash.into_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use serde_json::Value;

    use super::*;

    fn data(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn vectors() -> Value {
        data(include_str!("../../tests/data/twilio/signature_vectors.json"))
    }

    fn text(value: &Value) -> String {
        value.as_str().unwrap().to_owned()
    }

    /// Repeated keys are arrays in the vectors.
    fn params(vector: &Value) -> Vec<(String, String)> {
        let params = vector["params"].as_object().unwrap().iter();
        params
            .flat_map(|(key, value)| {
                let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                values.into_iter().map(move |value| (key.clone(), text(&value)))
            })
            .collect()
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        pairs.collect()
    }

    /// Base and target, as a server sees them.
    fn split(url: &str) -> (&str, &str) {
        let host = url.find("://").unwrap() + 3;
        url.split_at(url[host..].find(['/', '?']).map_or(url.len(), |at| host + at))
    }

    fn check(token: &str, url: &str, kind: &str, signature: &str, body: &str) -> Result<Form, Refused> {
        let (base, target) = split(url);
        let headers = headers(&[("content-type", kind), (SIGNATURE, signature)]);
        Validator::new(token.into(), base).check(target, &headers, body.as_bytes())
    }

    const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

    #[test]
    fn every_vector_is_signed_and_accepted_alike() {
        let vectors = vectors();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 19);
        for vector in vectors {
            let (url, token, signature) = (text(&vector["url"]), text(&vector["token"]), text(&vector["signature"]));
            let params = params(vector);
            assert_eq!(sign(&token.clone().into(), &url, &params), signature, "{vector}");
            let encoded = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&params)
                .finish();
            let (kind, body) = match vector["body"].as_str() {
                Some(json) => ("application/json", json),
                None => (FORM, &*encoded),
            };
            assert!(check(&token, &url, kind, &signature, body).is_ok(), "{vector}");
            for (url, body, token) in [
                (format!("{url}x"), body.to_owned(), &*token),
                (url.clone(), format!("{body}&x=1"), &token),
                (url, body.to_owned(), "12346"),
            ] {
                assert!(check(token, &url, kind, &signature, &body).is_err(), "{vector}");
            }
        }
    }

    /// Where the official libraries differ, the URL must be the one that was signed, byte for byte; a port
    /// may be wrong also in an IPv6 address, at which PyPI's stumbles.
    #[test]
    fn urls_are_matched_as_the_official_libraries_do() {
        let vectors = vectors();
        let rows = vectors["matrix"].as_array().unwrap();
        assert_eq!(rows.len(), 22);
        for row in rows {
            let (signed, received) = (text(&row["signed_url"]), text(&row["received_url"]));
            let token = SecretString::from("12345");
            let signature = sign(&token, &signed, &[("A".into(), "1".into())]);
            let accepted = check("12345", &received, FORM, &signature, "A=1").is_ok();
            let expected = match (row["node"] == true, row["python"] == true) {
                (true, false) => received.contains('['),
                (node, _) => node,
            };
            assert_eq!(accepted, expected, "{row}");
        }
    }

    #[test]
    fn every_fixture_is_accepted_or_refused_as_by_the_official_validators() {
        let fixtures = data(include_str!("../../tests/data/twilio/webhook_fixtures.json"));
        let requests = fixtures["requests"].as_array().unwrap();
        assert_eq!(requests.len(), 28);
        for request in requests {
            let url = text(&request["url"]);
            let (base, target) = split(&url);
            let pairs = request["headers"].as_object().unwrap().iter();
            let pairs: Vec<_> = pairs.map(|(name, value)| (name.to_lowercase(), text(value))).collect();
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
            let validator = Validator::new(text(&fixtures["auth_token"]).into(), base);
            let body = text(&request["raw_body"]);
            let accepted = validator.check(target, &headers(&pairs), body.as_bytes()).is_ok();
            assert_eq!(request["official_validator_accepts"], accepted, "{request}");
        }
    }

    #[test]
    fn json_needs_a_hash_that_was_signed() {
        let token = SecretString::from("12345");
        let json = "application/json; charset=utf-8";
        let bare = "https://h.ex/in";
        let signature = sign(&token, bare, &[]);
        assert_eq!(
            check("12345", bare, json, &signature, "{}").err(),
            Some(Refused::BodyHash)
        );
        let hashed = "https://h.ex/in?bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let signature = sign(&token, hashed, &[]);
        assert!(check("12345", hashed, json, &signature, "{}").is_ok());
        assert_eq!(
            check("12345", hashed, json, &signature, "{ }").err(),
            Some(Refused::BodyHash)
        );
        // What was signed without parameters is no licence for others, whatever the type.
        assert_eq!(
            check("12345", hashed, FORM, &signature, "Body=x").err(),
            Some(Refused::Signature)
        );
        assert_eq!(
            check("12345", hashed, "text/plain", &signature, "Body=x").err(),
            Some(Refused::ContentType)
        );
        let form = check("12345", hashed, json, &signature, "{}").unwrap();
        assert_eq!(form.get("MessageSid"), None);
    }

    #[test]
    fn what_is_not_signed_by_hmac_sha1_is_refused() {
        let validator = Validator::new("12345".into(), "https://h.ex");
        let signature = sign(&"12345".into(), "https://h.ex/in", &[]);
        let with = |settings: &str| {
            let headers = headers(&[(SIGNATURE, &signature), (SETTINGS, settings)]);
            validator.check("/in", &headers, b"").map(drop)
        };
        assert_eq!(with("key=k1,algorithm=HMAC_SHA1"), Ok(()));
        assert_eq!(with(""), Ok(()));
        assert_eq!(with("key=k1, algorithm=HMAC_SHA256"), Err(Refused::Algorithm));
        assert_eq!(with("algorithm=none"), Err(Refused::Algorithm));
        assert_eq!(
            validator.check("/in", &HeaderMap::new(), b"").err(),
            Some(Refused::Missing)
        );
    }
}
