"""Model providers: the real SDKs against local servers that speak their wire formats."""
