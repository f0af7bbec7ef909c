"""Rules: what each array operation means in the IR, a module per family."""
