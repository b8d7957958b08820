"""What calls cost, and whether another one may be made within a budget."""

import json
from collections.abc import Mapping
from typing import Any, Final

from relcontrol.model_servers.client import Answer
from relcontrol.model_servers.spending import Prices, Spent

SIGNS_PER_TOKEN: Final = 3


def spent_on(answer: Answer, prices: Prices) -> Spent:
    """What one call cost, all its attempts together; where a price or a count is not known, it is unpriced."""
    read, written = answer.billed
    cost = prices.cost(read, written)
    uncounted = answer.output is not None and None in (answer.input_tokens, answer.output_tokens)
    unpriced = answer.attempts if cost is None else int(uncounted)
    if cost is None:
        return Spent(calls=answer.attempts, input_tokens=read, output_tokens=written, unpriced=unpriced)
    return Spent(calls=answer.attempts, input_tokens=read, output_tokens=written, cost=cost, unpriced=unpriced)


def expected(body: Mapping[str, Any], written: int, prices: Prices) -> Spent:
    """What a call that is not answered yet, of at most so many tokens, may cost: rather too much than too little."""
    read = len(json.dumps(body["messages"], ensure_ascii=False)) // SIGNS_PER_TOKEN
    cost = prices.cost(read, written)
    return Spent(1, 0, read, written) if cost is None else Spent(1, 0, read, written, cost)
