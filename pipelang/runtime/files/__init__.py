"""Files and JSON texts of the outside: private files, whole lines, keys that stand once."""
