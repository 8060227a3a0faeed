"""`tf.keras.models`."""
from .model import Functional, Model, Sequential, clone_model  # noqa: F401
from .storing import load_model, register_keras_serializable, save_model  # noqa: F401
