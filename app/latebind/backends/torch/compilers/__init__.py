"""What makes an FX graph callable, a module per compiler."""
