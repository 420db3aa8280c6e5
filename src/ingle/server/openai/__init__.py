"""OpenAI's endpoints that keep something: chats, responses, files and batches."""
