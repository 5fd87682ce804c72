//! The public keys of an identity provider: a JWKS document (RFC 7517) in a file that others keep fresh.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// How often the file is looked at, at most: strangers choose when tokens come, and with which kid.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Far more than the keys of any provider; what is larger is another file.
const LARGEST: u64 = 256 * 1024;

/// A public key, and the one algorithm that it is for.
pub struct Key {
    pub check: DecodingKey,
    pub rules: Validation,
}

type Keys = HashMap<String, Arc<Key>>;

/// Another stamp, another document: by mtime, or by inode where a rename came within one tick of the clock.
type Stamp = (i64, i64, u64, u64);

/// The keys of a file, as it is now.
pub struct KeyFile {
    path: PathBuf,
    look_every: Duration,
    state: Mutex<State>,
}

struct State {
    keys: Keys,
    /// Of the document that was looked at last, whether or not it could be read.
    stamp: Option<Stamp>,
    looked: Instant,
}

impl KeyFile {
    /// Refuses a document with anything in it that could not be meant for this.
    pub fn open(path: &Path) -> Result<Self, String> {
        let (stamp, keys) = look(path, None);
        let keys = keys.unwrap_or_else(|| Err("cannot be read".into()));
        let keys = keys.map_err(|error| format!("the JWKS file {} {error}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            look_every: LOOK_EVERY,
            state: Mutex::new(State {
                keys,
                stamp,
                looked: Instant::now(),
            }),
        })
    }

    /// The key of that kid. Reads the file again if it changed, or if nobody knows the kid; a few KB every
    /// few seconds at most, which is why it may be done right here.
    pub fn find(&self, kid: &str) -> Option<Arc<Key>> {
        let mut state = self.state.lock();
        if state.looked.elapsed() >= self.look_every {
            let known = state.stamp.filter(|_| state.keys.contains_key(kid));
            let (stamp, keys) = look(&self.path, known);
            let file = self.path.display();
            match keys {
                None => {}
                Some(Ok(keys)) => {
                    if stamp != state.stamp {
                        tracing::info!(%file, keys = keys.len(), "the JWKS file was read again");
                    }
                    state.keys = keys;
                }
                // Half a document, say: whoever was let in before still is. Said once for each.
                Some(Err(error)) if stamp != state.stamp => {
                    tracing::warn!(%file, "the JWKS file {error}; the keys from before stay");
                }
                Some(Err(_)) => {}
            }
            state.stamp = stamp;
            state.looked = Instant::now();
        }
        state.keys.get(kid).cloned()
    }
}

/// What is there now; its keys only if it is not what is `known`.
fn look(path: &Path, known: Option<Stamp>) -> (Option<Stamp>, Option<Result<Keys, String>>) {
    // The stamp is taken before the text: what is written in between is then read the next time.
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) => return (None, Some(Err(format!("cannot be read: {error}")))),
    };
    let stamp = Some((about.mtime(), about.mtime_nsec(), about.ino(), about.len()));
    if known.is_some() && stamp == known {
        return (stamp, None);
    }
    // Reading a pipe would wait for its writer.
    let keys = if !about.is_file() || about.len() > LARGEST {
        Err(format!("is not a file of {} KiB or less", LARGEST / 1024))
    } else {
        fs::read_to_string(path)
            .map_err(|error| format!("cannot be read: {error}"))
            .and_then(|text| parse(&text))
    };
    (stamp, Some(keys))
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
    /// The private half, of every kind of key pair.
    d: Option<IgnoredAny>,
}

