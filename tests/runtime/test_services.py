"""What `up` starts, and where it is reached."""

from relcontrol.runtime.services import services


def names(*, with_demo: bool) -> list[str]:
    return [service.name for service in services("127.0.0.1", 8000, with_demo=with_demo)]


def test_the_demo_models_are_started_with_the_demo_only() -> None:
    assert names(with_demo=True) == [*names(with_demo=False), "demo-models"]
    assert "demo-models" not in names(with_demo=False)


def test_the_demo_models_stay_on_this_machine_whatever_the_others_listen_on() -> None:
    service = services("0.0.0.0", 8000, with_demo=True)[-1]  # noqa: S104 - what somebody asks for
    assert service.address == "http://127.0.0.1:8003"
    assert service.command[2:] == ["demo-models", "--port", "8003", "--host", "127.0.0.1"]
