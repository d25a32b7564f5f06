"""What collections are called: by the model, or by templates."""
