"""What `up` starts, and where it is reached."""

from pathlib import Path

from relcontrol.runtime.services import DemoWitness, GatewayFiles, Service, child_environment, services

FILES = GatewayFiles(Path("token"), Path("trust.json"), Path("gateway"))
KEY = Path("key")
WITNESS = DemoWitness(Path("seen"), "here.example/w", ["origin+1+A", "origin+2+B"])


def started(
    *, with_demo: bool, gateway: GatewayFiles | None = None, traffic_key: Path | None = None
) -> dict[str, Service]:
    found = services("127.0.0.1", 8000, with_demo=with_demo, gateway=gateway, traffic_key=traffic_key)
    return {service.name: service for service in found}


def test_the_demo_models_are_started_with_the_demo_only() -> None:
    assert list(started(with_demo=True)) == [*started(with_demo=False), "demo-models"]
    assert "demo-models" not in started(with_demo=False)


def test_the_demo_models_stay_on_this_machine_whatever_the_others_listen_on() -> None:
    service = services("0.0.0.0", 8000, with_demo=True)[-1]  # noqa: S104 - what somebody asks for
    assert service.address == "http://127.0.0.1:8003"
    assert service.command[2:] == ["demo-models", "--port", "8003", "--host", "127.0.0.1"]


def test_the_witness_of_the_demo_knows_its_log_and_stays_on_this_machine() -> None:
    service = services("0.0.0.0", 8000, with_demo=True, witness=WITNESS)[-1]  # noqa: S104 - what somebody asks for
    assert (service.name, service.address) == ("demo-witness", "http://127.0.0.1:8004")
    assert service.command[2:] == [
        *("witness", "--listen", "127.0.0.1:8004", "--folder", "seen", "--name", "here.example/w"),
        *("--log=origin+1+A", "--log=origin+2+B"),
    ]


def test_without_the_demo_there_is_no_witness() -> None:
    assert "demo-witness" not in {service.name for service in services("127.0.0.1", 8000, witness=WITNESS)}


def test_the_gateway_asks_the_edge_and_shows_its_requests() -> None:
    service = started(with_demo=False, gateway=FILES)["gateway"]
    assert service.address == "http://127.0.0.1:8001"
    assert {"--port=8001", "--control=http://127.0.0.1:8002", "--token-file=token"} <= set(service.command)
    assert service.left_out is None


def test_without_an_organization_there_is_no_gateway_and_nobody_asks_it() -> None:
    assert not {"gateway", "demo-traffic", "demo-director"} & set(started(with_demo=True, traffic_key=KEY))


def test_the_demo_has_users_and_people_who_end_when_their_work_is_done() -> None:
    found = started(with_demo=True, gateway=FILES, traffic_key=KEY)
    assert {"--gateway", "http://127.0.0.1:8001", "--key-file", "key"} <= set(found["demo-traffic"].command)
    assert [name for name, service in found.items() if service.once] == ["demo-director"]
    assert found["gateway"].left_out is not None


def test_an_installation_in_use_gets_no_traffic_of_a_demo() -> None:
    assert not {"demo-traffic", "demo-director"} & set(started(with_demo=True, gateway=FILES))


def test_what_somebody_has_set_wins_over_a_default() -> None:
    environment = child_environment(Path("data"), {"PATH": "nowhere", "RELCONTROL_CREDENTIAL_X": "demo"})
    assert environment["RELCONTROL_CREDENTIAL_X"] == "demo"
    assert environment["PATH"] != "nowhere"
