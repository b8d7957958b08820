"""What a verified snapshot answers to requests."""

from hypothesis import given, settings
from hypothesis import strategies as st

from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.rendering import render_request
from releases.gateway.control.verification import _is_canonical
from tests.releases.gateway.control import signed


def test_a_key_finds_its_application_and_route() -> None:
    application = signed.snapshot().application_of_key(signed.KEY_TEXT)

    assert application is not None
    assert (application.slug, application.key_id, application.key_route) == ("advisor", "apk_1", signed.ROUTE)
    assert application.client_settings == {"temperature"}


def test_a_key_that_nobody_has_finds_nothing() -> None:
    snapshot = signed.snapshot()

    assert snapshot.application_of_key(signed.KEY_TEXT + "x") is None
    assert snapshot.application_of_key("\ud800") is None
    assert snapshot.application_of_key("") is None


def test_a_route_leads_to_both_releases_and_their_model_server() -> None:
    snapshot = signed.snapshot()
    (route,) = snapshot.routes_of(signed.APPLICATION)

    assert route.stable is not None
    assert route.candidate is not None
    stable, candidate = snapshot.release(route.stable), snapshot.release(route.candidate.release)
    assert (stable.name, stable.model, stable.endpoint.credential) == ("r11", "alpha", "main-llm-key")
    assert (candidate.name, candidate.model, route.candidate.basis_points) == ("r12", "beta", 500)


def test_a_release_holds_all_that_rendering_needs() -> None:
    release = signed.snapshot().release(signed.STABLE)
    body = render_request(
        prompt_template=release.prompt_template,
        few_shot=release.few_shot,
        generation=release.generation,
        tools=release.tools,
        model_name=release.model,
        client_body={"model": "any", "messages": [{"role": "user", "content": " clause 7 "}]},
        preprocessing_steps=release.preprocessing_steps,
    )

    assert body["model"] == "alpha"
    assert body["temperature"] == 0.2
    assert body["messages"][-1] == {"role": "user", "content": "Question: clause #"}
    assert body["messages"][1] == {"role": "user", "content": "Hallo"}


def test_fingerprints_are_the_bundle_digests_of_all_releases() -> None:
    assert signed.snapshot().fingerprints == sorted(
        entry["bundle_sha256"] for entry in (signed.STABLE_ENTRY, signed.CANDIDATE_ENTRY)
    )


def test_the_identity_preprocessing_needs_no_copy_in_the_snapshot() -> None:
    content = signed.payload()
    del content["releases"][signed.CANDIDATE]["artifacts"][
        content["releases"][signed.CANDIDATE]["manifest"]["preprocessing"]
    ]

    assert signed.accepted(signed.envelope(content)).release(signed.CANDIDATE).preprocessing_steps == ()


def test_what_was_verified_before_serves_on_as_the_same_object() -> None:
    before = signed.snapshot(42)
    after = signed.accepted(signed.envelope(signed.payload(43)), known=before.releases)

    assert after.release(signed.STABLE).manifest is before.release(signed.STABLE).manifest
    assert after.release(signed.STABLE).prompt_template is before.release(signed.STABLE).prompt_template


def test_the_same_generation_again_is_taken() -> None:
    assert signed.accepted(signed.envelope(signed.payload(42)), newest=(1, 42)).position == (1, 42)


def test_a_later_epoch_may_begin_with_a_lower_generation() -> None:
    assert signed.accepted(signed.envelope(signed.payload(1, epoch=2)), newest=(1, 42)).position == (2, 1)


def test_fields_of_a_newer_control_plane_are_let_pass() -> None:
    content = signed.payload()
    content["announcement"] = {"new": True}
    content["routes"][0]["colour"] = "blue"

    assert signed.accepted(signed.envelope(content)).position == (1, 42)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), JSON_VALUES))
def test_the_fast_way_to_canonical_bytes_agrees_with_rfc_8785(content: dict[str, object]) -> None:
    try:
        exact = canonical_bytes(content)
    except ValueError:
        return
    assert _is_canonical(exact, content)
    assert not _is_canonical(exact + b" ", content)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("a\u00e9\ue000\uff21\U0001f600", max_size=3), st.integers(0, 9)))
def test_it_agrees_also_where_the_two_orders_of_keys_differ(content: dict[str, object]) -> None:
    assert _is_canonical(canonical_bytes(content), content)


def test_keys_beyond_the_basic_plane_are_ordered_as_rfc_8785_says() -> None:
    by_code_point = '{"\uff21":1,"\U0001f600":2}'.encode()
    by_utf_16 = '{"\U0001f600":2,"\uff21":1}'.encode()
    content = {"\uff21": 1, "\U0001f600": 2}

    assert canonical_bytes(content) == by_utf_16
    assert _is_canonical(by_utf_16, content)
    assert not _is_canonical(by_code_point, content)
