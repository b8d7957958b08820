"""What the made-up users ask: every slice, short and long, the same for one seed."""

from collections import Counter
from itertools import islice

from relcontrol.demo.topics import TOPICS
from relcontrol.demo_models.fields import parsed
from relcontrol.demo_models.orders import chat_order
from relcontrol.demo_models.replies import reply_to
from relcontrol.demo_traffic.questions import questions

ASKED = list(islice(questions(0), 3_000))


def test_the_same_seed_asks_the_same_and_another_one_does_not() -> None:
    assert list(islice(questions(0), 50)) == ASKED[:50]
    assert list(islice(questions(1), 50)) != ASKED[:50]


def test_every_slice_of_the_demo_has_its_share_of_the_traffic() -> None:
    counted = Counter(each.topic for each in ASKED)
    assert set(counted) == {topic.slug for topic in TOPICS}
    assert min(counted.values()) > len(ASKED) / len(TOPICS) / 2


def test_hundreds_of_users_ask_and_none_of_them_most_of_it() -> None:
    counted = Counter(each.subject for each in ASKED)
    assert len(counted) > 500
    assert max(counted.values()) < len(ASKED) / 50


def test_of_300_requests_200_are_streamed_as_the_plan_of_the_demo_wants() -> None:
    assert 200 / 300 < sum(each.streamed for each in ASKED) / len(ASKED) < 0.75


def test_a_release_that_fails_above_2400_tokens_fails_on_about_one_in_seven() -> None:
    orders = (
        f'{{"model": "demo-failing-long", "messages": [{{"role": "user", "content": "{each.text}"}}]}}'
        for each in ASKED[:400]
    )
    failed = sum(reply_to(chat_order(parsed(order.encode())), 0).fails for order in orders)
    assert 0.10 < failed / 400 < 0.20


def test_a_request_is_one_of_an_openai_client_with_the_slice_in_its_metadata() -> None:
    body = ASKED[0].body()
    assert body["messages"] == [{"role": "user", "content": ASKED[0].text}]
    assert (body["metadata"], body["stream"]) == ({"topic": ASKED[0].topic}, ASKED[0].streamed)
