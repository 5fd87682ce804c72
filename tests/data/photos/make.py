"""Makes the files that `tests/it/photos.rs` and `photo_limits.rs` upload: python3 make.py FOLDER. Needs Pillow and exiftool.

Each picture is 60 by 40: red, green, blue and white quarters, from the top left, as it is to be seen.
"""
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

from PIL import Image

out = Path(sys.argv[1])
QUARTERS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]


def picture(width=60, height=40):
    image = Image.new("RGB", (width, height))
    for n, colour in enumerate(QUARTERS):
        x, y = (n % 2) * width // 2, (n // 2) * height // 2
        image.paste(colour, (x, y, x + width // 2, y + height // 2))
    return image


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(image, depth=8, interlaced=False):
    """What Pillow does not write: 16 bits a channel, and Adam7."""
    def rows(xs, ys):
        for y in ys:
            row = b"".join(bytes([c]) * (depth // 8) for x in xs for c in image.getpixel((x, y)))
            yield b"\0" + row

    width, height = image.size
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b"".join(
        b"".join(rows(range(x, width, dx), range(y, height, dy)))
        for x, y, dx, dy in (passes if interlaced else [(0, 0, 1, 1)])
        if x < width
    )
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def exif(path, *tags):
    subprocess.run(["exiftool", "-q", "-n", "-overwrite_original", *tags, path], check=True)


GPS = ["-GPSLatitude=52.52", "-GPSLatitudeRef=N", "-GPSLongitude=13.4", "-GPSLongitudeRef=E", "-Make=Canary",
       "-XMP:Creator=Canary", "-IPTC:City=Canary", "-Comment=Canary"]
T = Image.Transpose
STORED = {1: None, 2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM,
          5: T.TRANSPOSE, 6: T.ROTATE_90, 7: T.TRANSVERSE, 8: T.ROTATE_270}
for orientation, turned in STORED.items():
    image = picture() if turned is None else picture().transpose(turned)
    path = out / f"orientation-{orientation}.jpg"
    image.save(path, quality=95, subsampling=0)
    exif(path, f"-Orientation={orientation}", *GPS)

picture().save(out / "plain.jpg", quality=95, subsampling=0)
picture().save(out / "progressive.jpg", quality=95, subsampling=0, progressive=True)
picture().convert("L").save(out / "grey.jpg", quality=95)
picture().convert("CMYK").save(out / "cmyk.jpg", quality=95)
picture().save(out / "plain.png")
exif(out / "plain.png", "-XMP:Creator=Canary", "-PNG:Comment=Canary", "-EXIF:Make=Canary")
picture().quantize(8).save(out / "palette.png")
(out / "bits16.png").write_bytes(png(picture(), depth=16))
(out / "interlaced.png").write_bytes(png(picture(), interlaced=True))
picture().save(out / "a.gif")
picture().save(out / "a.webp", lossless=True)
frames = [picture(), picture().transpose(T.ROTATE_180)]
frames[0].save(out / "animated.gif", save_all=True, append_images=frames[1:])

jpg, plain = (out / "plain.jpg").read_bytes(), (out / "plain.png").read_bytes()
zeros = zlib.compress(b"\0" * 30_001 * 300)
header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
(out / "bomb.png").write_bytes(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zeros) + chunk(b"IEND", b""))
header = struct.pack(">IIBBBBB", 70_000, 1, 8, 0, 0, 0, 0)
(out / "long.png").write_bytes(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 70_001)) + chunk(b"IEND", b""))
# A small picture whose profile is small too, until it is inflated.
deflate = zlib.compressobj()
profile = b"name\0\0" + b"".join(deflate.compress(b"\0" * 1_000_000) for _ in range(200)) + deflate.flush()
(out / "bomb-profile.png").write_bytes(plain[:33] + chunk(b"iCCP", profile) + plain[33:])
at = jpg.index(b"\xff\xc0") + 5
(out / "bomb.jpg").write_bytes(jpg[:at] + struct.pack(">HH", 60_000, 60_000) + jpg[at + 4:])
(out / "heavy.jpg").write_bytes(jpg[:-2] + b"\0" * (10 * 1024 * 1024) + jpg[-2:])
(out / "truncated.jpg").write_bytes(jpg[: len(jpg) * 2 // 3])
(out / "truncated.png").write_bytes(plain[: len(plain) * 2 // 3])
(out / "garbled.png").write_bytes(plain[:8] + chunk(b"IHDR", plain[16:29]) + chunk(b"IDAT", b"not zlib") + chunk(b"IEND", b""))
(out / "polyglot-zip.jpg").write_bytes(jpg + b"PK\x03\x04" + b"\0" * 64)
(out / "polyglot-html.png").write_bytes(plain + b"<HTML><body onload=alert(1)>")
comment = b"<script>alert(1)</script>"
(out / "polyglot-comment.jpg").write_bytes(jpg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpg[2:])
(out / "polyglot.pdf.jpg").write_bytes(b"%PDF-1.4\n" + jpg)
(out / "svg.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
(out / "html.png").write_bytes(b"<!doctype html><script>alert(1)</script>")
(out / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100)
(out / "empty.jpg").write_bytes(b"")

# As large as a photo may be, and as costly to decode.
random.seed(1)
small = Image.frombytes("RGB", (100, 100), random.randbytes(30_000))
large = small.resize((8_600, 5_800), Image.Resampling.BICUBIC)
large.save(out / "large.jpg", quality=80)
large.crop((0, 0, 4_000, 3_000)).save(out / "usual.jpg", quality=80)
large.save(out / "large-progressive.jpg", quality=80, progressive=True)
