"""What a run leaves on disk, and its mirror in MLflow."""
