//! A phone number in E.164 (ITU-T): `+` and 8 to 15 digits, the first of them not 0.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Code, Refusal};

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Phone(String);

impl Phone {
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let well_formed =
            (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(
            Code::BadField,
            "a phone number must be in E.164, like +14155550123",
        ))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last two digits: enough for its owner to tell it apart, and for nobody to call it.
    pub fn ending(&self) -> &str {
        &self.0[self.0.len() - 2..]
    }
}

impl fmt::Debug for Phone {
    /// Numbers are never logged; the last two digits are enough to tell two apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+…{}", self.ending())
    }
}

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|refusal| serde::de::Error::custom(refusal.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_a_phone_number() {
        assert!(Phone::parse("+14155550123").is_ok());
        for bad in [
            "14155550123",
            "+1415555",
            "+04155550123",
            "+1 415 555",
            "+1415555012345678",
            "+",
            "",
        ] {
            assert!(Phone::parse(bad).is_err(), "{bad:?}");
        }
    }
}
