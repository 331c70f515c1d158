"""Streams of answers: pieces of text are told as they come, and the whole is put together as if it
had come in one. A stream that ends before its answer does is a broken connection.
"""
