"""Commands about runs in a store: submit them, work on them, look at them, keep the store."""
