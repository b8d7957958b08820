"""The version of relcontrol, written into every receipt."""

VERSION = "0.1.0"
