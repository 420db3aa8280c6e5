"""Text out of files of strangers, read in a process of its own."""
