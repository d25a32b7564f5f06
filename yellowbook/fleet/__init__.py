"""The system's processes as a benchmark or a soak starts them: on servers of its own, with a stand-in for Google.

environment  what they find in their environment: nothing of the caller's that would change how they behave
standin      `manage.py gemini_standin`, steered
workers      masters with worker processes
"""
