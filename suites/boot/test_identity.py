"""boot.identity: the guest is the operating system that its profile describes."""

from harness.guests.guest import Guest
from harness.oracles.identity import mismatches
from harness.plugin.markers import cost, feature, read_only


@feature("boot.identity")
@read_only
@cost(5)
def test_is_the_system_of_its_profile(guest: Guest) -> None:
    """The guest's own record of system, release, edition and architecture is the profile's."""
    reported = guest.os.product.release()

    assert mismatches(guest.profile, reported) == [], f"the guest is {reported.title[:100]}"
