"""Keeping a program running (`codesuture watch`): it is started again after each death."""
