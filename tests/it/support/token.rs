//! Tokens, minted by hand (RFC 7519 over RFC 7515), so that they can also be wrong in every way.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::now_s;

/// What the tests' hubs sign with.
pub const SECRET: &str = "a secret of the tests, longer than thirty-two bytes";

/// A token's claims. Every field can be overwritten, left out or made nonsense by `with` and `without`.
#[derive(Clone, Debug)]
pub struct Claims(Value);

impl Claims {
    pub fn staff(org: &str, sub: &str, name: &str) -> Self {
        Self::of("staff", org, sub, name)
    }

    pub fn customer(org: &str, contact: &str, name: &str) -> Self {
        Self::of("customer", org, &format!("portal-{contact}"), name).with("contact", contact)
    }

    pub fn service(org: &str) -> Self {
        Self::of("service", org, "crm-backend", "CRM")
    }

    fn of(role: &str, org: &str, sub: &str, name: &str) -> Self {
        Self(json!({
            "aud": "crewline", "sub": sub, "org": org, "role": role, "name": name,
            "iat": now_s(), "exp": now_s() + 3600,
        }))
    }

    pub fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.0[claim] = value.into();
        self
    }

    pub fn without(mut self, claim: &str) -> Self {
        self.0.as_object_mut().expect("claims are an object").remove(claim);
        self
    }

    pub fn expires_in(self, seconds: i64) -> Self {
        self.with("exp", now_s() + seconds)
    }

    pub fn mint(&self) -> String {
        self.signed_with(SECRET)
    }

    pub fn signed_with(&self, secret: &str) -> String {
        self.under(&json!({"alg": "HS256", "typ": "JWT"}), Some(secret))
    }

    /// With a header of the caller's choice; without a secret the signature stays empty.
    pub fn under(&self, header: &Value, secret: Option<&str>) -> String {
        let body = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(self.0.to_string())
        );
        let signature = secret.map(|secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
            mac.update(body.as_bytes());
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        });
        format!("{body}.{}", signature.unwrap_or_default())
    }
}
