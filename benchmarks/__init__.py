"""Speed, always as a ratio to plain PyTorch on the same machine in the same run."""
