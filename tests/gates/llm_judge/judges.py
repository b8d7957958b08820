"""Judges that are models, for tests without a server."""

from typing import Any

from gates.llm_judge.definition import LlmJudge, read_llm_judge
from relcontrol.model_servers.client import Answer

PROMPT = {"system": "Judge by the rubric.", "user": "Asked was {{ input }} and answered {{ answer }}"}
COMPARING = {"reference": True, "prompt": {"user": "{{ input }} {{ answer }} {{ reference }}"}}
FIELDS = {"endpoint": "demo", "model": "judge-1", "prompt": PROMPT}


def judge(**fields: Any) -> LlmJudge:
    """A judge on the scale from 1 to 5."""
    return read_llm_judge(FIELDS | fields)


def said(content: Any, *, model: str | None = "judge-1", finish_reason: str = "stop", **members: Any) -> Answer:
    """A server's answer with this content."""
    output = {"content": content, "tool_calls": None, "refusal": None, "finish_reason": finish_reason} | members
    return Answer(output, 200, None, None, 1.0, 10, 5, model=model)
