"""Programs served over HTTP: the Open Inference Protocol v2 in front of worker processes (`docs/serving.md`)."""
