"""What ``vouch demo`` does.

``plan`` builds a sandbox for the settings, ``process`` runs the service, ``live`` lives through the weeks, ``readback``
reads the numbers that the team got, ``show`` is what a person sees.
"""
