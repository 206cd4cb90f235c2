"""The register of 附件2: an agency fills in its line, and reports it to the level above.

Source: 农质安（溯）函〔2023〕72号, 六（二）, 附件2.
"""

import json
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from nongma.accounts.granting import oversees
from nongma.accounts.models import Agency, Contact, ContactState, User
from nongma.accounts.models.contacts import FIELDS, LABELS, Entry
from nongma.accounts.services.people import checked_email
from nongma.audit.services import record
from nongma.lib import phones
from nongma.lib.refused import Misfilled, Refused

LENGTHS = {"lead_name": 60, "lead_title": 60, "person_name": 60, "person_email": 200, "note": 200}
REQUIRED = ("lead_name", "lead_title", "lead_mobile", "person_name", "person_mobile", "person_email")
"""What must be there to be reported: a township may have no landline, and a note is a note."""


@transaction.atomic
def save_contact(*, agency: Agency, entry: Entry, actor: User) -> Contact:
    """Keep what an agency fills in, complete or not; what was reported before stays what the level above reads.

    Refuses `outside_area`, `no_contact` (the agency keeps none), and (422) `too_long`, `mobile_invalid`,
    `landline_invalid` and `email_invalid`.
    """
    agency = _own(agency, actor)
    contact = Contact.objects.filter(agency=agency).first() or Contact(agency=agency)
    for name in FIELDS:
        setattr(contact, name, checked(name, getattr(entry, name)))
    contact.changed_by = actor
    contact.save()
    _set_state(agency, contact)
    record("contact.saved", actor=actor, target=agency, region_code=agency.region_id)
    return contact


@transaction.atomic
def report_contact(*, agency: Agency, actor: User) -> Contact:
    """Send the line to the level above, which reads it from now on (上报).

    Refuses `outside_area`, `no_contact`, `contact_incomplete` (names what is missing) and `already_reported`.
    """
    agency = _own(agency, actor)
    contact = Contact.objects.select_for_update(of=("self",)).filter(agency=agency).first()
    if gaps := gaps_in(contact):
        raise Refused("contact_incomplete", f"还不能上报，请先填写：{'、'.join(gaps)}")
    assert contact is not None
    contact.agency = agency
    if contact.reported_entry == contact.entry:
        raise Refused("already_reported", "已经上报过，内容没有变化")
    contact.reported = json.dumps(asdict(contact.entry), ensure_ascii=False)
    contact.reported_at, contact.reported_by = timezone.now(), actor
    contact.save(update_fields=["reported", "reported_at", "reported_by"])
    _set_state(agency, contact)
    record("contact.reported", actor=actor, target=agency, region_code=agency.region_id)
    return contact


@transaction.atomic
def reveal_contact(*, agency: Agency, actor: User) -> Entry:
    """What an agency reported, in full; the look is on record. Refuses `outside_area` and `not_reported`."""
    if not oversees(actor, agency):
        raise Refused("outside_area", "这个机构不归您管理")
    contact = Contact.objects.filter(agency=agency).first()
    entry = contact.reported_entry if contact else None
    if entry is None:
        raise Refused("not_reported", "这个机构还没有上报过")
    record("contact.revealed", actor=actor, target=agency, region_code=agency.region_id)
    return entry


def gaps_in(contact: Contact | None) -> list[str]:
    """The names of the required fields that are empty."""
    return [LABELS[name] for name in REQUIRED if contact is None or not getattr(contact, name)]


def _own(agency: Agency, actor: User) -> Agency:
    """The locked agency, whose own administrator the actor is. Raises `outside_area` and `no_contact`."""
    if agency.pk not in {one.pk for one in actor.administers}:
        raise Refused("outside_area", "联系方式由本机构的平台管理员填写")
    agency = Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    if not Contact.is_kept_by(agency):
        raise Refused("no_contact", "只有省、市、县、乡镇的监管机构填报联系方式")
    return agency


def _set_state(agency: Agency, contact: Contact) -> None:
    reported = contact.reported_entry
    if reported is not None:
        state = ContactState.REPORTED if reported == contact.entry else ContactState.CHANGED
    else:
        state = ContactState.INCOMPLETE if gaps_in(contact) else ContactState.DRAFT
    agency.contact_state = state
    agency.save(update_fields=["contact_state"])


def checked(name: str, text: str) -> str:
    """A field as it is kept. Raises `too_long`, `mobile_invalid`, `landline_invalid` and `email_invalid`."""
    value = " ".join(text.split())
    if name in LENGTHS and len(value) > LENGTHS[name]:
        raise Misfilled("too_long", f"最多 {LENGTHS[name]} 字", field=name)
    if not value:
        return ""
    if name.endswith("_mobile"):
        value = phones.tidy(value)
        if not phones.is_mobile(value):
            raise Misfilled("mobile_invalid", "手机号要 11 位数字，以 13–19 开头", field=name)
    if name.endswith("_landline"):
        number = phones.landline(value)
        if number is None:
            raise Misfilled("landline_invalid", "固定电话要带区号，如 0898-88381234", field=name)
        return number
    return checked_email(value, name) if name == "person_email" else value
