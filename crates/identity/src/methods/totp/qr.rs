//! Renders a QR code as a PNG.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::{Color, EcLevel, QrCode};

/// White modules that a reader needs around the code (ISO/IEC 18004 section 9.1).
const QUIET_ZONE: usize = 4;

/// The text as a PNG of `size` by `size` pixels in a data URI; `None` when the text is too long.
pub(super) fn data_uri(text: &str, size: u32) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let size = usize::try_from(size).ok()?;
    let modules = code.width();
    let scale = size / (modules + 2 * QUIET_ZONE);
    if scale == 0 {
        return None;
    }
    let margin = (size - modules * scale) / 2;
    let colors = code.to_colors();
    let pixels: Vec<u8> = (0..size * size)
        .map(|at| {
            let module = |pixel: usize| pixel.checked_sub(margin).map(|it| it / scale).filter(|it| *it < modules);
            match (module(at % size), module(at / size)) {
                (Some(x), Some(y)) if colors.get(y * modules + x) == Some(&Color::Dark) => 0,
                _ => u8::MAX,
            }
        })
        .collect();
    let png = lodepng::encode_memory(&pixels, size, size, lodepng::ColorType::GREY, 8).ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_a_png_of_the_given_size_with_a_quiet_zone() {
        let uri = data_uri("otpauth://totp/Kleis:ada@example.org?secret=JBSWY3DPEHPK3PXP", 256).unwrap();
        let png = STANDARD.decode(uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let picture = lodepng::decode_memory(&png, lodepng::ColorType::GREY, 8).unwrap();
        let lodepng::Image::Grey(picture) = picture else { panic!("the picture is not grey") };
        assert_eq!((picture.width, picture.height), (256, 256));
        let at = |x: usize, y: usize| *picture.buffer[y * 256 + x];
        assert!((0..256).all(|x| at(x, 0) == 255 && at(0, x) == 255 && at(255, x) == 255 && at(x, 255) == 255));
        assert!(picture.buffer.iter().filter(|pixel| ***pixel == 0).count() > 5_000, "there is something to scan");
    }

    #[test]
    fn a_text_that_is_too_long_has_no_picture() {
        assert!(data_uri(&"x".repeat(2_000), 256).is_some());
        assert_eq!(data_uri(&"x".repeat(4_000), 256), None);
    }
}
