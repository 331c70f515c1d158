"""Every built-in provider passes the public suite, by its maker's real SDK."""

from __future__ import annotations

from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.testing import (
    ChatDialect,
    GoogleDialect,
    MessagesDialect,
    ResponsesDialect,
    provider_suite,
)
from pipelang.testing.dialects import KEY

TestAnthropic = provider_suite(lambda url: AnthropicProvider(KEY, url), MessagesDialect())
TestOpenAI = provider_suite(lambda url: OpenAIProvider(KEY, url), ResponsesDialect())
TestGoogle = provider_suite(lambda url: GoogleProvider(KEY, url), GoogleDialect())
TestCompatible = provider_suite(lambda url: OpenAICompatibleProvider(KEY, url), ChatDialect())
TestCompatibleWithoutKey = provider_suite(
    lambda url: OpenAICompatibleProvider(None, url), ChatDialect(), key=None
)
