"""Numbers for editors: worked out in a process of its own, as plain values that outlive a text."""
