"""Tables are read by people in a terminal."""

from relcontrol.bench.tables import Table


def test_names_stand_left_and_figures_right() -> None:
    table = Table("Speed", ("what", "ms"), [("a list", "7.5"), ("x", "1,200.0")], ["Read it."])

    assert table.text().splitlines() == [
        "",
        "Speed",
        "",
        "what         ms",
        "------  -------",
        "a list      7.5",
        "x       1,200.0",
        "Read it.",
    ]
