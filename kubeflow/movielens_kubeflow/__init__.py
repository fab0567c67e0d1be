"""What only Kubeflow Pipelines needs: the compiler, the containers' entrypoint, and the client."""

# First of all: it chooses Keras's version, and TensorFlow is imported by almost everything here.
import modules  # noqa: F401
