"""HTTP: what is asked comes in, frames go out."""
