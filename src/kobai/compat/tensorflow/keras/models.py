"""`tf.keras.models`."""
from .model import Functional, Model, Sequential, clone_model  # noqa: F401
from .storing import load_model, model_from_json, register_keras_serializable, save_model  # noqa: F401
