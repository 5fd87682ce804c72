//! Tokens: JWT (RFC 7519), signed with our secret (HS256) or by an identity provider. Each key has its one
//! algorithm by configuration; what a token's header asks for is never followed.

mod keys;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::{self, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use self::keys::KeyFile;
use crate::domain::{Code, ContactId, OrgId, Refusal, Sub, check_label};

pub const AUDIENCE: &str = "crewline";
/// HS256 wants a key at least as long as its hash (RFC 7518, 3.2).
pub const SHORTEST_SECRET: usize = 32;
/// How far the issuer's clock may be ahead, in seconds.
const SKEW: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
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

/// Makes tokens with one secret, and checks them with that, with the one before, and with a provider's keys.
pub struct Auth {
    sign: EncodingKey,
    /// The secret that signs comes first.
    secrets: Vec<DecodingKey>,
    rules: Validation,
    provider: Option<KeyFile>,
}

impl Auth {
    /// Refuses a secret that is too short to be one.
    pub fn new(secret: &SecretString) -> Result<Self, String> {
        let bytes = long_enough(secret)?;
        Ok(Self {
            sign: EncodingKey::from_secret(bytes),
            secrets: vec![DecodingKey::from_secret(bytes)],
            rules: rules(Algorithm::HS256),
            provider: None,
        })
    }

    /// Accepts another secret too, but never signs with it: while secrets are changed.
    pub fn and_accept(mut self, old: &SecretString) -> Result<Self, String> {
        self.secrets.push(DecodingKey::from_secret(long_enough(old)?));
        Ok(self)
    }

    /// Accepts tokens of the keys in a JWKS file too. From then on a token that names a kid is checked with
    /// that key alone.
    pub fn and_trust(mut self, jwks: &Path) -> Result<Self, String> {
        self.provider = Some(KeyFile::open(jwks)?);
        Ok(self)
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
        let identity = self.verify(token).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => Refusal::new(Code::ExpiredToken, "the token has expired; get a new one"),
            ErrorKind::InvalidAudience => bad("the token's aud must be \"crewline\""),
            ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => {
                bad("the token needs aud, sub, org, role, name, iat and exp, and contact for a customer")
            }
            _ => bad("the token is not one of ours"),
        })?;
        if identity.iat > now() + SKEW {
            return Err(bad("the token's iat lies in the future"));
        }
        if (identity.role == Role::Customer) != identity.contact.is_some() {
            return Err(bad("a customer's token, and no other, names its contact"));
        }
        check_label("name", &identity.name).map_err(|refusal| bad(&refusal.message))?;
        Ok(identity)
    }

    /// Whether a key of ours signed it, and what it then says.
    fn verify(&self, token: &str) -> errors::Result<Identity> {
        let header = jsonwebtoken::decode_header(token)?;
        // "crit" lists what a reader must understand or refuse (RFC 7515, 4.1.11); the library reads over it.
        if header.crit.is_some() {
            return Err(ErrorKind::InvalidToken.into());
        }
        let decode = |key, rules| jsonwebtoken::decode(token, key, rules).map(|decoded| decoded.claims);
        if let (Some(provider), Some(kid)) = (&self.provider, &header.kid) {
            let key = provider.find(kid).ok_or(ErrorKind::InvalidSignature)?;
            return decode(&key.check, &key.rules);
        }
        let mut verified = Err(ErrorKind::InvalidSignature.into());
        for secret in &self.secrets {
            verified = decode(secret, &self.rules);
            // Only a signature that is not this secret's may still be another's.
            if !matches!(&verified, Err(error) if *error.kind() == ErrorKind::InvalidSignature) {
                break;
            }
        }
        verified
    }
}

/// What every token must hold to, whoever signed it.
fn rules(algorithm: Algorithm) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "aud", "sub"]);
    rules.leeway = 0;
    rules
}

