//! URLs that open a picture for a while to whoever has them: for Twilio, which has no token. They are
//! made when they are needed and kept nowhere.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Rendition;
use crate::domain::PhotoId;

type Signature = Hmac<Sha256>;

/// Signs with the first key, believes all.
#[derive(Clone)]
pub struct Links {
    keys: Vec<[u8; 32]>,
    base: String,
}

impl Links {
    /// The keys are derived from `secrets`, which sign tokens: a link is never a token. `base` is the
    /// public URL.
    pub fn new(secrets: &[&[u8]], base: &str) -> Self {
        let derive = |secret: &&[u8]| mac(secret, b"crewline photo links").finalize().into_bytes().into();
        Self {
            keys: secrets.iter().map(derive).collect(),
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// Valid until `exp`, in seconds since 1970.
    pub fn sign(&self, id: &PhotoId, rendition: Rendition, exp: i64) -> String {
        let signature = match self.keys.first() {
            Some(key) => mac(key, &said(id, rendition, exp)).finalize().into_bytes(),
            None => unreachable!("a hub has a secret"),
        };
        let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "{}/v1/photos/{}?size={}&exp={exp}&sig={signature}",
            self.base,
            id.as_str(),
            rendition.as_str()
        )
    }

    pub fn is_valid(&self, id: &PhotoId, rendition: Rendition, exp: i64, signature: &str, now: i64) -> bool {
        let Some(signature) = unhex(signature).filter(|_| now < exp) else {
            return false;
        };
        let said = said(id, rendition, exp);
        self.keys
            .iter()
            .any(|key| mac(key, &said).verify_slice(&signature).is_ok())
    }
}

fn mac(key: &[u8], said: &[u8]) -> Signature {
    let mut mac = Signature::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(said);
    mac
}

fn said(id: &PhotoId, rendition: Rendition, exp: i64) -> Vec<u8> {
    format!("{} {} {exp}", id.as_str(), rendition.as_str()).into_bytes()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let is_hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| (0..64).step_by(2).map_while(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_what_it_was_made_for_and_nothing_else() {
        let links = Links::new(&[b"one"], "https://hub.example/");
        let (id, other) = (PhotoId::random(), PhotoId::random());
        let url = links.sign(&id, Rendition::Sms, 100);
        let start = format!("https://hub.example/v1/photos/{}?size=sms&exp=100&sig=", id.as_str());
        let signature = url.strip_prefix(&start).unwrap();
        let valid = |links: &Links, id, rendition, exp, now| links.is_valid(id, rendition, exp, signature, now);
        assert!(valid(&links, &id, Rendition::Sms, 100, 99));
        assert!(!valid(&links, &id, Rendition::Sms, 100, 100), "expired");
        assert!(!valid(&links, &id, Rendition::Sms, 101, 99), "another time");
        assert!(!valid(&links, &id, Rendition::Full, 100, 99), "another size");
        assert!(!valid(&links, &other, Rendition::Sms, 100, 99), "another photo");
        assert!(valid(&Links::new(&[b"two", b"one"], ""), &id, Rendition::Sms, 100, 99));
        assert!(
            !valid(&Links::new(&[b"two"], ""), &id, Rendition::Sms, 100, 99),
            "another secret"
        );
        for bad in ["", "é", &signature[1..], &"0".repeat(64)] {
            assert!(!links.is_valid(&id, Rendition::Sms, 100, bad, 99), "{bad}");
        }
    }
}
