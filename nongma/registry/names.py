"""What an operator is called before people who may not see its record: a household's name is a person's."""

from nongma.lib.masking import mask_name, mask_numbers
from nongma.registry.models import PERSONS, Operator


def public_name(operator: Operator) -> str:
    """The operator's name as anyone may read it: a household's is a person's, so it is masked, as a phone in any is."""
    return mask_name(operator.name) if is_person(operator) else mask_numbers(operator.name)


def is_person(operator: Operator) -> bool:
    """Whether the operator's name is a person's: a household or broker without a licence of its own."""
    return operator.is_unlicensed and bool(set(PERSONS) & set(operator.kinds))