fn long_enough(secret: &SecretString) -> Result<&[u8], String> {
    let bytes = secret.expose_secret().as_bytes();
    if bytes.len() < SHORTEST_SECRET {
        return Err(format!(
            "the JWT secret has {} bytes, it needs at least {SHORTEST_SECRET}; `openssl rand -hex 32` makes one",
            bytes.len()
        ));
    }
    Ok(bytes)
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() as i64
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

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

    #[test]
    fn the_secret_before_is_accepted_and_never_signs() {
        let old_secret = SECRET.replace('0', "x");
        let (new, old) = (auth(SECRET), auth(&old_secret));
        let both = auth(SECRET).and_accept(&old_secret.into()).unwrap();
        let sam = identity(now(), now() + 60);
        assert_eq!(both.check(&old.mint(&sam)).unwrap(), sam);
        assert_eq!(both.check(&new.mint(&sam)).unwrap(), sam);
        assert_eq!(new.check(&both.mint(&sam)).unwrap(), sam);
        assert_eq!(old.check(&both.mint(&sam)).unwrap_err().code, Code::BadToken);
        let third = auth(&SECRET.replace('0', "y")).mint(&sam);
        assert_eq!(both.check(&third).unwrap_err().code, Code::BadToken);
        let expired = old.mint(&identity(now() - 60, now() - 1));
        assert_eq!(both.check(&expired).unwrap_err().code, Code::ExpiredToken);
        assert!(auth(SECRET).and_accept(&"short".into()).is_err());
    }

    const RSA: &str = include_str!("../../tests/data/jwks/rsa.pem");
    const RSA_PUBLIC: &str = include_str!("../../tests/data/jwks/rsa-public.pem");
    const RSA_FOREIGN: &str = include_str!("../../tests/data/jwks/rsa-foreign.pem");
    const P256: &str = include_str!("../../tests/data/jwks/p256.pem");
    const ED25519: &str = include_str!("../../tests/data/jwks/ed25519.pem");

    fn der(pem: &str) -> Vec<u8> {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        STANDARD.decode(lines.collect::<String>()).unwrap()
    }

    fn provided() -> Auth {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/jwks/keys.json");
        auth(SECRET).and_trust(&file).unwrap()
    }

    fn sign(kid: Option<&str>, algorithm: Algorithm, key: &EncodingKey, claims: &impl Serialize) -> String {
        let header = Header {
            kid: kid.map(str::to_owned),
            ..Header::new(algorithm)
        };
        jsonwebtoken::encode(&header, claims, key).unwrap()
    }

    /// The kids of the document, with what signs for each.
    fn signers() -> [(&'static str, Algorithm, EncodingKey); 3] {
        [
            ("rsa", Algorithm::RS256, EncodingKey::from_rsa_der(&der(RSA))),
            ("p256", Algorithm::ES256, EncodingKey::from_ec_der(&der(P256))),
            ("ed25519", Algorithm::EdDSA, EncodingKey::from_ed_der(&der(ED25519))),
        ]
    }

    #[test]
    fn a_providers_token_is_checked_with_the_key_of_its_kid_and_like_any_other() {
        let auth = provided();
        let sam = identity(now(), now() + 60);
        assert_eq!(auth.check(&auth.mint(&sam)).unwrap(), sam, "our own, beside them");
        fn claims(aud: &'static str, identity: &Identity) -> serde_json::Value {
            serde_json::to_value(Claims { aud, identity }).unwrap()
        }
        for (kid, algorithm, key) in &signers() {
            let code = |kid, claims| {
                let token = sign(kid, *algorithm, key, &claims);
                auth.check(&token).map_err(|refusal| refusal.code)
            };
            assert_eq!(code(Some(*kid), claims(AUDIENCE, &sam)).unwrap(), sam, "{kid}");
            let (bad, expired) = (Err(Code::BadToken), Err(Code::ExpiredToken));
            assert_eq!(code(None, claims(AUDIENCE, &sam)), bad, "{kid}: no kid");
            for other in ["", "none", "RSA", "rsa ", "../rsa", "rsa", "p256", "ed25519"] {
                if other != *kid {
                    assert_eq!(code(Some(other), claims(AUDIENCE, &sam)), bad, "{kid} as {other:?}");
                }
            }
            assert_eq!(code(Some(*kid), claims("billing", &sam)), bad, "{kid}: aud");
            let past = identity(now() - 60, now() - 1);
            assert_eq!(code(Some(*kid), claims(AUDIENCE, &past)), expired, "{kid}: exp");
            let future = identity(now() + 120, now() + 180);
            assert_eq!(code(Some(*kid), claims(AUDIENCE, &future)), bad, "{kid}: iat");
            for claim in ["aud", "sub", "org", "role", "name", "iat", "exp"] {
                let mut less = claims(AUDIENCE, &sam);
                less.as_object_mut().unwrap().remove(claim);
                assert_eq!(code(Some(*kid), less), bad, "{kid}: no {claim}");
            }
        }
    }

    #[test]
    fn nobody_signs_with_what_a_providers_document_says() {
        let auth = provided();
        let sam = identity(now(), now() + 60);
        let claims = Claims {
            aud: AUDIENCE,
            identity: &sam,
        };
        let refused = |what: &str, token: &str| {
            let code = auth.check(token).map_err(|refusal| refusal.code);
            assert_eq!(code, Err(Code::BadToken), "{what}");
        };
        // The public key is known to all: it must not become a secret because the header says HS256.
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/jwks/keys.json")).unwrap();
        let modulus = document["keys"][0]["n"].as_str().unwrap();
        let known_to_all = [
            RSA_PUBLIC.as_bytes().to_vec(),
            RSA_PUBLIC.trim_end().as_bytes().to_vec(),
            der(RSA_PUBLIC),
            modulus.as_bytes().to_vec(),
            URL_SAFE_NO_PAD.decode(modulus).unwrap(),
            URL_SAFE_NO_PAD
                .decode(document["keys"][2]["x"].as_str().unwrap())
                .unwrap(),
        ];
        for bytes in known_to_all {
            for kid in [Some("rsa"), Some("ed25519"), None] {
                for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                    let token = sign(kid, algorithm, &EncodingKey::from_secret(&bytes), &claims);
                    refused("a public key as a secret", &token);
                }
            }
        }
        for (kid, _, _) in signers() {
            let ours = sign(Some(kid), Algorithm::HS256, &auth.sign, &claims);
            refused("our secret under a provider's kid", &ours);
            let header = format!("{{\"alg\":\"none\",\"kid\":\"{kid}\"}}");
            let payload = ours.split('.').nth(1).unwrap();
            refused("alg none", &format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(header)));
        }
        let nobodys = sign(Some("nobody's"), Algorithm::HS256, &auth.sign, &claims);
        refused("our secret under nobody's kid", &nobodys);
        let rsa = EncodingKey::from_rsa_der(&der(RSA));
        for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
            refused(
                "another alg of the same key",
                &sign(Some("rsa"), algorithm, &rsa, &claims),
            );
        }
        let foreign = EncodingKey::from_rsa_der(&der(RSA_FOREIGN));
        refused("a foreign key", &sign(Some("rsa"), Algorithm::RS256, &foreign, &claims));
        let with_header = |change: fn(&mut Header), key| {
            let mut header = Header::new(Algorithm::RS256);
            header.kid = Some("rsa".into());
            change(&mut header);
            jsonwebtoken::encode(&header, &claims, key).unwrap()
        };
        let embedded = with_header(
            |header| {
                let key = EncodingKey::from_rsa_der(&der(RSA_FOREIGN));
                header.jwk = Some(jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap());
            },
            &foreign,
        );
        refused("a foreign key that comes along", &embedded);
        refused(
            "crit",
            &with_header(|header| header.crit = Some(vec!["b64".into()]), &rsa),
        );
    }
}
