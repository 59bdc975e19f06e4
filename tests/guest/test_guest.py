"""The guest does what the demo and the browser tests rely on: it paints, and it echoes to two witnesses."""

import os
from pathlib import Path

import pytest

from guest import FIRST_ROW, LAST_ROW, TITLE, TITLE_AT, Guest

IMAGE = Path(os.environ.get("CONSOLEPASS_GUEST_IMAGE", "target/guest/boot.img"))

# VGA has six bits a colour; QEMU versions widen them to eight in two ways.
RED, BLUE = ({(0xA8, 0, 0), (0xAA, 0, 0)}, {(0, 0, 0xA8), (0, 0, 0xAA)})


@pytest.fixture
def guest():
    with Guest(IMAGE) as running:
        yield running


def test_the_image_is_one_bootable_sector():
    image = IMAGE.read_bytes()

    assert len(image) == 512
    assert image[510:] == b"\x55\xaa"


def test_the_screen_is_painted_in_every_colour(guest):
    screen = guest.screen()

    assert (screen.width, screen.height) == (720, 400)
    assert screen.pixel(5, 5) in RED
    assert screen.pixel(5, 120) in BLUE
    stripes = [screen.pixel(45 + 90 * stripe, 390) for stripe in range(8)]
    assert len(set(stripes)) == 8
    assert stripes[0] == (0, 0, 0)
    assert screen.text(*TITLE_AT, len(TITLE)) == TITLE


def test_a_typed_word_reaches_the_serial_port_and_the_pixels(guest):
    guest.type("consolepass")

    assert guest.typed() == "consolepass"
    guest.wait(lambda: guest.screen().text(FIRST_ROW, 0, 11) == "consolepass", "the word in its pixels")


def test_enter_begins_a_new_line_in_both(guest):
    guest.type("one\ntwo")

    assert guest.typed() == "one\ntwo"
    guest.wait(lambda: guest.screen().text(FIRST_ROW + 1, 0, 3) == "two", "the second line")
    assert guest.screen().text(FIRST_ROW, 0, 4) == "one "


def test_backspace_takes_a_letter_from_the_screen(guest):
    guest.type("seen\b")

    assert guest.typed() == "seen\b"
    guest.wait(lambda: guest.screen().text(FIRST_ROW, 0, 3) == "see", "the rest of the word")
    # Where the letter was is now the cursor, which the title's letters cannot spell, and nothing after it.
    guest.wait(lambda: guest.screen().text(FIRST_ROW, 3, 2) == "? ", "the cursor in the letter's place")


def test_keys_without_a_character_are_left_alone(guest):
    for key in ("left", "f1", "esc", "delete"):
        guest.press(key)
    guest.type("A")

    assert guest.typed() == "A"


def test_a_full_screen_scrolls_and_the_title_and_the_stripes_stay(guest):
    before = guest.screen()
    rows = LAST_ROW - FIRST_ROW + 1
    guest.type("here" + "\n" * rows + "end")

    guest.wait(lambda: guest.screen().text(LAST_ROW, 0, 3) == "end", "the last line")
    after = guest.screen()
    assert after.text(FIRST_ROW, 0, 4) == "    "
    assert after.text(*TITLE_AT, len(TITLE)) == TITLE
    stripes = 3 * 720 * 23 * 16
    assert after.pixels[stripes:] == before.pixels[stripes:]


def test_a_still_screen_gives_equal_pictures(guest):
    guest.type("still")

    # The cursor does not blink: a test may compare pictures that were taken at different times.
    guest.wait(lambda: guest.screen().text(FIRST_ROW, 0, 5) == "still", "the word")
    first = guest.screen()
    guest.wait(lambda: guest.screen() == first, "the same picture")
    assert {guest.screen().pixels for _ in range(30)} == {first.pixels}
