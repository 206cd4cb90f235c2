"""Agencies, people, posts and passwords: every write with a rule."""

from nongma.accounts.services.agencies import change_agency, create_agency, restore_agency, suspend_agency
from nongma.accounts.services.handing_over import Leaver, hand_over, hand_over_to_new
from nongma.accounts.services.passwords import change_password, random_password, remove_lost_device, reset_password
from nongma.accounts.services.people import (
    change_person,
    create_user,
    deactivate_user,
    hand_out,
    note_phone_proved,
    place_operator_person,
    restore_user,
    suspend_user,
)
from nongma.accounts.services.posts import appoint, dismiss

__all__ = [
    "Leaver",
    "appoint",
    "change_agency",
    "change_password",
    "change_person",
    "create_agency",
    "create_user",
    "deactivate_user",
    "dismiss",
    "hand_out",
    "hand_over",
    "hand_over_to_new",
    "note_phone_proved",
    "place_operator_person",
    "random_password",
    "remove_lost_device",
    "reset_password",
    "restore_agency",
    "restore_user",
    "suspend_agency",
    "suspend_user",
]
