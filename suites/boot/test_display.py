"""boot.display: the screen shows something, and typing changes it."""

from harness.guests.guest import Guest
from harness.hypervisors.facets.display import DISPLAY, KEYBOARD, Key
from harness.oracles.control import control
from harness.oracles.screen import Picture
from harness.plugin.markers import cost, feature, requires
from harness.waiting import NotYet

LINE_OF_TEXT = 16
"""Rows of pixels in a line of text: a blinking cursor changes at most these."""

PRESSED = 3

STILL_SECONDS = 3.0


@feature("boot.display")
@requires(DISPLAY, KEYBOARD)
@cost(15)
def test_the_screen_shows_what_is_typed(guest: Guest) -> None:
    """The screen is not blank, does not change by itself, and changes when keys are pressed."""
    with control():  # only a cursor changes by itself
        before = guest.wait_for(lambda: _still(guest), "the screen to stop changing", seconds=10)
    assert not before.blank, "the screen is blank"

    for _ in range(PRESSED):
        guest.machine.facet(KEYBOARD).press(Key.ENTER)

    def changed() -> None:
        rows = _screen(guest).changed_rows(before)
        if rows <= LINE_OF_TEXT:
            raise NotYet(f"{rows} changed rows of pixels")

    guest.wait_for(changed, "the screen to show the typed keys", seconds=5)
    assert not _screen(guest).blank


def _still(guest: Guest) -> Picture:
    """The screen once it has stopped changing; a restored kernel may still print messages."""
    before = _screen(guest)
    guest.let_pass(STILL_SECONDS)
    rows = _screen(guest).changed_rows(before)
    if rows > LINE_OF_TEXT:
        raise NotYet(f"{rows} rows of pixels that changed by themselves")
    return before


def _screen(guest: Guest) -> Picture:
    return Picture.from_png(guest.machine.facet(DISPLAY).screenshot())
