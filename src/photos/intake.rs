//! Makes our own pictures of a stranger's: oriented, without any metadata, in three sizes. Everything
//! that can be refused is refused before a pixel is decoded; decoding is off the async threads, and
//! bounded in number and memory.

use std::io::Cursor;
use std::sync::Arc;

use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use jpeg_encoder::{ColorType, Encoder};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::spool::{Spooled, too_large};
use super::{Accept, MAX_BYTES, MAX_PIXELS, MAX_SIDE, MAX_SMS_BYTES, colour, png, sniff};
use crate::domain::{Code, Refusal};

/// What all that are decoded at once may take, in MB. One picture is never refused for it: the largest
/// has it alone.
const MEMORY_MB: u32 = 480;
/// Decoded at once, however small.
const AT_ONCE: u32 = 4;
/// Files looked at at once, of [`MAX_BYTES`] each.
const LOOKS: usize = 4;
/// The longer side of the thumbnail.
const THUMB: u32 = 480;
/// The longer side and the quality of the rendition for MMS: the first that is small enough.
const SMS: [(u32, u8); 5] = [(1_600, 82), (1_280, 78), (1_024, 72), (800, 60), (640, 50)];
/// The quality of the full picture; the second if the first makes more of it than was sent.
const FULL: [u8; 2] = [88, 75];

/// A picture as it is kept: JPEGs.
pub struct Rendered {
    /// As it is shown.
    pub width: u32,
    pub height: u32,
    /// What the original was.
    pub content_type: &'static str,
    pub full: Vec<u8>,
    pub sms: Vec<u8>,
    pub thumb: Vec<u8>,
}

/// Cheap to clone; all clones share the bounds.
#[derive(Clone)]
pub struct Intake {
    looks: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            looks: Arc::new(Semaphore::new(LOOKS)),
            memory: Arc::new(Semaphore::new(MEMORY_MB as usize)),
        }
    }
}

struct Look {
    format: ImageFormat,
    orientation: Orientation,
    /// What decoding takes.
    cost_mb: u32,
}

impl Intake {
    /// Waits for its turn. Refuses with `photo_format`, `photo_too_large` or `photo_broken`; with `busy`
    /// if the machine is in trouble.
    pub async fn take_in(&self, spooled: Arc<Spooled>, accept: Accept) -> Result<Rendered, Refusal> {
        let turn = self.looks.acquire().await.map_err(|_| closed())?;
        let file = Arc::clone(&spooled);
        let look = blocking(move || look(read(&file)?, accept)).await?;
        drop(turn);
        let turn = self.memory.acquire_many(look.cost_mb).await.map_err(|_| closed())?;
        let rendered = blocking(move || render(read(&spooled)?, &look)).await;
        drop(turn);
        rendered
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    // A decoder that panics has met a file that it cannot read.
    spawn_blocking(work).await.unwrap_or_else(|_| Err(broken()))
}

fn read(spooled: &Spooled) -> Result<Vec<u8>, Refusal> {
    spooled.read().map_err(|error| {
        tracing::error!(%error, "an upload could not be read again");
        closed()
    })
}

fn look(mut bytes: Vec<u8>, accept: Accept) -> Result<Look, Refusal> {
    let format = sniff::sniff(&bytes, accept)?;
    let mut decoder = decoder(&mut bytes, format)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(too_many_pixels());
    }
    // The decoded picture, and beside it either its coefficients (a progressive JPEG's, of all channels)
    // or a copy: without transparency, or turned.
    let coefficients = if format == ImageFormat::Jpeg { 8 * pixels } else { 0 };
    let cost = decoder.total_bytes() + coefficients.max(3 * pixels) + MAX_BYTES;
    let cost_mb = (cost / 1_000_000) as u32;
    Ok(Look {
        format,
        orientation: decoder.orientation().unwrap_or(Orientation::NoTransforms),
        cost_mb: cost_mb.clamp(MEMORY_MB / AT_ONCE, MEMORY_MB),
    })
}

