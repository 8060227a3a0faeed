"""Public tools for testing derivatives, and the samples from which the ops' own tests are made."""
