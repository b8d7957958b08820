"""The ten failures and the release that must come through, each with the stage that stops it (ten-failures.md)."""

from typing import Final

from relcontrol.rehearsal import at_gate, at_observe, at_register, at_roll
from relcontrol.rehearsal.stopping import GATE, OBSERVE, REGISTER, ROLL, UNTOUCHED, Scenario

FAILURES: Final = (
    Scenario(1, "three changes co-deployed", REGISTER, at_register.three_changes),
    Scenario(2, "prompt edited in a dashboard", REGISTER, at_register.edit_in_a_dashboard),
    Scenario(3, "preprocessing skew", GATE, at_register.skew),
    Scenario(4, "IP-licensing collapse", GATE, at_gate.collapse),
    Scenario(5, "pediatric oncology", GATE, at_gate.oncology),
    Scenario(6, "Belgian French", GATE, at_gate.french),
    Scenario(7, "override without a reason", GATE, at_gate.override_without_a_reason),
    Scenario(8, "0 % to 100 %", ROLL, at_roll.at_once),
    Scenario(9, "silent hedging", OBSERVE, at_observe.silent_hedging),
    Scenario(10, "hallucinated dates", OBSERVE, at_observe.impossible_dates),
)
HEALTHY: Final = Scenario(0, "a healthy release", UNTOUCHED, at_roll.healthy_release)
BY_NUMBER: Final = {scenario.number: scenario for scenario in (*FAILURES, HEALTHY)}
