//! Colours as every screen shows them. Phones take photos in a wider space than most screens have, and say
//! so in a profile; without it they would look dull. A profile is a stranger's bytes, so none is kept: the
//! colours are turned into those of sRGB, which is what a picture without one is in.

use image::RgbImage;
use moxcms::{ColorProfile, Layout, TransformOptions};

/// Cameras' profiles have a few hundred bytes.
pub const MAX_PROFILE: usize = 64 * 1024;

/// Leaves the picture as it is if the profile cannot be read, or is not of three primaries and their curves
/// (a printer's, or of a grey picture).
pub fn to_srgb(picture: &mut RgbImage, profile: &[u8]) {
    if profile.len() > MAX_PROFILE {
        return;
    }
    let Ok(profile) = ColorProfile::new_from_slice(profile) else {
        return;
    };
    if !profile.is_matrix_shaper() {
        return;
    }
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options) else {
        return;
    };
    // Row by row: a copy of the whole would be as large as the picture.
    let width = picture.width() as usize * 3;
    let mut wide = vec![0; width];
    for row in picture.chunks_exact_mut(width) {
        wide.copy_from_slice(row);
        if transform.transform(&wide, row).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(colour: [u8; 3], profile: &[u8]) -> [u8; 3] {
        let mut picture = RgbImage::from_pixel(5, 3, image::Rgb(colour));
        to_srgb(&mut picture, profile);
        let first = picture.get_pixel(0, 0).0;
        assert!(picture.pixels().all(|pixel| pixel.0 == first));
        first
    }

    fn near(a: [u8; 3], b: [u8; 3]) -> bool {
        a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1)
    }

    #[test]
    fn wide_colours_become_those_of_srgb() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        // By the definitions of both spaces; the second is more than sRGB has.
        for (wide, srgb) in [
            ([180, 90, 60], [193, 83, 51]),
            ([60, 160, 90], [0, 163, 82]),
            ([120, 120, 120], [120, 120, 120]),
            ([255, 255, 255], [255, 255, 255]),
        ] {
            let found = turned(wide, &p3);
            assert!(near(found, srgb), "{wide:?} became {found:?}, not {srgb:?}");
        }
        let same = ColorProfile::new_srgb().encode().unwrap();
        assert!(near(turned([180, 90, 60], &same), [180, 90, 60]));
    }

    #[test]
    fn a_profile_that_cannot_be_used_changes_nothing() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        let padded = [p3.clone(), vec![0; MAX_PROFILE]].concat();
        let cut = &p3[..p3.len() / 2];
        for bad in [&[][..], b"not a profile", &[0xff; 200], cut, &grey, &padded] {
            assert_eq!(turned([180, 90, 60], bad), [180, 90, 60]);
        }
    }
}
