"""`tf.keras.optimizers.legacy`: the same optimizers under the address that they had for a while."""
from .rules import SGD, Adadelta, Adagrad, Adam, Adamax, Ftrl, Nadam, RMSprop  # noqa: F401
