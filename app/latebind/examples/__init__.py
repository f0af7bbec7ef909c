"""Programs that `latebind run NAME` can run; each module has a `main(context)`."""
