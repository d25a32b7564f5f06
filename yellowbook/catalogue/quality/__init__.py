"""Deciding whether a listing may go live.

check       the one way in: asks the cache, the model or the rules, and says which
verdict     what comes of it
listing     what is judged
prompt, by_model, cache    with a key: what the model is asked, its answer, and how long that is kept
registry, by_rules         without one: the rules there are, and how they add up
completeness, spam, phrases, duplicates    the rules themselves
"""
