//! The parts of a PNG, which name their lengths; no pixel is decoded, nor anything else that might be large.

use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::colour::MAX_PROFILE;

pub struct Chunk<'a> {
    pub kind: &'a [u8],
    pub data: &'a [u8],
    /// With its length and checksum.
    place: Range<usize>,
}

/// All parts up to the end, and what stands behind it. None if there is no end.
pub fn chunks(bytes: &[u8]) -> Option<(Vec<Chunk<'_>>, &[u8])> {
    let mut found = Vec::new();
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let place = at..at.checked_add(length)?.checked_add(12)?;
        let whole = bytes.get(place.clone())?;
        let (kind, data) = (&whole[4..8], &whole[8..8 + length]);
        at = place.end;
        found.push(Chunk { kind, data, place });
        if kind == b"IEND" {
            return Some((found, &bytes[at..]));
        }
    }
}

/// Takes out a profile that is larger than any is used, or is there twice: a decoder would inflate it, whatever
/// comes of that.
pub fn forget_heavy_profiles(bytes: &mut Vec<u8>) {
    let Some((chunks, _)) = chunks(bytes) else { return };
    let profiles: Vec<_> = chunks.into_iter().filter(|chunk| chunk.kind == b"iCCP").collect();
    if matches!(&profiles[..], [] | [_]) && profiles.iter().all(|profile| is_light(profile.data)) {
        return;
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for profile in profiles {
        kept.extend_from_slice(&bytes[from..profile.place.start]);
        from = profile.place.end;
    }
    kept.extend_from_slice(&bytes[from..]);
    *bytes = kept;
}

/// Whether it can be inflated, and is no larger than that: its name, a zero, the method, and what is inflated.
fn is_light(profile: &[u8]) -> bool {
    let Some(name) = profile.iter().position(|byte| *byte == 0) else {
        return false;
    };
    let deflated = profile.get(name + 2..).unwrap_or_default();
    let mut inflated = Vec::new();
    let read = ZlibDecoder::new(deflated)
        .take(MAX_PROFILE as u64 + 1)
        .read_to_end(&mut inflated);
    read.is_ok_and(|read| read <= MAX_PROFILE)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u32).to_be_bytes();
        // Nobody here looks at the checksum.
        [&length[..], kind, data, b"crc!"].concat()
    }

    fn profile(bytes: usize) -> Vec<u8> {
        let mut deflate = ZlibEncoder::new(b"name\0\0".to_vec(), Compression::best());
        deflate.write_all(&vec![7; bytes]).unwrap();
        chunk(b"iCCP", &deflate.finish().unwrap())
    }

    fn png(profiles: &[Vec<u8>]) -> Vec<u8> {
        let around = [
            chunk(b"IHDR", b"thirteen here"),
            chunk(b"IDAT", b"pixels"),
            chunk(b"IEND", b""),
        ];
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            around[0].clone(),
            profiles.concat(),
            around[1..].concat(),
        ]
        .concat()
    }

    fn is_kept(profiles: &[Vec<u8>]) -> bool {
        let mut bytes = png(profiles);
        forget_heavy_profiles(&mut bytes);
        assert!(bytes == png(profiles) || bytes == png(&[]), "either all of it or none");
        bytes == png(profiles)
    }

    #[test]
    fn a_profile_stays_if_it_is_small_and_alone() {
        assert!(is_kept(&[]) && is_kept(&[profile(500)]) && is_kept(&[profile(MAX_PROFILE)]));
        assert!(!is_kept(&[profile(MAX_PROFILE + 1)]));
        assert!(!is_kept(&[profile(100 * MAX_PROFILE)]));
        assert!(!is_kept(&[profile(500), profile(500)]));
    }

    #[test]
    fn a_profile_that_cannot_be_inflated_goes_too() {
        let whole = profile(500);
        let cut = chunk(b"iCCP", &whole[8..whole.len() - 8]);
        for bad in [
            cut,
            chunk(b"iCCP", b""),
            chunk(b"iCCP", b"name"),
            chunk(b"iCCP", b"name\0\0???"),
        ] {
            assert!(!is_kept(&[bad]));
        }
        // What is not whole is somebody else's to refuse.
        let mut half = png(&[profile(500)]);
        half.truncate(60);
        let before = half.clone();
        forget_heavy_profiles(&mut half);
        assert_eq!(half, before);
    }
}
