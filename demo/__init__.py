"""What ``vouch demo`` does.

``plan`` builds a sandbox for the settings, ``running`` starts the service, ``live`` lives through the weeks,
``readback`` reads the numbers that the team got, ``show`` is what a person sees.
"""
