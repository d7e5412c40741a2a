"""Draws a flight as an animated GIF, with the standard library alone."""

import math
import struct

WIDTH, HEIGHT, SCALE = 240, 180, 4
SKY, GROUND, PAD, ROCKET, FLAME = range(5)
PALETTE = bytes([16, 24, 48, 60, 56, 52, 90, 200, 120, 240, 240, 245, 255, 160, 50] + [0] * 9)
EVERY = 8  # steps a frame


def write(path, frames):
    kept = frames[::EVERY]
    if frames and kept[-1] is not frames[-1]:
        kept.append(frames[-1])
    with open(path, "wb") as file:
        # The header, a palette of 8 colors, and the extension that repeats the animation for ever.
        file.write(b"GIF89a" + struct.pack("<HHBBB", WIDTH, HEIGHT, 0xF2, 0, 0) + PALETTE)
        file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
        for index, (observation, main) in enumerate(kept):
            hundredths = 200 if index == len(kept) - 1 else 12
            file.write(b"\x21\xf9\x04\x04" + struct.pack("<H", hundredths) + b"\x00\x00")
            file.write(b"\x2c" + struct.pack("<HHHHB", 0, 0, WIDTH, HEIGHT, 0) + b"\x03")
            data = compress(draw(observation, main))
            for at in range(0, len(data), 255):
                block = data[at : at + 255]
                file.write(bytes([len(block)]) + block)
            file.write(b"\x00")
        file.write(b"\x3b")


def draw(observation, main):
    x, y, _, _, angle = observation[:5]
    ground = HEIGHT - 20
    picture = bytearray([SKY]) * (WIDTH * ground) + bytearray([GROUND]) * (WIDTH * (HEIGHT - ground))
    middle = WIDTH // 2
    for row in range(ground, ground + 4):
        picture[row * WIDTH + middle - 3 * SCALE : row * WIDTH + middle + 3 * SCALE] = bytes([PAD]) * (6 * SCALE)

    def disc(along, radius, color):
        column = middle + round(x * SCALE + along * math.sin(angle))
        row = ground - round(max(y, 0) * SCALE + along * math.cos(angle))
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                if dx * dx + dy * dy <= radius * radius and 0 <= row + dy < HEIGHT and 0 <= column + dx < WIDTH:
                    picture[(row + dy) * WIDTH + column + dx] = color

    for along in range(4, 24, 2):
        disc(along, 4 if along < 18 else 2, ROCKET)
    for along in range(0, -round(16 * main), -2):
        disc(along, 3, FLAME)
    return picture


def compress(pixels):
    """The LZW of GIF, for pixels of 3 bits."""
    clear, end = 8, 9
    table = {bytes([pixel]): pixel for pixel in range(8)}
    size, bits, count, out = 4, 0, 0, bytearray()

    def emit(code):
        nonlocal bits, count
        bits |= code << count
        count += size
        while count >= 8:
            out.append(bits & 255)
            bits >>= 8
            count -= 8

    emit(clear)
    known = b""
    for pixel in pixels:
        longer = known + bytes([pixel])
        if longer in table:
            known = longer
            continue
        emit(table[known])
        if len(table) + 2 < 4096:
            table[longer] = len(table) + 2
            if len(table) + 2 > 1 << size and size < 12:
                size += 1
        else:
            emit(clear)
            table = {bytes([one]): one for one in range(8)}
            size = 4
        known = bytes([pixel])
    emit(table[known])
    emit(end)
    if count:
        out.append(bits & 255)
    return bytes(out)
