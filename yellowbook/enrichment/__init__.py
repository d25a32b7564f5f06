"""What a business offers, told in few words: tags, a sentence in two languages, opening hours.

prompts      what the model is asked, a file for each version
vocabulary   the tags that are known, by category
makers       by the model, or by rules where there is no key
handler      the job `enrich_business`
services     asking for it; tags of editors
"""
