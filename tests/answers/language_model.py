"""
Answers of language models in the form of OpenAI's chat completions.
"""

import json
from typing import Any

from tests.upstreams import Reply


def completion(content: Any, finish_reason: str | None = "stop", **message: Any) -> Reply:
    """A response with this content, and with members that only some vendors have."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_772_102_100,
        "model": "a-model-2026",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None, "reasoning": "Hm. {", **message},
                "finish_reason": finish_reason,
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150, "prompt_tokens_details": {}},
        "service_tier": "default",
    }
    return Reply(json.dumps(body).encode())


def written(angle: list[Any], points: list[Any] | None = None) -> Reply:
    """A displacement angle, each sentence of which is a pair of text and ids."""

    def items(pairs: list[Any]) -> list[Any]:
        return [{"sentence": pair[0], "facts": pair[1]} if isinstance(pair, tuple) else pair for pair in pairs]

    return completion(json.dumps({"angle": items(angle), "talking_points": items(points or [])}))


def error(message: str, status: int, **more: Any) -> Reply:
    """An error."""
    return Reply(json.dumps({"error": {"message": message, **more}}).encode(), status)
