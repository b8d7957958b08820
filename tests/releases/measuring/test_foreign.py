"""Fingerprints that are not the candidate's own are named while they are new."""

from datetime import timedelta

from releases.measuring.foreign import foreign_fingerprints
from releases.rollout_models import Rollout
from tests.releases.measuring.rows import ENTERED, GENERATION, Row, move, write

OTHER = "f" * 64
NOW = ENTERED + timedelta(seconds=30)


def test_the_candidates_own_fingerprint_is_not_foreign(rollout: Rollout) -> None:
    own = rollout.release
    write(rollout, [Row(fingerprint=own.bundle_sha256, release=own.manifest_sha256), Row()])
    assert foreign_fingerprints(rollout, NOW) == ()


def test_another_bundle_and_another_release_on_the_candidates_arm_are_foreign(rollout: Rollout) -> None:
    write(rollout, [Row(fingerprint=OTHER), Row(fingerprint=OTHER), Row(release="e" * 64)])
    assert foreign_fingerprints(rollout, NOW) == ("e" * 64, OTHER)


def test_the_stable_arm_has_its_own_fingerprint(rollout: Rollout) -> None:
    write(rollout, [Row(arm="stable", fingerprint=OTHER)])
    assert foreign_fingerprints(rollout, NOW) == ()


def test_when_the_gateways_are_right_again_nothing_is_foreign(rollout: Rollout) -> None:
    write(rollout, [Row(fingerprint=OTHER)])
    assert foreign_fingerprints(rollout, NOW + timedelta(seconds=32)) == ()


def test_an_answer_that_began_long_ago_or_by_a_slow_clock_is_looked_at_when_it_comes_in(rollout: Rollout) -> None:
    write(rollout, [Row(fingerprint=OTHER, started_at=ENTERED - timedelta(minutes=4), received_at=NOW)])
    assert foreign_fingerprints(rollout, NOW + timedelta(seconds=30)) == (OTHER,)


def test_in_a_shadow_the_copies_are_looked_at(rollout: Rollout) -> None:
    write(rollout, [Row(arm="shadow", fingerprint=OTHER)])
    assert foreign_fingerprints(rollout, NOW) == ()
    assert foreign_fingerprints(move(rollout, 0, ENTERED, GENERATION), NOW) == (OTHER,)
