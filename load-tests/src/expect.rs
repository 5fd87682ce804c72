//! `--expect 'p99<50ms'`: what must hold besides what always must.

use std::str::FromStr;

use anyhow::{Context, Result, anyhow};

use crate::report::Figure;

#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    text: String,
    pub name: String,
    how: How,
    /// In the unit of the figure: milliseconds, bytes, or just a number.
    value: f64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    None,
    Time,
    Bytes,
}

/// Longer ones first, so that `<=` is not read as `<`.
const HOW: [(&str, How); 5] = [
    ("<=", How::AtMost),
    (">=", How::AtLeast),
    ("==", How::Equal),
    ("<", How::Below),
    (">", How::Above),
];

const UNITS: [(&str, Unit, f64); 8] = [
    ("us", Unit::Time, 0.001),
    ("µs", Unit::Time, 0.001),
    ("ms", Unit::Time, 1.0),
    ("kB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("s", Unit::Time, 1e3),
    ("B", Unit::Bytes, 1.0),
    ("", Unit::None, 1.0),
];

impl Expect {
    /// Whether it holds for this figure; an error if the two cannot be compared.
    pub fn holds(&self, figure: &Figure) -> Result<bool> {
        let (is, unit) = figure.number();
        if unit != self.unit {
            let wanted = match unit {
                Unit::Time => "a time: us, ms or s",
                Unit::Bytes => "bytes: B, kB or MB",
                Unit::None => "a bare number",
            };
            return Err(anyhow!("{self}: {} is compared with {wanted}", self.name));
        }
        Ok(match self.how {
            How::Below => is < self.value,
            How::AtMost => is <= self.value,
            How::Above => is > self.value,
            How::AtLeast => is >= self.value,
            How::Equal => is == self.value,
        })
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Expect {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let shape = || anyhow!("{text:?} is not FIGURE, then one of < <= > >= ==, then a NUMBER: like p99<50ms");
        let (at, sign, how) = HOW
            .iter()
            .filter_map(|(sign, how)| Some((text.find(sign)?, *sign, *how)))
            // The leftmost; of two that begin there the longer, which stands first.
            .min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len())))
            .ok_or_else(shape)?;
        let name = text[..at].trim();
        let rest = text[at + sign.len()..].trim();
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, unit) = (&rest[..digits], rest[digits..].trim());
        if name.is_empty() || number.is_empty() {
            return Err(shape());
        }
        let value: f64 = number
            .parse()
            .with_context(|| format!("{number:?} in {text:?} is no number"))?;
        let (_, unit, scale) = UNITS
            .into_iter()
            .find(|(name, ..)| *name == unit)
            .ok_or_else(|| anyhow!("{unit:?} in {text:?} is no unit: us, ms, s, B, kB, MB or none"))?;
        Ok(Self {
            text: text.to_owned(),
            name: name.to_owned(),
            how,
            value: value * scale,
            unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expect: &str, figure: Figure) -> bool {
        expect.parse::<Expect>().unwrap().holds(&figure).unwrap()
    }

    #[test]
    fn a_limit_in_any_unit_of_its_kind() {
        assert!(holds("p99<50ms", Figure::Ms(49.9)));
        assert!(!holds("p99<50ms", Figure::Ms(50.0)));
        assert!(holds("p99 <= 0.05 s", Figure::Ms(50.0)));
        assert!(holds("ack_p50 > 900us", Figure::Ms(1.0)));
        assert!(holds("lost==0", Figure::Count(0)));
        assert!(!holds("lost==0", Figure::Count(1)));
        assert!(holds("bytes_per_socket<10kB", Figure::Bytes(9_999)));
        assert!(holds("sign_ins_per_s>=100", Figure::PerSecond(100.0)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_a_reason() {
        for (text, reason) in [
            ("p99", "p99<50ms"),
            ("<50ms", "p99<50ms"),
            ("p99<", "p99<50ms"),
            ("p99<fast", "p99<50ms"),
            ("p99<50 parsecs", "no unit"),
            ("p99<1.2.3ms", "no number"),
        ] {
            let error = format!("{:#}", text.parse::<Expect>().unwrap_err());
            assert!(error.contains(reason), "{text}: {error}");
        }
        let unit = "p99<50".parse::<Expect>().unwrap().holds(&Figure::Ms(1.0)).unwrap_err();
        assert!(unit.to_string().contains("a time"), "{unit}");
    }
}
