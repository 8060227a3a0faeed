"""Other systems' names on kobai's engine: torch, torchviz, tensorflow as import names, and notebooks."""
