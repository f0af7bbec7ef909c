"""What serving costs: `latebind serve` beside bare handlers, under load."""