fn decoder(bytes: &mut Vec<u8>, format: ImageFormat) -> Result<impl ImageDecoder + '_, Refusal> {
    if format == ImageFormat::Png {
        png::forget_heavy_profiles(bytes);
    }
    let mut reader = ImageReader::with_format(Cursor::new(&bytes[..]), format);
    let mut limits = Limits::no_limits();
    // 16 bits of four channels, and what the codecs need besides.
    limits.max_alloc = Some(MAX_PIXELS * 9);
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    reader.limits(limits);
    reader.into_decoder().map_err(|error| match error {
        ImageError::Limits(_) => too_many_pixels(),
        _ => broken(),
    })
}

fn render(mut bytes: Vec<u8>, look: &Look) -> Result<Rendered, Refusal> {
    let sent = bytes.len();
    let mut decoder = decoder(&mut bytes, look.format)?;
    let profile = decoder.icc_profile().ok().flatten();
    let mut picture = opaque(DynamicImage::from_decoder(decoder).map_err(|_| broken())?);
    if let Some(profile) = profile {
        colour::to_srgb(&mut picture, &profile);
    }
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(look.orientation);
    let sms = smallest(&picture)?;
    let thumb = encode(&fit(&picture, THUMB), 80)?;
    let mut full = encode(&picture, FULL[0])?;
    if full.len() > sent.max(1_000_000) {
        full = encode(&picture, FULL[1])?;
    }
    Ok(Rendered {
        width: picture.width(),
        height: picture.height(),
        content_type: look.format.to_mime_type(),
        full,
        sms,
        thumb,
    })
}

/// On white, where one could see through. JPEG knows no transparency.
fn opaque(picture: DynamicImage) -> RgbImage {
    match picture {
        DynamicImage::ImageRgb8(picture) => picture,
        picture if !picture.color().has_alpha() => picture.into_rgb8(),
        picture => {
            let mut flat = RgbImage::new(picture.width(), picture.height());
            for ((_, _, image::Rgba([r, g, b, a])), out) in picture.pixels().zip(flat.pixels_mut()) {
                let over_white = |c: u8| ((u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a))) / 255) as u8;
                *out = image::Rgb([over_white(r), over_white(g), over_white(b)]);
            }
            flat
        }
    }
}

fn smallest(picture: &DynamicImage) -> Result<Vec<u8>, Refusal> {
    for (side, quality) in SMS {
        let encoded = encode(&fit(picture, side), quality)?;
        if encoded.len() <= MAX_SMS_BYTES {
            return Ok(encoded);
        }
    }
    Err(broken())
}

/// Never larger than it was.
fn fit(picture: &DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= side {
        return picture.clone();
    }
    picture.thumbnail(side, side)
}

fn encode(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, Refusal> {
    let side = |side: u32| u16::try_from(side).map_err(|_| broken());
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let mut encoded = Vec::new();
    let encoder = Encoder::new(&mut encoded, quality);
    let written = encoder.encode(picture.as_bytes(), width, height, ColorType::Rgb);
    written.map_err(|_| broken())?;
    Ok(encoded)
}

fn too_many_pixels() -> Refusal {
    let megapixels = MAX_PIXELS / 1_000_000;
    Refusal::new(
        Code::PhotoTooLarge,
        format!("a photo has at most {megapixels} megapixels, and {MAX_SIDE} pixels a side; send a smaller one"),
    )
}

fn broken() -> Refusal {
    Refusal::new(
        Code::PhotoBroken,
        "the photo is damaged and cannot be shown; send it again",
    )
}

fn closed() -> Refusal {
    Refusal::new(Code::Busy, "the photo could not be taken in; try again")
}

/// What is known without looking.
pub fn refuse_by_length(bytes: Option<u64>) -> Result<(), Refusal> {
    match bytes {
        Some(bytes) if bytes > MAX_BYTES => Err(too_large()),
        _ => Ok(()),
    }
}
