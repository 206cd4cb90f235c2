"""Bases and plots of an operator (基地、地块): where they lie, what they are like, and the board that stands there."""
