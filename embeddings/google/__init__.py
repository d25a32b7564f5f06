"""Google's Gemini API, as far as embedding and generating need the same of it.

transport  HTTP with an outer deadline, below the SDKs
errors     what answers other than the expected one mean, as `jobs.errors`
names      addresses, keys and names of models, checked before they are used
sdk        a client of `google-genai` that takes nothing from the environment and tries once
"""
