"""Taste profiles: what a user answered and likes, and the businesses that suit it.

occasions    what people go out for: a controlled list (`occasions.toml`)
services     what people do: answer, change, like and dislike, delete
embed        the job `embed_profile`: the text of the answers in, its vector out
standing     where the vector of a profile stands
taste        likes and dislikes move the vector (Rocchio)
facets       what else of a business suits the answers
diversity    not ten times the same (maximal marginal relevance)
recommend    all of it together, computed when it is asked for
"""
