"""What each command takes, by group; what it does lies in the module that it imports when it is called."""
