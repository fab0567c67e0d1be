"""What only Kubeflow Pipelines needs: the compiler, the containers' entrypoint, and the client."""
