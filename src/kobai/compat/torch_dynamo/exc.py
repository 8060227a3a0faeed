"""`torch._dynamo.exc`: what PyTorch's compiler raises, for programs that catch it."""


class TorchDynamoException(RuntimeError):
    """Something that the compiler raised."""


class Unsupported(TorchDynamoException):
    """Code that cannot be captured as one graph."""


class InvalidBackend(TorchDynamoException):
    """A backend that there is not."""


class BackendCompilerFailed(TorchDynamoException):
    """A backend that failed."""


class RecompileError(TorchDynamoException):
    """A function that was to be compiled once."""
