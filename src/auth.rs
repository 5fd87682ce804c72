//! Tokens: JWT (RFC 7519) signed with HS256. The algorithm is fixed here; what a token's header asks
//! for is never followed.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::{Code, ContactId, OrgId, Refusal, Sub, check_label};

pub const AUDIENCE: &str = "crewline";
/// HS256 wants a key at least as long as its hash (RFC 7518, 3.2).
pub const SHORTEST_SECRET: usize = 32;
/// How far the issuer's clock may be ahead, in seconds.
const SKEW: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Customer,
    Staff,
    Service,
}

/// Whom a valid token speaks for. Times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub sub: Sub,
    pub org: OrgId,
    pub role: Role,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    pub iat: i64,
    pub exp: i64,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'static str,
    #[serde(flatten)]
    identity: &'a Identity,
}

/// Makes and checks tokens with one secret.
pub struct Auth {
    sign: EncodingKey,
    check: DecodingKey,
    rules: Validation,
}

impl Auth {
    /// Refuses a secret that is too short to be one.
    pub fn new(secret: &SecretString) -> Result<Self, String> {
        let bytes = secret.expose_secret().as_bytes();
        if bytes.len() < SHORTEST_SECRET {
            return Err(format!(
                "the JWT secret has {} bytes, it needs at least {SHORTEST_SECRET}; `openssl rand -hex 32` makes one",
                bytes.len()
            ));
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "aud", "sub"]);
        rules.leeway = 0;
        Ok(Self {
            sign: EncodingKey::from_secret(bytes),
            check: DecodingKey::from_secret(bytes),
            rules,
        })
    }

    pub fn mint(&self, identity: &Identity) -> String {
        let claims = Claims {
            aud: AUDIENCE,
            identity,
        };
        jsonwebtoken::encode(&Header::default(), &claims, &self.sign).expect("HS256 signs any claims")
    }

    pub fn check(&self, token: &str) -> Result<Identity, Refusal> {
        let bad = |why: &str| Refusal::new(Code::BadToken, why);
        let identity = jsonwebtoken::decode::<Identity>(token, &self.check, &self.rules)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Refusal::new(Code::ExpiredToken, "the token has expired; get a new one"),
                ErrorKind::InvalidAudience => bad("the token's aud must be \"crewline\""),
                ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => {
                    bad("the token needs aud, sub, org, role, name, iat and exp, and contact for a customer")
                }
                _ => bad("the token is not one of ours"),
            })?
            .claims;
        if identity.iat > now() + SKEW {
            return Err(bad("the token's iat lies in the future"));
        }
        if (identity.role == Role::Customer) != identity.contact.is_some() {
            return Err(bad("a customer's token, and no other, names its contact"));
        }
        check_label("name", &identity.name).map_err(|refusal| bad(&refusal.message))?;
        Ok(identity)
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(secret: &str) -> Auth {
        Auth::new(&SecretString::from(secret)).unwrap()
    }

    fn identity(iat: i64, exp: i64) -> Identity {
        Identity {
            sub: Sub::parse("sam").unwrap(),
            org: OrgId::parse("acme").unwrap(),
            role: Role::Staff,
            name: "Sam".into(),
            contact: None,
            iat,
            exp,
        }
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_token_says_who_signed_in_until_it_expires() {
        let auth = auth(SECRET);
        let sam = identity(now(), now() + 60);
        assert_eq!(auth.check(&auth.mint(&sam)).unwrap(), sam);
        let code = |identity| auth.check(&auth.mint(&identity)).unwrap_err().code;
        assert_eq!(code(identity(now() - 60, now() - 1)), Code::ExpiredToken);
        assert_eq!(code(identity(now() + 120, now() + 180)), Code::BadToken);
        assert_eq!(
            code(Identity {
                role: Role::Customer,
                ..identity(now(), now() + 9)
            }),
            Code::BadToken
        );
        let foreign = self::auth(&SECRET.replace('0', "x")).mint(&sam);
        assert_eq!(auth.check(&foreign).unwrap_err().code, Code::BadToken);
        assert!(Auth::new(&SecretString::from("short")).is_err());
    }

    #[test]
    fn the_header_does_not_choose_the_algorithm() {
        let auth = auth(SECRET);
        let token = auth.mint(&identity(now(), now() + 60));
        let payload = token.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"JWT"}
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
        assert_eq!(auth.check(&none).unwrap_err().code, Code::BadToken);
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            let other = jsonwebtoken::encode(
                &Header::new(algorithm),
                &Claims {
                    aud: AUDIENCE,
                    identity: &identity(now(), now() + 60),
                },
                &auth.sign,
            )
            .unwrap();
            assert_eq!(auth.check(&other).unwrap_err().code, Code::BadToken);
        }
    }
}
