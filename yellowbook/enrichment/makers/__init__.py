"""Who makes an enrichment: the model, or the rules.

draft      what comes of it
by_model   one prompt to Gemini
by_rules   without a key, and where the model refuses
"""
