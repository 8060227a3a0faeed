"""What runs a `kobai.compile.kernel.Kernel`: NumPy (the definition), LLVM, CUDA."""
