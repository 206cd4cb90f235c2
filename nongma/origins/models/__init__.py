from nongma.origins.models.answers import AnswerCount
from nongma.origins.models.areas import Area, AreaLayer
from nongma.origins.models.cells import DirtyCell, OriginCell
from nongma.origins.models.doubts import Doubt, DoubtMark, DoubtQuerySet, DoubtTally, Usual
from nongma.origins.models.drafts import OriginDraft
from nongma.origins.models.dues import CollectionTerms, Due, DuePrompt, DueQuerySet, DueSweep
from nongma.origins.models.jobs import ImportJob, ImportRow, ReviewJob
from nongma.origins.models.missed import Missed, MissedCheck
from nongma.origins.models.origins import COUNTED, CURRENT, ON_MAP, Origin, OriginQuerySet
from nongma.origins.models.photos import OriginPhoto
from nongma.origins.models.samples import ReviewSample, SampledOrigin

__all__ = [
    "COUNTED",
    "CURRENT",
    "ON_MAP",
    "AnswerCount",
    "Area",
    "AreaLayer",
    "CollectionTerms",
    "DirtyCell",
    "Doubt",
    "DoubtMark",
    "DoubtQuerySet",
    "DoubtTally",
    "Due",
    "DuePrompt",
    "DueQuerySet",
    "DueSweep",
    "ImportJob",
    "ImportRow",
    "Missed",
    "MissedCheck",
    "Origin",
    "OriginCell",
    "OriginDraft",
    "OriginPhoto",
    "OriginQuerySet",
    "ReviewJob",
    "ReviewSample",
    "SampledOrigin",
    "Usual",
]
