"""Registering on a phone (主体自主登记): a code by text message, the registration step by step, its draft."""
