"""Gemini's `generateContent`: a prompt in, an object of a given schema out.

calls     one prompt, paid for, counted, its answer checked
answers   what comes of a prompt
quota     whether there is a key, and the budget that all prompts share
gemini    the call itself, by Google's SDK

    answer = generate(prompt, schema=Opinion, system="You judge listings.")
    if isinstance(answer, Blocked): ...
"""

from yellowbook.llm.answers import Blocked, Generated
from yellowbook.llm.calls import generate, preload
from yellowbook.llm.quota import available, current_model, llm_throttle

__all__ = ["Blocked", "Generated", "available", "current_model", "generate", "llm_throttle", "preload"]
