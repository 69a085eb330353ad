"""Answer files and seed media that turn a base image into a guest of ours."""
