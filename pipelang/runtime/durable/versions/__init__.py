"""Versions of pipelines that are out in a store: releases, canaries and their guards."""
