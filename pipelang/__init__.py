"""A small declarative language for AI-agent pipelines: checked before deployment, then run."""

from pipelang.version import __version__

__all__ = ["__version__"]
