#!/usr/bin/env python3
"""Draws the two photos that the demo's customer sends: sink.jpg and valve.jpg, beside this file.

Needs Pillow.
"""

import math
import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 960, 720
# Drawn large and made smaller, so that edges are smooth.
LARGE = 2
random.seed(7)


def canvas(top, bottom):
    """A wall that the light leaves towards the bottom."""
    column = Image.new("RGB", (1, HEIGHT * LARGE))
    for y in range(column.height):
        share = y / column.height
        column.putpixel((0, y), tuple(round(a + (b - a) * share) for a, b in zip(top, bottom)))
    return column.resize((WIDTH * LARGE, HEIGHT * LARGE))


def shade(colour, light):
    return tuple(max(0, min(255, round(c * light))) for c in colour)


def pipe(draw, points, width, colour):
    """A round pipe along points: dark at its edges, and a streak of light."""
    for share in range(20):
        across = share / 19
        light = 0.42 + 0.72 * math.sin(math.pi * (0.06 + 0.44 * across)) ** 1.3
        inner = width * (1 - across * 0.92)
        offset = width * 0.10 * across
        moved = [(x - offset, y - offset) for x, y in points]
        draw.line(moved, fill=shade(colour, light), width=max(2, round(inner)), joint="curve")
        for x, y in moved:
            r = inner / 2
            draw.ellipse((x - r, y - r, x + r, y + r), fill=shade(colour, light))


def nut(draw, x, y, width, height, colour):
    """A coupling nut with its ridges."""
    for n in range(48):
        left = x - width / 2 + width * n / 48
        light = 0.35 + 0.8 * math.sin(math.pi * (n + 0.5) / 48) ** 1.4
        ridge = 0.86 if n % 6 < 2 else 1.0
        draw.rectangle((left, y - height / 2, left + width / 48 + 1, y + height / 2), fill=shade(colour, light * ridge))
    draw.line((x - width / 2, y - height / 2, x + width / 2, y - height / 2), fill=shade(colour, 1.25), width=4)


def drop(draw, x, y, size):
    draw.polygon([(x, y - size * 1.7), (x - size * 0.8, y), (x + size * 0.8, y)], fill=(148, 170, 182))
    draw.ellipse((x - size, y - size * 0.9, x + size, y + size), fill=(148, 170, 182))
    draw.ellipse((x - size * 0.5, y - size * 0.4, x - size * 0.05, y + size * 0.1), fill=(236, 243, 247))


def puddle(image, box, colour):
    """Water on the floor: darker wood, and a window in it."""
    mask = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(mask)
    left, top, right, bottom = box
    for _ in range(26):
        x, y = random.uniform(left, right), random.uniform(top, bottom)
        r = random.uniform(60, 200) * LARGE / 2
        draw.ellipse((x - r * 1.7, y - r * 0.45, x + r * 1.7, y + r * 0.45), fill=190)
    mask = mask.filter(ImageFilter.GaussianBlur(5))
    image.paste(Image.new("RGB", image.size, colour), mask=mask)
    shine = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(shine)
    middle = (left + right) / 2
    draw.ellipse((middle - 260, top + 12, middle + 120, top + 44), fill=210)
    draw.ellipse((middle + 160, top + 60, middle + 330, top + 78), fill=150)
    shine = ImageChops.multiply(shine.filter(ImageFilter.GaussianBlur(9)), mask)
    image.paste(Image.new("RGB", image.size, (222, 230, 232)), mask=shine)


def stain(image, x, y, r, colour, strength):
    mask = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(mask)
    for _ in range(40):
        dx, dy = random.gauss(0, r / 2), random.gauss(0, r / 2)
        s = random.uniform(r * 0.1, r * 0.5)
        draw.ellipse((x + dx - s, y + dy - s, x + dx + s, y + dy + s), fill=strength)
    mask = mask.filter(ImageFilter.GaussianBlur(12))
    image.paste(Image.new("RGB", image.size, colour), mask=mask)


