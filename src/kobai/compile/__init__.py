"""From ops to machine code: the tensor `Graph`, the scalar `Kernel`, and the passes between them."""
