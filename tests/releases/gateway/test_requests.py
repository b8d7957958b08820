"""What a request becomes on its way to the model server, and what comes back with the answer."""

from releases.bucketing import bucket
from tests.releases.gateway.scene import CREDENTIAL, TIED_KEY, Scene, chat_body


def test_an_answer_names_release_generation_and_request(scene: Scene) -> None:
    answer = scene.chat()
    assert answer.status == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Audits need ten days' notice."
    assert answer.headers["x-relcontrol-generation"] == "42"
    assert scene.row(answer)["release"].startswith(answer.headers["x-relcontrol-release"])
    assert len(answer.headers["x-relcontrol-release"]) == 12


def test_the_model_server_gets_the_releases_prompt_settings_and_model(scene: Scene) -> None:
    scene.chat(max_tokens=7)
    asked = scene.upstream.asked[-1]
    assert asked["model"] == "healthy"
    assert asked["max_tokens"] == 64
    assert asked["temperature"] == 0.2
    assert asked["messages"][0] == {"role": "system", "content": "Answer as healthy."}


def test_a_setting_that_the_application_leaves_to_clients_stands_and_is_recorded(scene: Scene) -> None:
    answer = scene.chat(temperature=0.9)
    assert scene.upstream.asked[-1]["temperature"] == 0.9
    assert scene.row(answer)["client_settings"] == {"temperature": 0.9}


def test_headers_of_the_client_do_not_reach_the_model_server(scene: Scene) -> None:
    scene.ask("/v1/chat/completions", chat_body(), cookie="a=b", x_custom="c", forwarded="for=1.2.3.4")
    sent = scene.upstream.headers[-1]
    assert sent["authorization"] == f"Bearer {CREDENTIAL}"
    assert not {"cookie", "x-custom", "forwarded", "x-request-id"} & set(sent)


def test_headers_of_the_model_server_do_not_reach_the_client(scene: Scene) -> None:
    assert "x-internal" not in scene.chat().headers
    assert "x-internal" not in scene.chat("status-500").headers


def test_metadata_is_for_the_gateway_and_not_sent_on(scene: Scene) -> None:
    answer = scene.chat(metadata={"tenant": "t-9", "locale": "fr", "deep": {"no": 1}})
    assert "metadata" not in scene.upstream.asked[-1]
    row = scene.row(answer)
    assert row["metadata"] == {"tenant": "t-9", "locale": "fr"}
    assert row["subject"] == "t-9"
    assert "metadata" not in row["input"]


def test_a_request_id_of_the_client_is_kept_and_an_insane_one_replaced(scene: Scene) -> None:
    kept = scene.ask("/v1/chat/completions", chat_body(), x_request_id="order-17")
    assert kept.headers["x-request-id"] == "order-17"
    replaced = scene.ask("/v1/chat/completions", chat_body(), x_request_id="a b<c>")
    assert replaced.headers["x-request-id"].startswith("req_")


def test_a_route_is_named_by_header_metadata_key_or_default(scene: Scene) -> None:
    for chosen in ("tools", "rte_tools", "for=tools"):
        scene.chat(chosen)
        assert scene.upstream.asked[-1]["model"] == "tools"
    scene.chat(metadata={"route": "cut"})
    assert scene.upstream.asked[-1]["model"] == "cut"
    scene.ask("/v1/chat/completions", chat_body(), key=TIED_KEY)
    assert scene.upstream.asked[-1]["model"] == "tools"
    scene.chat("locale=fr, tier=free")
    assert scene.upstream.asked[-1]["model"] == "healthy"


def test_an_unknown_route_is_told_what_exists(scene: Scene) -> None:
    answer = scene.chat("for=nothing")
    assert answer.status == 404
    assert answer.error["code"] == "route_not_found"
    assert "default" in answer.error["message"]


def test_subjects_are_split_between_the_arms_by_their_buckets(scene: Scene) -> None:
    for subject in ("user-1", "user-42", "tenant-12:user-48213", "é"):
        answer = scene.ask(
            "/v1/chat/completions", chat_body(), x_relcontrol_route="halves", x_relcontrol_subject=subject
        )
        row = scene.row(answer)
        assert row["arm"] == ("candidate" if bucket("rol_1", row["subject"]) < 5_000 else "stable")
        assert row["rollout"] == "rol_1"


def test_a_route_without_a_stable_release_answers_503_unless_all_of_it_is_the_candidates(scene: Scene) -> None:
    cold = scene.chat("cold")
    assert (cold.status, cold.error["code"]) == (503, "no_release")
    assert scene.chat("all-new").status == 200


def test_a_client_that_may_send_no_system_message_is_told_which_one(scene: Scene) -> None:
    body = {"messages": [{"role": "system", "content": "Obey."}, {"role": "user", "content": "Hi"}]}
    answer = scene.ask("/v1/chat/completions", {**body, "metadata": {"tenant": "t"}}, x_relcontrol_route="strict")
    assert (answer.status, answer.error["param"]) == (400, "messages[0]")
    assert scene.row(answer)["error"] == "refused"


def test_a_slot_without_a_value_names_the_metadata_to_send(scene: Scene) -> None:
    answer = scene.chat("strict")
    assert (answer.status, answer.error["param"]) == (400, "metadata.tenant")


def test_tool_calls_are_passed_on_and_recorded(scene: Scene) -> None:
    answer = scene.chat("tools")
    call = answer.json()["choices"][0]["message"]["tool_calls"][0]
    assert call["function"]["name"] == "search"
    output = scene.row(answer)["output"]
    assert output["finish_reason"] == "tool_calls"
    assert output["tool_calls"] == [call]


def test_a_trace_has_tokens_times_and_the_fingerprint(scene: Scene) -> None:
    row = scene.row(scene.chat())
    assert (row["input_tokens"], row["output_tokens"], row["status"], row["error"]) == (11, 5, 200, None)
    assert row["output"] == "Audits need ten days' notice."
    assert row["latency_ms"] > 0
    assert row["ttft_ms"] is None
    assert len(row["fingerprint"]) == 64
    assert (row["replica"], row["generation"], row["arm"]) == ("test/1", 42, "stable")


def test_a_shadow_answers_the_same_request_unseen(scene: Scene) -> None:
    answer = scene.chat("shadowed", said="a shadowed question")
    assert answer.json()["model"] == "healthy"
    seen, unseen = scene.row(answer, "stable"), scene.row(answer, "shadow")
    assert seen["release"] != unseen["release"]
    assert unseen["input"] == seen["input"]
    assert unseen["rollout"] == "rol_1"
    assert any(asked["model"] == "other" and "a shadowed question" in str(asked) for asked in scene.upstream.asked)


def test_embeddings_go_through_as_they_came_and_belong_to_no_arm(scene: Scene) -> None:
    body = {"model": "text-embedding-3", "input": ["one", "two"]}
    answer = scene.ask("/v1/embeddings", body)
    assert answer.json()["data"][0]["embedding"] == [0.25, -0.5]
    assert scene.upstream.asked[-1] == body
    row = scene.row(answer)
    assert (row["release"], row["arm"], row["output"]) == (None, None, None)


def test_models_are_the_routes_of_the_key_and_what_serves_them(scene: Scene) -> None:
    listed = scene.ask("/v1/models").json()
    names = {entry["id"] for entry in listed["data"]}
    assert {"default", "tools"} <= names
    release = scene.chat().headers["x-relcontrol-release"]
    assert release in names
    assert scene.ask(f"/v1/models/{release}").json()["object"] == "model"
    assert scene.ask("/v1/models/gpt-9").error["code"] == "model_not_found"
