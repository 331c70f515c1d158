"""Help with what is being written: completion by the place, and signatures of calls."""