def finish(image, name, lamp):
    """As a phone takes it: light from a lamp, dark corners, a little noise."""
    glow = Image.new("L", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(glow)
    x, y, r = lamp
    draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    glow = glow.filter(ImageFilter.GaussianBlur(r / 2))
    image = image.resize((WIDTH, HEIGHT), Image.LANCZOS)
    dark = image.point(lambda c: c * 0.68)
    image = Image.composite(image.point(lambda c: min(255, c * 1.22)), dark, glow)
    noise = Image.effect_noise((WIDTH, HEIGHT), 14).convert("RGB")
    image = Image.blend(image, ImageChops.overlay(image, noise), 0.55).filter(ImageFilter.GaussianBlur(0.6))
    image.save(Path(__file__).with_name(name), quality=72, optimize=True)


def sink():
    image = canvas((176, 164, 146), (120, 108, 92))
    draw = ImageDraw.Draw(image)
    # The cabinet: its back, its floor, a shut-off valve on the wall.
    floor = 1_060
    draw.rectangle((0, floor, WIDTH * LARGE, HEIGHT * LARGE), fill=(134, 98, 62))
    for n in range(60):
        y = floor + random.random() ** 1.5 * (HEIGHT * LARGE - floor)
        tone = random.randint(-14, 10)
        draw.line((0, y, WIDTH * LARGE, y + random.randint(-14, 14)), fill=(134 + tone, 98 + tone, 62 + tone), width=3)
    draw.rectangle((0, floor - 6, WIDTH * LARGE, floor + 4), fill=(74, 55, 38))
    draw.rectangle((0, 0, 130, HEIGHT * LARGE), fill=(92, 78, 62))
    draw.rectangle((0, 0, WIDTH * LARGE, 90), fill=(186, 190, 192))
    draw.rectangle((0, 86, WIDTH * LARGE, 104), fill=(104, 106, 106))
    pipe(draw, [(1_420, 560), (1_420, 420), (1_180, 330), (1_120, 110)], 30, (170, 172, 176))
    nut(draw, 1_420, 590, 92, 70, (176, 146, 84))
    draw.rounded_rectangle((1_356, 640, 1_486, 676), 18, fill=(168, 40, 34))
    white = (214, 212, 204)
    # The trap: down, round, up and into the wall.
    bend = [(760 + 190 * math.cos(a / 12 * math.pi), 700 + 170 * math.sin(a / 12 * math.pi)) for a in range(12, -1, -1)]
    pipe(draw, [(570, 120), (570, 700)] + bend + [(950, 700), (950, 560)], 96, white)
    pipe(draw, [(950, 560), (1_010, 500), (1_300, 500), (1_700, 500), (1_930, 500)], 90, white)
    for x, y in ((570, 420), (570, 640), (950, 640)):
        nut(draw, x, y, 140, 84, (200, 198, 190))
    stain(image, 575, 700, 60, (96, 116, 70), 120)
    puddle(image, (430, floor + 60, 1_050, floor + 190), (78, 54, 36))
    draw = ImageDraw.Draw(image)
    for x, y, size in ((560, 706, 13), (604, 716, 10), (584, 860, 15), (577, 985, 12), (640, 688, 8)):
        drop(draw, x, y, size)
    finish(image, "sink.jpg", (470, 390, 420))


def valve():
    image = canvas((150, 152, 150), (96, 94, 90))
    draw = ImageDraw.Draw(image)
    # Tiles behind, out of focus.
    for x in range(-80, WIDTH * LARGE, 420):
        draw.line((x, 0, x + 40, HEIGHT * LARGE), fill=(112, 112, 108), width=12)
    for y in range(160, HEIGHT * LARGE, 420):
        draw.line((0, y, WIDTH * LARGE, y - 30), fill=(112, 112, 108), width=12)
    image = image.filter(ImageFilter.GaussianBlur(10))
    draw = ImageDraw.Draw(image)
    copper = (196, 120, 72)
    pipe(draw, [(-60, 800), (780, 770)], 210, copper)
    pipe(draw, [(1_180, 760), (2_000, 730)], 210, copper)
    pipe(draw, [(980, 760), (980, 330)], 170, (178, 148, 86))
    for x in (780, 1_180):
        nut(draw, x, 766, 190, 330, (188, 158, 92))
    nut(draw, 980, 766, 260, 300, (180, 150, 88))
    nut(draw, 980, 420, 230, 110, (188, 158, 92))
    # Its wheel, seen from the side.
    draw.rounded_rectangle((690, 170, 1_270, 268), 48, fill=(150, 34, 30))
    draw.rounded_rectangle((712, 182, 1_248, 214), 16, fill=(202, 70, 58))
    draw.rectangle((950, 262, 1_010, 360), fill=(150, 126, 76))
    # It weeps here: green and white where the water dried, and rust below.
    stain(image, 880, 880, 70, (88, 160, 136), 110)
    stain(image, 860, 760, 50, (226, 230, 220), 80)
    stain(image, 900, 950, 60, (120, 62, 28), 120)
    draw = ImageDraw.Draw(image)
    for x, y, size in ((862, 930, 20), (914, 958, 26), (958, 926, 15), (908, 1_120, 24), (916, 1_330, 20), (840, 872, 10)):
        drop(draw, x, y, size)
    finish(image, "valve.jpg", (480, 370, 400))


sink()
valve()
