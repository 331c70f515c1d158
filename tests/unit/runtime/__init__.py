"""Tests of the interpreter over fake models, tools and people."""
