//! Names of things. Each is parsed once at the door; inside, it is known to be well formed.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Code, Refusal};

/// Printable ASCII without the two characters that JSON must escape, so that an id can be spliced
/// into a frame as it is.
fn well_formed(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $longest:expr, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Refuses with `bad_id` what is empty, too long or not printable ASCII.
            pub fn parse(text: &str) -> Result<Self, Refusal> {
                if well_formed(text, $longest) {
                    return Ok(Self(text.into()));
                }
                Err(Refusal::new(
                    Code::BadId,
                    format!(
                        concat!($what, " must be 1 to {} printable ASCII characters without spaces, quotes or backslashes"),
                        $longest
                    ),
                ))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(|refusal| serde::de::Error::custom(refusal.message))
            }
        }
    };
}

id!(
    /// A contractor's account, named by the CRM.
    OrgId, 128, "an org's id"
);
id!(
    /// A customer's record, named by the CRM.
    ContactId, 128, "a contact's id"
);
id!(
    /// Whom a token speaks for: the `sub` claim (RFC 7519, 4.1.2).
    Sub, 128, "a sub"
);
id!(
    /// A conversation. Made here, random, so that it cannot be guessed.
    ThreadId, 64, "a thread's id"
);
id!(
    /// A client's id for what it sends: the message's id for ever.
    MessageId, 64, "a message's id"
);
id!(
    /// The opaque id shown for a person: random, never derived from anything.
    PersonId, 64, "a person's id"
);

impl ThreadId {
    /// A new one. Version 7, so that the index grows at its end; 74 bits of it are random.
    pub fn random() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string().into())
    }
}

impl PersonId {
    pub fn random() -> Self {
        Self(format!("p_{}", uuid::Uuid::new_v4().simple()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_printable_ascii_of_bounded_length() {
        assert!(MessageId::parse("SM0123").is_ok());
        assert!(MessageId::parse(&"x".repeat(64)).is_ok());
        for bad in ["", "a b", "ä", "a\n", "a\"b", "a\\b", &"x".repeat(65)] {
            assert_eq!(MessageId::parse(bad).unwrap_err().code, Code::BadId, "{bad:?}");
        }
    }
}
