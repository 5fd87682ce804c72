//! What bytes are, by their content alone, and whether they are what a photo may be. Looks at headers and
//! structure; no pixel is decoded.

use image::ImageFormat;

use super::png;
use crate::domain::{Code, Refusal};

/// Whose pictures are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// What people upload: JPG and PNG.
    Uploads,
    /// What comes by MMS: GIF and WebP besides.
    Mms,
}

/// What makes a file do something in a program that takes it for another kind. Photos have no business
/// with any of it outside of their pixels.
const ACTIVE: [&[u8]; 10] = [
    b"<html",
    b"<script",
    b"<svg",
    b"<!doctype",
    b"<?php",
    b"<iframe",
    b"%pdf-",
    b"pk\x03\x04",
    b"rar!\x1a",
    b"\x7felf",
];

/// What the bytes are, if a photo may be that.
pub fn sniff(bytes: &[u8], accept: Accept) -> Result<ImageFormat, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::new(Code::PhotoBroken, "the file is empty; choose another"));
    }
    if is_heif(bytes) {
        return Err(Refusal::new(
            Code::PhotoFormat,
            "this is a HEIC photo, which most phones and browsers cannot show; send it as JPEG \
             (on an iPhone: Settings, Camera, Formats, Most Compatible)",
        ));
    }
    let format = match bytes {
        [0xff, 0xd8, 0xff, ..] => ImageFormat::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ImageFormat::Png,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] if accept == Accept::Mms => ImageFormat::Gif,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] if accept == Accept::Mms => ImageFormat::WebP,
        _ => {
            return Err(Refusal::new(
                Code::PhotoFormat,
                "a photo is a JPG or a PNG; this is neither",
            ));
        }
    };
    let around = match format {
        ImageFormat::Jpeg => around_jpeg(bytes),
        ImageFormat::Png => around_png(bytes),
        _ => Some(Vec::new()),
    };
    let around = around.ok_or_else(|| Refusal::new(Code::PhotoBroken, "the photo is not whole; send it again"))?;
    if around.iter().any(|part| is_active(part)) {
        return Err(Refusal::new(
            Code::PhotoFormat,
            "this file is a photo and something else besides; send a screenshot of it instead",
        ));
    }
    Ok(format)
}

/// HEIC, HEIF and AVIF are one container with many brands.
fn is_heif(bytes: &[u8]) -> bool {
    const BRANDS: [&[u8]; 10] = [
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis",
    ];
    let brands = bytes.get(4..8) == Some(b"ftyp") && bytes.len() >= 12;
    brands && BRANDS.contains(&&bytes[8..12])
}

/// All that is not pixels: metadata, and what stands behind the end. None if there is no end.
fn around_jpeg(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut around = Vec::new();
    let mut at = 2;
    loop {
        // Between segments, and in the pixels, only a marker matters; 0 and the restarts are none.
        let found = bytes.get(at..)?.windows(2).position(|pair| {
            let [first, second] = [pair[0], pair[1]];
            first == 0xff && !matches!(second, 0x00 | 0xff | 0x01 | 0xd0..=0xd8)
        })?;
        at += found;
        let marker = bytes[at + 1];
        at += 2;
        if marker == 0xd9 {
            around.push(&bytes[at..]);
            return Some(around);
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let segment = bytes.get(at..at + length.max(2))?;
        if matches!(marker, 0xe0..=0xef | 0xfe) {
            around.push(segment);
        }
        at += length.max(2);
    }
}

/// The same of a PNG.
fn around_png(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (chunks, behind) = png::chunks(bytes)?;
    let others = chunks
        .iter()
        .filter(|chunk| !matches!(chunk.kind, b"IDAT" | b"fdAT" | b"IHDR" | b"PLTE" | b"IEND"));
    let mut around: Vec<_> = others.map(|chunk| chunk.data).collect();
    around.push(behind);
    Some(around)
}

fn is_active(part: &[u8]) -> bool {
    let lower = part.to_ascii_lowercase();
    ACTIVE
        .iter()
        .any(|sign| lower.windows(sign.len()).any(|window| window == *sign))
}