/// Refuses the whole document for one bad key: better not to start than to miss a key at some sign-in.
fn parse(text: &str) -> Result<Keys, String> {
    let document: Document = serde_json::from_str(text).map_err(|error| {
        // Not the error itself: it quotes the document, and a mistaken file may hold secrets.
        let (line, column) = (error.line(), error.column());
        format!("is no JWKS document, {{\"keys\": […]}}: see line {line}, column {column}")
    })?;
    let mut keys = Keys::new();
    for (at, jwk) in document.keys.iter().enumerate() {
        let kid = jwk.kid.as_deref().filter(|kid| !kid.is_empty());
        let kid = kid.ok_or_else(|| format!("has a key without a kid, number {}", at + 1))?;
        let key = key(jwk).map_err(|error| format!("has a key that will not do: {kid:?} {error}"))?;
        if keys.insert(kid.to_owned(), Arc::new(key)).is_some() {
            return Err(format!("has two keys with the kid {kid:?}"));
        }
    }
    if keys.is_empty() {
        return Err("has no keys".into());
    }
    Ok(keys)
}

fn key(jwk: &Jwk) -> Result<Key, String> {
    if jwk.kty == "oct" {
        return Err("is symmetric (oct), and whoever can read it could sign with it".into());
    }
    if jwk.d.is_some() {
        return Err("has its private half with it".into());
    }
    if let Some(purpose) = jwk.purpose.as_deref().filter(|purpose| *purpose != "sig") {
        return Err(format!("has the use {purpose:?}, and only \"sig\" is for tokens"));
    }
    if jwk
        .key_ops
        .as_ref()
        .is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
    {
        return Err("has key_ops without \"verify\"".into());
    }
    let (algorithm, check) = match (jwk.kty.as_str(), jwk.crv.as_deref(), jwk.alg.as_deref()) {
        ("RSA", _, None | Some("RS256")) => (Algorithm::RS256, DecodingKey::from_rsa_components(&jwk.n, &jwk.e)),
        ("EC", Some("P-256"), None | Some("ES256")) => {
            (Algorithm::ES256, DecodingKey::from_ec_components(&jwk.x, &jwk.y))
        }
        ("OKP", Some("Ed25519"), None | Some("EdDSA")) => (Algorithm::EdDSA, DecodingKey::from_ed_components(&jwk.x)),
        (kty, crv, alg) => {
            let named: Vec<_> = [Some(kty), crv, alg].into_iter().flatten().collect();
            return Err(format!(
                "is {:?}; RSA for RS256, EC P-256 for ES256 and OKP Ed25519 for EdDSA are known",
                named.join(" ")
            ));
        }
    };
    let check = check.map_err(|_| "is not written in base64url")?;
    // The signature check would refuse these too, but only at somebody's sign-in.
    let bytes = check.try_get_as_bytes().map_or(0, <[u8]>::len);
    let right_size = match algorithm {
        // An uncompressed point is 0x04, x, y.
        Algorithm::ES256 => bytes == 65 && jwk.x.len() == jwk.y.len(),
        Algorithm::EdDSA => bytes == 32,
        // 2048 to 8192 bits in base64url, whose A is six zeros.
        _ => (342..=1366).contains(&jwk.n.trim_start_matches('A').len()) && !jwk.e.is_empty(),
    };
    if !right_size {
        return Err("has not the size of its kind (RSA: 2048 to 8192 bits)".into());
    }
    Ok(Key {
        check,
        rules: super::rules(algorithm),
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use serde_json::{Value, json};

    use super::*;

    const DOCUMENT: &str = include_str!("../../tests/data/jwks/keys.json");

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    fn kids(file: &KeyFile) -> Vec<&'static str> {
        let kids = ["rsa", "p256", "ed25519"].into_iter();
        kids.filter(|kid| file.find(kid).is_some()).collect()
    }

    #[test]
    fn each_key_has_the_one_algorithm_of_its_kind() {
        let mut document = document();
        for keys in [DOCUMENT.to_owned(), {
            for key in document["keys"].as_array_mut().unwrap() {
                key.as_object_mut()
                    .unwrap()
                    .retain(|name, _| name != "alg" && name != "use");
            }
            document.to_string()
        }] {
            let keys = parse(&keys).unwrap();
            let algorithms = |kid: &str| keys[kid].rules.algorithms.clone();
            assert_eq!(algorithms("rsa"), [Algorithm::RS256]);
            assert_eq!(algorithms("p256"), [Algorithm::ES256]);
            assert_eq!(algorithms("ed25519"), [Algorithm::EdDSA]);
        }
    }

    #[test]
    fn a_document_that_cannot_be_meant_is_refused_with_what_is_wrong() {
        // Which key, what is changed in it, and what is said about that.
        for (key, change, said) in [
            (0, json!({"use": "enc"}), "the use \"enc\""),
            (0, json!({"key_ops": ["encrypt"]}), "key_ops"),
            (0, json!({"alg": "RS512"}), "RSA RS512"),
            (0, json!({"alg": "HS256"}), "RSA HS256"),
            (0, json!({"alg": "none"}), "RSA none"),
            (0, json!({"alg": "ES256"}), "RSA ES256"),
            (0, json!({"alg": "RSA-OAEP"}), "RSA RSA-OAEP"),
            (0, json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}), "symmetric"),
            (0, json!({"d": "AQAB"}), "private"),
            (0, json!({"n": "AQAB"}), "size"),
            (0, json!({"e": ""}), "size"),
            (0, json!({"n": "%"}), "base64url"),
            (0, json!({"kid": null}), "without a kid, number 1"),
            (0, json!({"kid": ""}), "without a kid, number 1"),
            (0, json!({"kid": "p256"}), "two keys with the kid \"p256\""),
            (0, json!({"kid": 1}), "line 1"),
            (0, json!({"kty": "AKP"}), "AKP RS256"),
            (1, json!({"crv": "P-384"}), "EC P-384 ES256"),
            (1, json!({"y": "AQAB"}), "size"),
            (2, json!({"crv": "Ed448"}), "OKP Ed448 EdDSA"),
            (2, json!({"crv": "X25519", "alg": null}), "OKP X25519"),
            (2, json!({"x": "AQAB"}), "size"),
        ] {
            let mut document = document();
            for (name, value) in change.as_object().unwrap() {
                document["keys"][key][name] = value.clone();
            }
            let error = parse(&document.to_string()).err().unwrap_or_default();
            assert!(error.contains(said), "{change}: {error:?}");
        }
        for text in ["", "{}", "[]", "{\"keys\": []}", &DOCUMENT[..200]] {
            assert!(parse(text).is_err(), "{text}");
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(KeyFile::open(&dir.path().join("none")).is_err_and(|e| e.contains("cannot be read")));
        assert!(KeyFile::open(dir.path()).is_err_and(|e| e.contains("not a file")));
    }

    #[test]
    fn a_file_that_is_written_anew_is_followed_and_half_a_file_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let write = |keys: &[usize]| {
            let keys: Vec<_> = keys.iter().map(|at| document()["keys"][at].clone()).collect();
            fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        };
        write(&[0]);
        let mut file = KeyFile::open(&path).unwrap();
        write(&[0, 1]);
        assert_eq!(kids(&file), ["rsa"], "not looked at again so soon");
        file.look_every = Duration::ZERO;
        assert_eq!(kids(&file), ["rsa", "p256"], "an unknown kid makes it look");
        write(&[1, 2]);
        assert_eq!(kids(&file), ["p256", "ed25519"], "a key that is taken out is gone");
        fs::write(&path, &DOCUMENT[..200]).unwrap();
        assert_eq!(kids(&file), ["p256", "ed25519"], "half a document");
        fs::remove_file(&path).unwrap();
        assert_eq!(kids(&file), ["p256", "ed25519"], "no document");
        write(&[0]);
        assert_eq!(kids(&file), ["rsa"]);
        // The same length, in the same inode: the mtime alone says it.
        let text = fs::read_to_string(&path).unwrap().replace("\"rsa\"", "\"rsb\"");
        fs::write(&path, text).unwrap();
        let later = SystemTime::now() + Duration::from_secs(9);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert!(file.find("rsa").is_none() && file.find("rsb").is_some());
    }
}
