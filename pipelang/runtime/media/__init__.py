"""Pictures and documents: values with bytes, how they come in, and what is looked at before."""
