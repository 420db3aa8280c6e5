"""What an app is: its definition, its templates, and the order of its steps."""
