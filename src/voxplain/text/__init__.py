"""What is said: words and their times, stress, roles and emotion."""
