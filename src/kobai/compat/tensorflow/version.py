"""`tf.version`: the TensorFlow whose behaviour kobai follows."""
VERSION = "2.21.0+kobai"
GIT_VERSION = "kobai"
COMPILER_VERSION = "none"
