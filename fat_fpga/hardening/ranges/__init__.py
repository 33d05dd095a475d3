"""From a PyTorch module to one whose activations cannot leave the range that they have without faults."""
