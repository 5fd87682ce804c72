//! In which of our encodings a client wants an answer (RFC 9110, 12.5.3).

use std::io::Write as _;

use axum::http::{HeaderMap, header};
use bytes::Bytes;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Plain,
}

/// As tight as it gets: a tenth smaller than what is quick, and some 25 ms of work for a file.
const QUALITY: u32 = 11;
/// The window, as a power of two; larger than any file.
const WINDOW: u32 = 18;

impl Encoding {
    /// Of those that there are, the one that is wanted most; of equals the smallest.
    pub fn wanted(headers: &HeaderMap, has_brotli: bool) -> Self {
        let offers = headers.get_all(header::ACCEPT_ENCODING).iter();
        let offers: Vec<_> = offers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(offer)
            .collect();
        let weight = |names: &[&str]| {
            let named = |wanted: &str| offers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            names.iter().find_map(|name| named(name)).map(|(_, weight)| *weight)
        };
        // Not named, plain will do if nothing else does; of the others each must be named.
        let mut wanted = (Self::Plain, weight(&["identity", "*"]).unwrap_or(1));
        for (encoding, weight) in [
            (Self::Gzip, weight(&["gzip", "x-gzip", "*"])),
            (Self::Brotli, weight(&["br", "*"]).filter(|_| has_brotli)),
        ] {
            match weight {
                Some(weight) if weight > 0 && weight >= wanted.1 => wanted = (encoding, weight),
                _ => {}
            }
        }
        wanted.0
    }

    /// As `Content-Encoding` names it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Plain => None,
        }
    }

    /// None if it would not be smaller for it.
    pub fn encode(self, plain: &[u8]) -> Option<Bytes> {
        let encoded = match self {
            Self::Brotli => {
                let mut writer = brotli::CompressorWriter::new(Vec::new(), 4_096, QUALITY, WINDOW);
                writer.write_all(plain).ok()?;
                writer.into_inner()
            }
            Self::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                writer.write_all(plain).ok()?;
                writer.finish().ok()?
            }
            Self::Plain => return None,
        };
        (encoded.len() < plain.len()).then(|| encoded.into())
    }
}

/// `gzip;q=0.5` with its weight in thousandths. None for what cannot be read.
fn offer(text: &str) -> Option<(&str, u32)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut weight = 1_000;
    for parameter in parts {
        if let Some(q) = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")) {
            let q: f32 = q.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
            weight = (q * 1_000.0).round() as u32;
        }
    }
    Some((name, weight))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn wanted(accept: &str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
        Encoding::wanted(&headers, true)
    }

    #[test]
    fn what_is_wanted_most_is_chosen_and_of_equals_the_smallest() {
        use Encoding::{Brotli, Gzip, Plain};
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("br;q=0.5, gzip", Gzip),
            ("br;q=0.5, gzip;q=0.5", Brotli),
            ("br;q=0.4, gzip;q=0.5", Gzip),
            ("br ; q=0.4 , gzip ; q=0.5", Gzip),
            ("br;q=0, gzip;q=0", Plain),
            ("br;q=0, *", Gzip),
            ("*", Brotli),
            ("*;q=0", Plain),
            ("*;q=0, gzip;q=0.1", Gzip),
            ("gzip;q=0.001", Gzip),
            ("identity, gzip;q=0.5", Plain),
            ("identity;q=0.5, gzip", Gzip),
            ("identity;q=0, gzip;q=0.5", Gzip),
            ("deflate, zstd", Plain),
            ("br;q=2", Plain),
            ("br;q=x", Plain),
            ("", Plain),
            (",;", Plain),
            ("brotli", Plain),
        ] {
            assert_eq!(wanted(accept), expected, "{accept:?}");
        }
        assert_eq!(Encoding::wanted(&HeaderMap::new(), true), Plain);
        for (accept, expected) in [("gzip, br", Gzip), ("br", Plain), ("*", Gzip)] {
            let headers = [(header::ACCEPT_ENCODING, accept.parse().unwrap())]
                .into_iter()
                .collect();
            assert_eq!(Encoding::wanted(&headers, false), expected, "{accept:?} without brotli");
        }
    }

    #[test]
    fn what_was_encoded_is_the_same_again_and_what_would_grow_is_left() {
        let plain = "the leak is back, ".repeat(500).into_bytes();
        let mut out = Vec::new();
        let encoded = Encoding::Brotli.encode(&plain).unwrap();
        brotli::Decompressor::new(&encoded[..], 4_096)
            .read_to_end(&mut out)
            .unwrap();
        assert!(out == plain && encoded.len() < plain.len() / 10);
        out.clear();
        let encoded = Encoding::Gzip.encode(&plain).unwrap();
        flate2::read::GzDecoder::new(&encoded[..])
            .read_to_end(&mut out)
            .unwrap();
        assert!(out == plain && encoded.len() < plain.len() / 10);
        assert_eq!(Encoding::Brotli.encode(b"x"), None);
        assert_eq!(Encoding::Gzip.encode(b"x"), None);
    }
}
