"""What ``vouch demo`` does: ``plan`` builds a sandbox for the settings, ``live`` lives through the weeks, ``readback``
reads the numbers that the team got."""
