"""The call of `generateContent`, by Google's SDK `google-genai`."""

from typing import Any, Final

from google.genai import errors, types

from embeddings.google.errors import answer_without_sdk, error_from, sample
from embeddings.google.names import checked_model
from embeddings.google.sdk import connected
from jobs.errors import BadResponse, JobError
from yellowbook.llm.answers import LONGEST_ANSWER, Blocked, Text, Tokens

#: Reasons to end for which Google withholds an answer (ai.google.dev/api/generate-content#FinishReason).
WITHHELD: Final = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"}
)


class Gemini:
    """Google's models behind one key. One lives per process, made after the fork, for any number of threads."""

    def __init__(self, *, timeout: float, api_key: str, base_url: str = "") -> None:
        """Make the SDK's client; a call takes `timeout` seconds at most. Raises `ConfigurationError` without a key."""
        self._api_key = api_key
        self._client, self._wire = connected(timeout=timeout, api_key=api_key, base_url=base_url)

    def ask(self, model: str, prompt: str, *, system: str, schema: dict[str, Any]) -> Text | Blocked:
        """Put one prompt to a model in exactly one call; the answer is asked for in JSON of a JSON schema.

        Raises a `jobs.errors.JobError` and nothing else: `BadResponse`, with a sample, for an answer that was cut,
        broke off for another reason, or is no answer.
        """
        name = checked_model(model, setting="LLM_MODEL", example="gemini-2.5-flash")
        config = types.GenerateContentConfig(
            system_instruction=system or None,
            temperature=0.0,
            candidate_count=1,
            max_output_tokens=LONGEST_ANSWER,
            response_mime_type="application/json",
            response_json_schema=schema,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        received = self._wire.received
        received.answer = None
        try:
            answer = self._client.models.generate_content(model=name, contents=prompt, config=config)
        except JobError:
            raise
        except errors.APIError as error:
            raise error_from(received, texts=1, secret=self._api_key) from error
        except Exception as error:
            answer_without_sdk(received, error, texts=1, secret=self._api_key)
            raise self._bad("The answer is not of the form that is documented.") from error
        return self._read(answer, model)

    def _read(self, answer: types.GenerateContentResponse, model: str) -> Text | Blocked:
        tokens = _tokens(answer.usage_metadata)
        feedback = answer.prompt_feedback
        if feedback and feedback.block_reason:
            return Blocked(reason=feedback.block_reason.value, model=model, tokens=tokens)
        if not answer.candidates:
            raise self._bad("The answer holds no candidate.")
        candidate = answer.candidates[0]
        ended = candidate.finish_reason.value if candidate.finish_reason else "nothing"
        if ended in WITHHELD:
            return Blocked(reason=ended, model=model, tokens=tokens)
        if ended != "STOP":
            raise self._bad(f"The answer broke off: {ended}.")
        parts = (candidate.content and candidate.content.parts) or []
        return Text(text="".join(part.text or "" for part in parts if not part.thought), tokens=tokens)

    def _bad(self, message: str) -> BadResponse:
        shown = sample(self._wire.received.body or "", self._api_key)
        return BadResponse(message, status_code=200, sample=shown)

    def close(self) -> None:
        """Close connections."""
        self._wire.close()


def _tokens(usage: types.GenerateContentResponseUsageMetadata | None) -> Tokens:
    if usage is None:
        return Tokens(prompt=0, answer=0)
    answer = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return Tokens(prompt=usage.prompt_token_count or 0, answer=answer)
