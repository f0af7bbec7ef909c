"""What latebind adds to dependency-injector: an override that every derived object follows, and an ordered shutdown."""
